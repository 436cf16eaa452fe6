"""The buyer's VAT id: who is to be asked about it, and what waits for the answer.

Only a tax-free order waits, and only where the setup wants it: a valid id is what makes its supply
tax-free. It waits without an entry in the exception list for as long as the setup says, for an
answer usually takes seconds; after that a person decides.
"""

from __future__ import annotations

from datetime import datetime

from kette.domain.decide import Case, digest
from kette.domain.order import ShopClaim
from kette.domain.policy import seconds
from kette.domain.vat_check import KIND, REQUIRED, Standing, VatQuestion, standing_of

_OVER = frozenset({ShopClaim.CANCELLED, ShopClaim.REFUNDED, ShopClaim.COMPLETED})


def holds(case: Case) -> None:
    """An entry for a tax-free order about whose id nobody has given an answer in time. What an
    answer says is a finding of the intake checks."""
    found = _standing(case)
    if found is None:
        return
    question, standing = found
    if not question.is_tax_free or standing.answer is not None:
        return
    if case.due(_deadline(case)):
        case.except_(
            KIND,
            _unanswered(question),
            f"The VAT register has not confirmed {question.vat_id}; the order carries no VAT",
            {"vat_id": question.vat_id, "silences": standing.silences},
            "Ask the register by hand and accept, or cancel and have it ordered with VAT.",
            blocking=case.setup.intake.vat_check == REQUIRED,
        )


def rules(case: Case) -> None:
    """Ask, and ask again after a silence, an old answer or a person's "fixed"."""
    found = _standing(case)
    if found is None:
        return
    question, standing = found
    is_asked = standing.name and (standing.ask_from is None or case.due(standing.ask_from))
    if not is_asked:
        return
    merchant = case.setup.merchant.vat_id.replace(" ", "").upper()
    case.want(
        "check_vat_id",
        standing.name,
        {
            "vat_id": question.vat_id,
            "country_code": question.vat_id[:2],
            "number": question.vat_id[2:],
            # Who asks under its own id gets the consultation number that proves the answer.
            "requester_country_code": merchant[:2],
            "requester_number": merchant[2:],
        },
        "the order is free of tax by this VAT id"
        if question.is_tax_free
        else "the buyer of another state gave a VAT id",
        system=case.system("tax"),
    )


def waits_for_register(case: Case) -> bool:
    """Whether goods and invoice wait for an answer about the VAT id."""
    if case.setup.intake.vat_check != REQUIRED:
        return False
    found = _standing(case)
    if found is None:
        return False
    question, standing = found
    if not question.is_tax_free or standing.answer is not None:
        return False
    return not case.is_handled(case.key(KIND, _unanswered(question)))


def _standing(case: Case) -> tuple[VatQuestion, Standing] | None:
    question = case.assessment.vat
    order = case.file.order
    if question is None or order is None or order.claim in _OVER or case.view.wants_cancel:
        return None
    if case.shipping.is_all_out:
        return None
    return question, standing_of(question, case.order_id, case.file, case.setup.intake)


def _deadline(case: Case) -> datetime:
    order = case.file.order
    assert order is not None
    return order.placed_at + seconds(case.setup.intake.vat_check_wait_s)


def _unanswered(question: VatQuestion) -> str:
    return digest("unanswered", question.vat_id)
