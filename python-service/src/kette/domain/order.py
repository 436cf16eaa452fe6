"""The canonical order: what a shop says about one order at one moment.

Every shop's payload is translated into this shape (adapters/vendors/<shop>/translate.py). Vendor
words stop there, except `shop_status`, which is kept verbatim beside the canonical `claim`.
All structs are frozen; they are stored inside facts as JSON (msgspec).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from kette.domain.money import Money


class LineKind(StrEnum):
    ITEM = "item"  # something the customer bought
    SHIPPING = "shipping"  # the price of delivery
    FEE = "fee"  # surcharge of the shop, e.g. for cash on delivery
    TIP = "tip"  # given freely on top, for no supply of its own


# How the methods of shops begin by which the customer fetches the goods.
PICK_UP_METHODS = ("local_pickup", "pickup_location", "pickup")


class ShopClaim(StrEnum):
    """What the shop itself says about the order's progress. A claim, never our status."""

    PENDING = "pending"  # placed, payment not yet begun or not yet confirmed
    ON_HOLD = "on_hold"  # waiting, usually for a bank transfer
    PROCESSING = "processing"  # paid or payable later; to be fulfilled
    COMPLETED = "completed"  # the shop regards everything as done
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FAILED = "failed"  # the payment attempt failed
    OTHER = "other"  # a status that the merchant or a plugin made


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """An address as the customer typed it (HTML entities already decoded)."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country_code: str = ""
    phone: str = ""
    email: str = ""


class LineItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One priced row. net and tax are the shop's own cents, after discount, for the whole
    quantity."""

    id: str
    kind: LineKind
    name: str
    quantity: int
    net: Money
    tax: Money
    # Fraction as string, "0.19"; "0" is a taxed-at-zero line; None means that the shop applied no
    # tax rate at all (export, voucher). Where a line has several rates, the shares are in `taxes`.
    rate: str | None = None
    sku: str = ""
    product_id: str = ""
    is_physical: bool = True
    attributes: tuple[tuple[str, str], ...] = ()
    # Pieces that the shop refunded before they were shipped: charged and credited, never packed.
    taken_off: int = 0

    @property
    def to_ship(self) -> int:
        return self.quantity - self.taken_off


class TaxShare(msgspec.Struct, frozen=True, omit_defaults=True):
    """Net and tax of one rate over the whole order; rate None = amounts without any tax rate."""

    rate: str | None
    label: str
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        return self.net + self.tax


class ShopRefund(msgspec.Struct, frozen=True, omit_defaults=True):
    """A refund that the shop has recorded. amount is positive. Lines may be unknown (empty)."""

    id: str
    amount: Money
    reason: str = ""
    made_at: datetime | None = None


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """One snapshot. `version` orders snapshots of one order: the greatest wins."""

    channel: str  # system id of the shop, e.g. "woo-main"
    external_id: str  # the shop's id of the order
    number: str  # what the customer sees; may differ from external_id
    version: str  # sortable text: vendor's modification instant, then a content digest
    placed_at: datetime
    claim: ShopClaim
    shop_status: str  # the shop's own word
    currency: str
    total: Money
    total_tax: Money
    prices_include_tax: bool
    lines: tuple[LineItem, ...]
    tax_by_rate: tuple[TaxShare, ...]
    billing: Address
    shipping: Address
    discount_total: Money | None = None
    # total minus (sum of nets + taxes per rate); not zero when the shop rounds tax at subtotal
    rounding: Money | None = None
    # The step to which the shop rounds totals, where it is more than a minor unit: 0.05 CHF.
    total_step: Money | None = None
    payment_method: str = ""  # the shop's key of the method, e.g. "bacs"
    payment_title: str = ""
    payment_reference: str = ""  # the provider's id, where the shop knows it
    payment_url: str = ""  # where the customer can pay an open order
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    customer_note: str = ""
    customer_ref: str = ""  # the shop's customer id, empty for guests
    vat_id: str = ""
    language: str = ""  # "de", "en" where the shop says it
    origin: str = ""  # checkout, admin, api: how the order was made
    is_test: bool = False
    # Claimed completed because everything was sent, while the shop's own order is not closed yet.
    is_left_open: bool = False
    refunds: tuple[ShopRefund, ...] = ()
    # What of the total the shop has received, where it says so; None: paid_at speaks for the total.
    paid_total: Money | None = None
    # The total in the shop's own currency, where the customer paid in another one.
    total_in_shop_currency: Money | None = None
    risk_level: str = ""  # the shop's own verdict: normal, elevated, highest
    # What the customer's bank took back, where the shop tells of it and no provider does.
    charged_back: Money | None = None
    attributes: tuple[tuple[str, str], ...] = ()  # what else the shop says, in its own words

    @property
    def delivery_address(self) -> Address:
        """Where the goods go: shipping if given, else billing."""
        given = self.shipping.line1 or self.shipping.city or self.shipping.postal_code
        return self.shipping if given else self.billing

    @property
    def physical_lines(self) -> tuple[LineItem, ...]:
        return tuple(line for line in self.lines if line.kind is LineKind.ITEM and line.is_physical)

    @property
    def is_picked_up(self) -> bool:
        """The customer fetches all of it: every way of delivery that was chosen is a pick-up."""
        chosen = [line.attributes for line in self.lines if line.kind is LineKind.SHIPPING]
        return bool(self.physical_lines and chosen) and all(
            dict(attributes).get("method", "").startswith(PICK_UP_METHODS) for attributes in chosen
        )
