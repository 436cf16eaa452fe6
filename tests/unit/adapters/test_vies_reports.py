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
    ("answer", "told"),
    [
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
