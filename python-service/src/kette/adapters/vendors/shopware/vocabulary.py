"""Shopware's words, as data: events, states, line types, and where plugins keep things.

States are technical names, which merchants may extend; what is not here is OTHER or ignored, never
guessed. Sources in README.md.
"""

from __future__ import annotations

import re
from typing import Final

from kette.domain.order import ShopClaim

# An admin edits a copy of an order, a draft under another version; only this one counts.
LIVE_VERSION: Final = "0fa91ce3e96a4bc2be4bd9ce752c3425"
ID: Final = re.compile(r"[0-9a-f]{32}\Z", re.ASCII)

# Events about one row each (`<entity>.written`): which association leads from an order to that row.
ORDER_PARTS: Final = {
    "order": "id",
    "order_address": "addresses.id",
    "order_customer": "orderCustomer.id",
    "order_delivery": "deliveries.id",
    "order_line_item": "lineItems.id",
    "order_transaction": "transactions.id",
    "order_transaction_capture": "transactions.captures.id",
    "order_transaction_capture_refund": "transactions.captures.refunds.id",
}
PRODUCT: Final = "product"
# Without a webhook for it, changes are only pulled: every save of an order sends it.
NEEDED_EVENTS: Final = ("order.written",)
# Shopware switches a webhook off at ten failures in a row.
MANY_ERRORS: Final = 5
ORDER_EVENT_PREFIXES: Final = (
    "checkout.order.",
    "state_enter.order",
    "state_leave.order",
    "order.",
    "order_",
)
PRODUCT_EVENT_PREFIXES: Final = ("product.", "product_price.")
# Known, and nothing follows from them.
IRRELEVANT_PREFIXES: Final = (
    "app.",
    "category.",
    "checkout.customer.",
    "contact_form.",
    "customer.",
    "customer_",
    "document.",
    "media.",
    "newsletter.",
    "product_",
    "review_form.",
    "sales_channel.",
    "sales_channel_domain.",
    "shopware.",
    "system_config.",
    "user.",
)
DELETE: Final = "delete"

# Order states.
OPEN: Final = "open"
IN_PROGRESS: Final = "in_progress"
COMPLETED: Final = "completed"
CANCELLED: Final = "cancelled"

# Transaction states. One payment attempt each; an order may have several.
PAID: Final = "paid"
PAID_PARTIALLY: Final = "paid_partially"
REFUNDED: Final = "refunded"
CHARGEBACK: Final = "chargeback"
# The money came in full, whatever became of it afterwards.
TAKEN_STATES: Final = frozenset({PAID, REFUNDED, "refunded_partially", CHARGEBACK})
GONE_STATES: Final = frozenset({"failed", CANCELLED})
# Which of several attempts speaks for the order: any paid one, then reserved, then the newest that
# is alive, then the newest (mollie/Shopware6#1313).
TRANSACTION_RANK: Final = {
    **dict.fromkeys((PAID, PAID_PARTIALLY, REFUNDED, "refunded_partially", CHARGEBACK), 3),
    "authorized": 2,
    **dict.fromkeys(GONE_STATES, 0),
}
RANK_ALIVE: Final = 1
CLAIM_OF_TRANSACTION: Final = {
    PAID: ShopClaim.PROCESSING,
    PAID_PARTIALLY: ShopClaim.PROCESSING,
    "refunded_partially": ShopClaim.PROCESSING,
    CHARGEBACK: ShopClaim.PROCESSING,
    "authorized": ShopClaim.PROCESSING,
    REFUNDED: ShopClaim.REFUNDED,
    "failed": ShopClaim.FAILED,
    CANCELLED: ShopClaim.FAILED,  # the customer gave this attempt up; another may follow
    "reminded": ShopClaim.ON_HOLD,
}
DONE: Final = "completed"  # of captures and refunds

# Delivery states after which the shop's goods are gone.
SENT_STATES: Final = frozenset({"shipped", "returned", "returned_partially"})

# Methods that Shopware brings: nobody is redirected, so an open one is an order, not a try.
OFFLINE_METHODS: Final = frozenset(
    {
        "payment_invoicepayment",
        "payment_prepayment",
        "payment_cashpayment",
        "payment_debitpayment",
    }
)
_CORE_HANDLER = re.compile(r"Shopware\\Core\\[\w\\]+\\(\w+)\Z")

# Two readings of one millisecond: the one further along this list is the later one.
PROGRESS: Final = {
    ShopClaim.PENDING: 0,
    ShopClaim.FAILED: 1,
    ShopClaim.ON_HOLD: 2,
    ShopClaim.PROCESSING: 3,
    ShopClaim.OTHER: 4,
    ShopClaim.COMPLETED: 5,
    ShopClaim.CANCELLED: 6,
    ShopClaim.REFUNDED: 7,
}

# Line types whose amount lowers the order or belongs to no article.
CHARGE_TYPES: Final = frozenset({"promotion", "discount", "credit", "surcharge", "payment_cost"})
DIGITAL: Final = frozenset({"is-download", "digital", "download"})
PHYSICAL: Final = "is-physical"

# Custom fields of payment plugins: path inside customFields of the transaction or the order.
PAYMENT_ID_PATHS: Final = (
    ("stripe_payment_context", "payment", "payment_intent_id"),
    ("stripe_payment_context", "payment", "charge_id"),
    ("mollie_payments", "payment_id"),
    ("mollie_payments", "order_id"),
    ("swag_paypal_resource_id",),
    ("swag_paypal_order_id",),
)
# Ids that a provider's own events carry and that cannot mean anything else.
PROVIDER_ID: Final = re.compile(r"(?:pi|ch|py|tr|ord)_[A-Za-z0-9]{4,}\Z")
TEST_MARKERS: Final = {"swag_paypal_is_sandbox": True}


def method_key(technical_name: str, handler: str, formatted: str) -> str:
    """A payment method's key. Shops before 6.5.7 give no technical name.

    >>> handler = "Shopware\\\\Core\\\\Checkout\\\\Payment\\\\Cart\\\\PaymentHandler\\\\PrePayment"
    >>> method_key("", handler, "handler_shopware_prepayment")
    'payment_prepayment'
    """
    if technical_name:
        return technical_name
    core = _CORE_HANDLER.match(handler)
    return f"payment_{core.group(1).lower()}" if core else formatted or handler
