"""Orders that the shop marks as tests: they are taken in, and nothing follows from them.

The shop's staff try their checkout with a provider's test cards. Shipped, such an order costs the
goods, for nobody has paid for them; booked, it uses up a number of the invoices; and who is mailed,
billed or counted as a returning customer is mostly nobody. So there are no actions and no entries
for it: no parcel, no change of stock, no mail, no document. While a shop is tried out with this
setup (`mode: test`), its test orders play the whole chain, apart from the books.
"""

from __future__ import annotations

from kette.domain.decide import Case
from kette.domain.policy import Setup
from kette.domain.state import OrderFile


def only_tested(file: OrderFile, setup: Setup) -> bool:
    """Whether the order is a test, and the shop is not being tried out."""
    return file.order is not None and file.order.is_test and not setup.is_trial(file.order.channel)


def tested_entries(case: Case) -> None:
    """One thing needs a person all the same: money that a provider took for a test. Its events of
    test mode are refused or not counted, so this money is real."""
    order = case.file.order
    assert order is not None
    taken = [p for p in case.file.payments if p.captured > 0 and p.source != order.channel]
    if not taken:
        return
    case.except_(
        "order_stuck",
        "test-with-money",
        "The shop marks the order as a test, but a payment provider took money for it",
        {"payments": [payment.id for payment in taken]},
        "Give the money back at the provider, or have the shop take its mark away; then resolve.",
    )
