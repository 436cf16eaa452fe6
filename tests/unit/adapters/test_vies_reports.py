"""VIES' answers: an error is never "not valid", and a silent register fails no action."""

from __future__ import annotations

from typing import Any

import pytest
from kette.adapters.vendors.vies import ViesAdapter
from kette.domain.facts import ActionReported, VatAnswer, VatOutcome

VALID: dict[str, Any] = {
    "countryCode": "AT",
    "vatNumber": "U13585627",
    "requestDate": "2026-11-23T20:15:01.544Z",
    "valid": True,
    "requestIdentifier": "WAPIAAAAaDxc__Zb",
    "name": "HUBER HOLZBAU GMBH",
    "address": "Getreidegasse 20\nAT-5020 Salzburg",
    "traderName": "---",
    "traderNameMatch": "NOT_PROCESSED",
}


def wrapped(code: str) -> dict[str, Any]:
    return {"actionSucceed": False, "errorWrappers": [{"error": code}]}


def read(
    answer: dict[str, Any], *, done: bool = True, error: str = "", retryable: bool = True
) -> ActionReported:
    asked = {**answer, "vat_id": "ATU13585627"}
    report = ActionReported(
        "check_vat_id:1:x", "check_vat_id", done, error=error, retryable=retryable, answer=asked
    )
    return ViesAdapter().translate_report(report)


def test_a_valid_id_carries_its_proof() -> None:
    report = read(VALID)
    assert report.done
    assert report.reference == "WAPIAAAAaDxc__Zb"
    assert report.vat == VatAnswer(
        vat_id="ATU13585627",
        outcome=VatOutcome.VALID,
        consultation="WAPIAAAAaDxc__Zb",
        asked_at="2026-11-23T20:15:01.544Z",
        name="HUBER HOLZBAU GMBH",
        address="Getreidegasse 20 AT-5020 Salzburg",
        name_match="NOT_PROCESSED",
    )
    assert report.answer["valid"] is True, "the raw answer stays"


def test_not_valid_is_an_answer_without_a_name() -> None:
    report = read(VALID | {"valid": False, "name": "---", "address": "---"})
    assert report.vat is not None
    assert (report.done, report.vat.outcome, report.vat.name) == (True, VatOutcome.INVALID, "")


OLD_FORM = {"isValid": False, "name": "---", "vatNumber": "U13585627", "requestIdentifier": ""}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(VALID | {"valid": "true"}, VatOutcome.VALID, id="a word for yes"),
        pytest.param(VALID | {"valid": "False"}, VatOutcome.INVALID, id="a word for no"),
        pytest.param(VALID | {"actionSucceed": "true"}, VatOutcome.VALID, id="success said"),
        pytest.param(
            VALID | {"error": None, "errorWrappers": [], "errors": "false", "statusCode": 200},
            VatOutcome.VALID,
            id="empty fields for errors",
        ),
        pytest.param(OLD_FORM | {"userError": "INVALID"}, VatOutcome.INVALID, id="the older form"),
        pytest.param(
            OLD_FORM | {"isValid": True, "userError": "valid"}, VatOutcome.VALID, id="older, valid"
        ),
        pytest.param({"statusCode": 200, "body": VALID}, VatOutcome.VALID, id="a full response"),
        pytest.param({"valid": False}, VatOutcome.INVALID, id="nothing but the verdict"),
    ],
)
def test_a_verdict_is_read_however_it_is_written(
    answer: dict[str, Any], outcome: VatOutcome
) -> None:
    report = read(answer)
    assert report.vat is not None
    assert (report.done, report.vat.outcome, report.vat.vat_id) == (True, outcome, "ATU13585627")


def test_a_valid_id_without_a_consultation_number_is_valid_without_proof() -> None:
    report = read(
        {name: VALID[name] for name in ("valid", "vatNumber")} | {"requestIdentifier": ""}
    )
    assert report.vat == VatAnswer("ATU13585627", VatOutcome.VALID)
    assert report.reference == ""


