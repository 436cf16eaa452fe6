"""WooCommerce's words, as data: topics, statuses, and the keys under which plugins keep things.

Extend the tables here; `translate.py` holds no vendor word of its own. Sources in README.md.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from kette.domain.order import ShopClaim

PING_BODY: Final = re.compile(rb"webhook_id=\d{1,20}\Z")

ORDER_TOPICS: Final = frozenset({"order.created", "order.updated", "order.restored"})
# Without a webhook of these, changes are only pulled. order.created fires before payment.
NEEDED_TOPICS: Final = ("order.created", "order.updated")
ORDER_DELETED: Final = "order.deleted"
ORDER_RESTORED: Final = "order.restored"
PRODUCT_TOPICS: Final = frozenset({"product.created", "product.updated", "product.restored"})
PRODUCT_DELETED: Final = "product.deleted"
# Known, and nothing follows from them: customers and coupons reach us inside orders.
IRRELEVANT_PREFIXES: Final = ("customer.", "coupon.", "subscription.", "action.")

CLAIMS: Final = {
    "pending": ShopClaim.PENDING,
    "on-hold": ShopClaim.ON_HOLD,
    "processing": ShopClaim.PROCESSING,
    "completed": ShopClaim.COMPLETED,
    "cancelled": ShopClaim.CANCELLED,
    "refunded": ShopClaim.REFUNDED,
    "failed": ShopClaim.FAILED,
}
# Carts that a customer has not yet turned into an order; the block checkout saves them as orders.
DRAFT_STATUSES: Final = frozenset({"checkout-draft", "auto-draft", "draft", "new"})
TRASH_STATUS: Final = "trash"

# Two bodies of one order within one second: the one further along this list is the later one.
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

ORIGINS: Final = {
    "checkout": "checkout",  # classic checkout form
    "store-api": "checkout",  # block checkout
    "admin": "admin",
    "rest-api": "api",
}
CHECKOUT_ORIGIN: Final = "checkout"

# Last part of a meta key, after a prefix such as "_billing_" or "_wc_billing/<plugin>/" and without
# separators. Germanized, EU VAT Number, EU VAT Assistant, WPFactory, YITH, block checkout fields.
VAT_ID_STEMS: Final = frozenset(
    {
        "vat",
        "vatid",
        "vatno",
        "vatnr",
        "vatnumber",
        "vatcode",
        "vatregno",
        "vatregistrationnumber",
        "euvat",
        "euvatid",
        "euvatno",
        "euvatnumber",
        "ustid",
        "ustidnr",
        "ustidnummer",
        "ustident",
        "ustidentnr",
        "uid",
        "uidnr",
        "uidnummer",
        "umsatzsteuerid",
        "umsatzsteueridnr",
        "mwstnr",
        "tva",
        "numtva",
        "tvaintra",
        "tvaintracom",
        "tvaintracommunautaire",
        "btw",
        "btwnr",
        "btwnummer",
        "partitaiva",
        "piva",
        "yweuvat",
        "ywevvatnumber",
        "moms",
        "momsnr",
        "vatin",
        "taxid",
    }
)
_KEY_PREFIXES: Final = re.compile(r"^_*(?:(?:wc|woocommerce|customer|billing|company|shipping)_+)*")

LANGUAGE_KEYS: Final = frozenset(
    {
        "wpml_language",  # WPML, WooCommerce Multilingual
        "_wpml_language",
        "pll_language",  # Polylang
        "_pll_language",
        "trp_language",  # TranslatePress
        "weglot_language",
        "_weglot_language",
        "_order_language",
        "order_language",
        "_language",
        "_locale",
    }
)
# Where payment plugins keep the provider's id besides transaction_id.
PAYMENT_ID_KEYS: Final = frozenset(
    {
        "_stripe_intent_id",  # WooCommerce Stripe Gateway
        "_stripe_charge_id",
        "_payment_intent_id",  # Payment Plugins for Stripe
        "_intent_id",  # WooPayments
        "_charge_id",
        "_mollie_payment_id",
        "_mollie_order_id",
        "_ppcp_paypal_order_id",
    }
)
PROVIDER_ID: Final = re.compile(r"(?:pi|ch|py|tr|ord|cap)_[A-Za-z0-9]{4,}\Z")
TEST_MARKERS: Final = {
    "_wcpay_mode": "test",  # WooPayments
    "_stripe_mode": "test",
    "_wc_stripe_mode": "test",  # Payment Plugins for Stripe
    "_mollie_payment_mode": "test",
    "_ppcp_paypal_payment_mode": "sandbox",
}
GIFT_CARD_KEYS: Final = frozenset({"_ywgc_applied_gift_cards"})  # YITH: {code: amount}


@lru_cache(maxsize=2048)  # the same few keys come with every order of a shop
def vat_stem(key: str) -> str:
    """The part of a meta key that tells what it holds.

    >>> vat_stem("_billing_vat_number"), vat_stem("_wc_billing/nordlicht/ust-id")
    ('vatnumber', 'ustid')
    """
    tail = _KEY_PREFIXES.sub("", key.rsplit("/", 1)[-1].lower())
    return tail.replace("_", "").replace("-", "").replace(" ", "").replace(".", "")
