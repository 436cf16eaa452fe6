"""The played VIES answers as the real one does: errors of a state with 200, bad input with 400."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sandbox.vies import PATH
from support.sandbox_box import Box

QUESTION = {
    "countryCode": "AT",
    "vatNumber": "U13585627",
    "requesterMemberStateCode": "DE",
    "requesterNumber": "111111125",
}


@pytest.fixture
def box() -> Box:
    made = Box()
    made.sandbox.actors.register_vat("ATU13585627", "HUBER HOLZBAU GMBH", "5020 Salzburg")
    return made


def ask(box: Box, **changes: Any) -> tuple[int, dict[str, Any]]:
    url = f"/vies{PATH}/check-vat-number"
    answer = asyncio.run(box.http.post(url, json=QUESTION | changes))
    return answer.status_code, answer.json()


def test_a_registered_id(box: Box) -> None:
    status, body = ask(box)
    assert (status, body["valid"], body["name"]) == (200, True, "HUBER HOLZBAU GMBH")
    assert body["requestIdentifier"].startswith("WAPI")
    assert box.sandbox.vies.questions() == [{"id": 1, "vat_id": "ATU13585627", "own": "111111125"}]


def test_who_asks_without_an_own_id_gets_no_consultation_number(box: Box) -> None:
    assert ask(box, requesterNumber="")[1]["requestIdentifier"] == ""


@pytest.mark.parametrize("name", ["", None])
def test_an_id_that_is_not_registered_any_more(box: Box, name: str | None) -> None:
    if name is not None:
        box.sandbox.actors.register_vat("ATU13585627", name)
    status, body = ask(box, vatNumber="U13585627" if name is not None else "U99999999")
    assert (status, body["valid"], body["name"]) == (200, False, "---")


def test_a_states_register_that_is_down_answers_with_200(box: Box) -> None:
    box.sandbox.actors.vat_register("AT")
    assert ask(box) == (
        200,
        {"actionSucceed": False, "errorWrappers": [{"error": "MS_UNAVAILABLE"}]},
    )
    box.sandbox.actors.vat_register("AT", "")
    assert ask(box)[1]["valid"] is True


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vatNumber": None, "countryCode": None}, "VOW-ERR-2500"),
        ({"countryCode": "CH"}, "VOW-ERR-2500"),
        ({"vatNumber": "?"}, "VOW-ERR-2600"),
    ],
)
def test_bad_input_is_refused(box: Box, changes: dict[str, Any], code: str) -> None:
    status, body = ask(box, **changes)
    assert (status, body["errorWrappers"][0]["error"]) == (400, code)