NOT_VALID = VALID | {"valid": False, "name": "---", "address": "---"}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        # An answer with an error beside its "no" was once read as "no".
        pytest.param(NOT_VALID | {"actionSucceed": "false"}, {}, id="no success, as a word"),
        pytest.param(NOT_VALID | {"actionSucceed": 0}, {}, id="no success, as a number"),
        pytest.param(NOT_VALID | {"statusCode": 500}, {}, id="a status of 500 inside"),
        pytest.param(NOT_VALID | {"status": "503"}, {}, id="a status of 503 as text"),
        pytest.param(NOT_VALID | {"error": "MS_UNAVAILABLE"}, {}, id="an error beside it"),
        pytest.param(NOT_VALID | {"error": {"message": "down"}}, {}, id="an inner error"),
        pytest.param(NOT_VALID | {"errors": ["down"]}, {}, id="a list of errors"),
        pytest.param(NOT_VALID | {"fault": {"faultstring": "SERVER_BUSY"}}, {}, id="a fault"),
        pytest.param(
            NOT_VALID | {"errorWrappers": {"error": "TIMEOUT"}}, {}, id="one wrapper, no list"
        ),
        pytest.param({"statusCode": 502, "body": NOT_VALID}, {}, id="a full response of 502"),
        pytest.param(NOT_VALID | {"userError": "MS_UNAVAILABLE"}, {}, id="an older word"),
        pytest.param(NOT_VALID | {"userError": "VALID"}, {}, id="two words that quarrel"),
        pytest.param(NOT_VALID | {"isValid": True}, {}, id="two verdicts that quarrel"),
        pytest.param(NOT_VALID | {"valid": None}, {}, id="a verdict of null"),
        pytest.param(NOT_VALID | {"valid": 0}, {}, id="a verdict that is a number"),
        pytest.param(wrapped("MS_UNAVAILABLE"), {}, id="a state's register is down"),
        pytest.param(wrapped("MS_MAX_CONCURRENT_REQ"), {}, id="too many questions to a state"),
        pytest.param(wrapped("GLOBAL_MAX_CONCURRENT_REQ_TIME"), {}, id="too many questions"),
        pytest.param(wrapped("SOMETHING_NEW"), {}, id="an error that nobody knows yet"),
        pytest.param({"actionSucceed": False, "errorWrappers": []}, {}, id="an error unnamed"),
        pytest.param(OLD_FORM | {"userError": "MS_UNAVAILABLE"}, {}, id="the older form"),
        pytest.param(OLD_FORM | {"userError": "NEW_WORD"}, {}, id="the older form, a new word"),
        pytest.param(VALID | {"valid": "yes"}, {}, id="no verdict"),
        pytest.param(VALID | {"vatNumber": "U99999999"}, {}, id="another number"),
        pytest.param(VALID | {"countryCode": "DE"}, {}, id="another state"),
        pytest.param({}, {}, id="an empty answer"),
        pytest.param({"data": "<html>maintenance</html>"}, {}, id="a page instead of an answer"),
        pytest.param({}, {"done": False, "error": "timeout of 20000ms"}, id="no answer in time"),
        pytest.param(
            {"error": wrapped("VOW-ERR-1")},
            {"done": False, "error": "500 - internal"},
            id="an error inside of VIES",
        ),
        pytest.param(
            {},
            {"done": False, "error": '400 - "MS_UNAVAILABLE"', "retryable": False},
            id="a state's register is down, told with 400",
        ),
    ],
)
def test_no_answer_says_nothing_about_the_id(answer: dict[str, Any], told: dict[str, Any]) -> None:
    report = read(answer, **told)
    assert report.done, "the question was asked; when to ask again is for the rules"
    assert report.vat is not None
    assert (report.vat.outcome, report.vat.consultation) == (VatOutcome.UNAVAILABLE, "")
    assert report.vat.error


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(wrapped("INVALID_REQUESTER_INFO"), {}, id="our own id is unknown"),
        pytest.param(NOT_VALID | {"error": "invalid_input"}, {}, id="an error in small letters"),
        pytest.param(wrapped("VOW-ERR-2700"), {"done": False}, id="our own id is none"),
        pytest.param(wrapped("VOW-ERR-2600"), {"done": False}, id="the buyer's id is none"),
        pytest.param(OLD_FORM | {"userError": "IP_BLOCKED"}, {}, id="we are blocked"),
        pytest.param({}, {"done": False, "error": "404", "retryable": False}, id="wrong address"),
    ],
)
def test_what_asking_again_cannot_cure_is_for_a_person(
    answer: dict[str, Any], told: dict[str, Any]
) -> None:
    report = read(answer, **told)
    assert (report.done, report.retryable, report.vat) == (False, False, None)
    assert report.error


def test_reports_of_other_kinds_stay_as_they_are() -> None:
    report = ActionReported("add_shop_note:1:x", "add_shop_note", True, answer=VALID)
    assert ViesAdapter().translate_report(report) is report
