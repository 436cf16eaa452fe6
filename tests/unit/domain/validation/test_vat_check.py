"""The VAT register: who is asked about, how an answer stands, and what it means for the order."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from kette.domain import facts as f
from kette.domain.findings import Severity
from kette.domain.fold import fold
from kette.domain.order import Order
from kette.domain.policy import IntakePolicy, Setup, System
from kette.domain.vat_check import (
    OFF,
    REQUIRED,
    WARN,
    Standing,
    VatQuestion,
    VatState,
    action_key,
    are_strangers,
    read_vat_id,
    standing_of,
    vat_findings,
    vat_question,
    vat_state,
)
from kette.policies import load_intake_data
from support.intake_orders import PLACED_AT, SETUP, address, order, row
from support.order_facts import DAY, HOUR, MINUTE, fact, resolved

TAX = load_intake_data().tax
VIES = System("vies", "vies", "tax")
ASKING = msgspec.structs.replace(SETUP, systems={"vies": VIES})
VIENNA = address(
    company="Huber Holzbau GmbH", line1="Graben 5", postal_code="1010", city="Wien",
    country_code="AT",
)  # fmt: skip
FREE = row(10_000, 0, None)
ATU = "ATU13585627"


def asked_about(setup: Setup = ASKING, **changes: Any) -> VatQuestion | None:
    given = {"billing": VIENNA, "shipping": VIENNA, "vat_id": ATU, **changes}
    lines = given.pop("lines", (FREE,))
    made: Order = order(*lines, **given)
    return vat_question(made, made.delivery_address, setup, TAX, date(2026, 11, 23))


class TestQuestion:
    def test_a_tax_free_supply_to_another_state(self) -> None:
        assert asked_about() == VatQuestion(ATU, True, "Huber Holzbau GmbH")

    def test_a_taxed_one_is_asked_about_as_well(self) -> None:
        assert asked_about(lines=(row(1664, 333, "0.2"),)) == VatQuestion(
            ATU, False, "Huber Holzbau GmbH"
        )

    @pytest.mark.parametrize("typed", ["ATU 135 856 27", "atu13585627", "AT-U13585627"])
    def test_however_it_is_typed(self, typed: str) -> None:
        found = asked_about(vat_id=typed)
        assert found is not None
        assert found.vat_id == ATU

    def test_greece_is_asked_under_its_own_prefix(self) -> None:
        athens = address(line1="Ermou 5", postal_code="105 63", city="Athina", country_code="GR")
        found = asked_about(vat_id="GR094259216", billing=athens, shipping=athens)
        assert found is not None
        assert found.vat_id == "EL094259216"

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"vat_id": ""}, id="no id"),
            pytest.param({"vat_id": "ATU13585628"}, id="wrong check digit"),
            pytest.param({"vat_id": "DE136695976"}, id="a business of the own state"),
            pytest.param({"vat_id": "CHE-107.787.577 MWST"}, id="Swiss"),
            pytest.param({"vat_id": "GB220430231"}, id="British"),
            pytest.param({"shipping": address()}, id="goods stay in the own state"),
            pytest.param({"shipping": address(country_code="CH")}, id="goods leave the EU"),
            pytest.param({"is_test": True}, id="a test order"),
        ],
    )
    def test_nobody_is_asked(self, changes: dict[str, Any]) -> None:
        assert asked_about(**changes) is None

    def test_nor_where_the_setup_does_not_want_it(self) -> None:
        off = msgspec.structs.replace(ASKING, intake=IntakePolicy(vat_check=OFF))
        assert asked_about(off) is None
        assert asked_about(SETUP) is None, "no register in the setup"


QUESTION = VatQuestion(ATU, True, "Huber Holzbau GmbH")
OUTCOMES = {"valid": f.VatOutcome.VALID, "invalid": f.VatOutcome.INVALID}


def name_of(number: int) -> str:
    standing = standing_of(QUESTION, "ord_test", fold([]), IntakePolicy())
    return f"{standing.name.rpartition('-')[0]}-{number}"


def reported(number: int, at: timedelta, outcome: f.VatOutcome, name: str = "") -> f.Fact:
    key = action_key("ord_test", name_of(number))
    answer = f.VatAnswer(ATU, outcome, name=name)
    return fact(f.ActionReported(key, "check_vat_id", True, vat=answer), PLACED_AT + at, key)


def standing(*facts: f.Fact) -> Standing:
    return standing_of(QUESTION, "ord_test", fold(facts), IntakePolicy())


class TestStanding:
    def test_before_the_first_answer_the_first_question_is_open(self) -> None:
        assert standing() == Standing(None, name_of(1), None, 0)

    def test_silences_make_the_pauses_longer(self) -> None:
        silent = f.VatOutcome.UNAVAILABLE
        told = [reported(1, HOUR, silent)]
        assert standing(*told) == Standing(None, name_of(2), PLACED_AT + HOUR + MINUTE, 1)
        told.append(reported(2, 2 * HOUR, silent))
        assert standing(*told).ask_from == PLACED_AT + 2 * HOUR + 5 * MINUTE
        for number in range(3, 9):
            told.append(reported(number, number * DAY, silent))
        assert standing(*told).ask_from == PLACED_AT + 8 * DAY + 6 * HOUR

    def test_an_answer_holds_until_it_is_old(self) -> None:
        found = standing(reported(1, HOUR, f.VatOutcome.VALID))
        assert found.answer is not None
        assert (found.name, found.ask_from) == (name_of(2), PLACED_AT + HOUR + 30 * DAY)

    def test_a_silence_after_an_answer_leaves_the_answer(self) -> None:
        found = standing(
            reported(1, HOUR, f.VatOutcome.VALID), reported(2, 31 * DAY, f.VatOutcome.UNAVAILABLE)
        )
        assert found.answer is not None
        assert found.silences == 1

    def test_a_persons_fixed_makes_the_next_question_due(self) -> None:
        fixed = fact(resolved("vat_id_invalid:x", "fixed"), PLACED_AT + 2 * HOUR, "fixed", "people")
        found = standing(reported(1, HOUR, f.VatOutcome.INVALID), fixed)
        assert (found.name, found.ask_from) == (name_of(2), PLACED_AT + 2 * HOUR)

    def test_the_order_of_the_facts_does_not_matter(self) -> None:
        told = [
            reported(1, HOUR, f.VatOutcome.UNAVAILABLE),
            reported(2, 2 * HOUR, f.VatOutcome.INVALID),
            reported(3, 40 * DAY, f.VatOutcome.VALID),
        ]
        assert standing(*reversed(told)) == standing(*told)


def answered(outcome: f.VatOutcome, name: str = "") -> Standing:
    answer = f.VatAnswer(ATU, outcome, "WAPI1", "2026-11-23T20:15:01Z", name)
    return Standing(answer, "", None, 0)


SILENT = Standing(None, "x-2", PLACED_AT, 1)


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Standing(None, "x-1", None, 0), VatState.NOT_ASKED),
        (SILENT, VatState.UNAVAILABLE),
        (answered(f.VatOutcome.INVALID), VatState.INVALID),
        (answered(f.VatOutcome.VALID), VatState.VALID),
        (answered(f.VatOutcome.VALID, "HOLZBAU HUBER"), VatState.VALID),
        (answered(f.VatOutcome.VALID, "WOK IMBISS ZHOU"), VatState.MISMATCH),
    ],
)
def test_states(found: Standing, state: VatState) -> None:
    assert vat_state(QUESTION, found) is state


@pytest.mark.parametrize(
    ("found", "mode", "is_free", "expected"),
    [
        (SILENT, REQUIRED, True, [("vat_id_unconfirmed", Severity.INFO, "")]),
        (
            answered(f.VatOutcome.INVALID),
            REQUIRED,
            True,
            [("vat_id_not_registered", Severity.ERROR, "vat_id_invalid")],
        ),
        (
            answered(f.VatOutcome.INVALID),
            WARN,
            True,
            [("vat_id_not_registered", Severity.WARNING, "vat_id_invalid")],
        ),
        (
            answered(f.VatOutcome.INVALID),
            REQUIRED,
            False,
            [("vat_id_not_registered", Severity.WARNING, "")],
        ),
        (answered(f.VatOutcome.VALID), REQUIRED, True, [("vat_id_confirmed", Severity.INFO, "")]),
        (
            answered(f.VatOutcome.VALID, "WOK IMBISS ZHOU"),
            REQUIRED,
            True,
            [
                ("vat_id_confirmed", Severity.INFO, ""),
                ("vat_id_name_differs", Severity.WARNING, "vat_id_invalid"),
            ],
        ),
    ],
)
def test_findings(
    found: Standing, mode: str, is_free: bool, expected: list[tuple[str, Severity, str]]
) -> None:
    question = msgspec.structs.replace(QUESTION, is_tax_free=is_free)
    told = [(x.code, x.severity, x.exception_kind) for x in vat_findings(question, found, mode)]
    assert told == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HUBER HOLZBAU GESELLSCHAFT M.B.H.", "Holzbau Huber GmbH"),
        ("MUELLER ELEKTROTECHNIK KG", "Müller Elektro"),
        ("SOCIÉTÉ DUPONT ET FILS SARL", "Dupont"),
        ("Łódzkie Zakłady Sp. z o.o.", "Zaklady Lodzkie"),
        ("ΑΚΜΗ ΑΝΩΝΥΜΗ ΕΤΑΙΡΙΑ", "Akme S.A."),  # another script cannot be compared
        ("ΠΑΠΑΔΟΠΟΥΛΟΣ ΑΕ||SOFTLINE", "Papadopoulos AE"),  # nor can a part of the name
        ('ФИРМА "AUTO PLUS" ЕООД', "Avtoplus"),
        ("SØRENSEN APS", "Sorensen"),  # letters that have no mark to take off
        ("BŁASZCZYK SP. Z O.O.", "Blaszczyk"),
        ("ĐURIĆ D.O.O.", "Djuric"),
        ("ŒUVRES SARL", "Oeuvres"),
        ("GmbH", "Huber GmbH"),
        ("---", "Huber GmbH"),
    ],
)
def test_one_firm(one: str, other: str) -> None:
    assert not are_strangers(one, other)
    assert not are_strangers(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("WOK IMBISS ZHOU", "Huber Holzbau GmbH"),
        ("Nord GmbH & Co. KG", "Süd GmbH & Co. KG"),
        ("The Bike Company", "The Tea Company"),
    ],
)
def test_strangers(one: str, other: str) -> None:
    assert are_strangers(one, other)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("DE 136 695 976", "DE136695976"),
        ("BE0403.019.261", "BE0403019261"),
        ("XI110305878", "XI110305878"),
        ("FR 40 303265045", "FR40303265045"),
        ("DE136695975", None),
        ("12345", None),
        ("", None),
        ("x" * 5000, None),
    ],
)
def test_reading_an_id(typed: str, expected: str | None) -> None:
    found = read_vat_id(typed)
    assert (found.text if found else None) == expected
