"""Stripe's words, as data. Sources and dates in README.md."""

from __future__ import annotations

import re
from typing import Final

from kette.domain.facts import DisputeState, RefundState

# Currencies: Stripe's own list, which differs from ISO 4217 (MGA), and its special cases.
ZERO_DECIMAL: Final = frozenset(
    {
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
        *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
    }
)
# Zero-decimal in life, two-decimal at Stripe, always ending in 00.
TWO_DECIMAL_BY_COMPATIBILITY: Final = frozenset({"ISK", "UGX"})
THREE_DECIMAL: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})
# HUF and TWD: payouts come in whole units, yet are written with two decimals: nothing to do.

REFUND_STATES: Final = {
    "succeeded": RefundState.SUCCEEDED,
    "pending": RefundState.PENDING,
    "requires_action": RefundState.PENDING,
    "failed": RefundState.FAILED,
    "canceled": RefundState.FAILED,
}
DISPUTE_STATES: Final = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.INQUIRY_CLOSED,
    "prevented": DisputeState.INQUIRY_CLOSED,
    "charge_refunded": DisputeState.INQUIRY_CLOSED,  # API versions before 2018
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}

PAYMENT_INTENT: Final = "payment_intent."
CHECKOUT: Final = "checkout.session."
PAYOUT: Final = "payout."
DISPUTE: Final = "charge.dispute."
CHARGE: Final = "charge."
REVIEW: Final = "review."
# charge.refund.updated and refund.* carry a refund; charge.refunded carries the charge.
REFUND_TYPES: Final = ("refund.", "charge.refund.")
FRAUD_WARNING: Final = "radar.early_fraud_warning."

# Known, and nothing follows from them here.
IRRELEVANT_PREFIXES: Final = (
    *("account.", "application_fee.", "balance.", "billing.", "billing_portal.", "capability."),
    *("cash_balance.", "climate.", "coupon.", "credit_note.", "customer.", "entitlements."),
    *("customer_cash_balance_transaction.", "external_account.", "file.", "financial_connections."),
    *("forwarding.", "identity.", "invoice.", "invoice_payment.", "invoiceitem.", "issuing_"),
    *("issuing.", "mandate.", "order.", "order_return.", "payment_link.", "payment_method."),
    *(
        "person.",
        "plan.",
        "price.",
        "product.",
        "promotion_code.",
        "quote.",
        "radar.",
        "recipient.",
    ),
    *("reporting.", "setup_intent.", "sigma.", "sku.", "source.", "subscription_schedule."),
    *("tax.", "tax_rate.", "terminal.", "test_helpers.", "topup.", "transfer.", "treasury."),
)

# Metadata keys under which integrations put the shop's id of an order, most trusted first.
ORDER_ID_KEYS: Final = (
    "woo_order_id",
    "wc_order_id",
    "woocommerce_order_id",
    "shop_order_id",
    "order_id",  # WooCommerce Stripe Gateway writes the order NUMBER here: see `references.py`
    "orderId",
    "order",
)
ORDER_NUMBER_KEYS: Final = ("order_number", "orderNumber", "order_no")
ORDER_KEY_KEYS: Final = ("order_key", "wc_order_key")
KETTE_ORDER_KEYS: Final = ("kette_order_id", "kette_order")
KETTE_KEY: Final = "kette_key"
KETTE_SHOP_KEYS: Final = ("kette_shop", "kette_channel")
SITE_KEYS: Final = ("site_url", "shop_url", "store_url")

# metadata.signature of the WooCommerce Stripe Gateway: <order id>:<md5 of id, key, customer, total>
ORDER_SIGNATURE: Final = re.compile(r"(\d{1,20}):[0-9a-f]{32}\Z", re.ASCII)
SHOP_ID: Final = re.compile(r"\d{1,20}\Z", re.ASCII)
KETTE_ID: Final = re.compile(r"ord_[A-Za-z0-9_-]{1,80}\Z", re.ASCII)
