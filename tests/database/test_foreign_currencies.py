"""A refund is handed out in the unit that its provider counts in."""

from __future__ import annotations

from typing import Any

import pytest
from support.service_box import ServiceBox, card_order, paid_event, woo_id


@pytest.mark.parametrize(
    ("currency", "total", "at_stripe"),
    [("JPY", "3470", 3470), ("ISK", "3470", 347_000), ("EUR", "34.70", 3470)],
)
def test_the_whole_is_refunded_in_the_providers_own_unit(
    box: ServiceBox, currency: str, total: str, at_stripe: int
) -> None:
    """Stripe counts ISK in hundredths, ISO 4217 does not: by ISO 1 percent would go back."""
    box.woo(card_order(102, currency=currency, total=total))
    event: dict[str, Any] = paid_event(102)
    told = event["data"]["object"]
    told |= {"currency": currency.lower(), "amount": at_stripe, "amount_received": at_stripe}
    box.stripe(event)
    box.service.people.cancel(woo_id(102), "Ida", "the customer called")
    (action,) = box.lease("payment", kinds=["refund_payment"])
    assert action["data"]["amount_minor"] == str(at_stripe)
    assert action["data"]["amount"] == {"amount": total, "currency": currency}
