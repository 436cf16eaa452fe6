"""Shopify's words, as data: topics, statuses, gateways. Sources in README.md.

Extend the tables here; the other modules hold as few vendor words as they can.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from kette.domain.facts import DisputeState, ParcelState, RefundState
from kette.domain.order import ShopClaim


class Kind(StrEnum):
    """What a body is about; each kind has one reader in translate.py."""

    ORDER = "order"
    ORDER_EDIT = "order_edit"
    ORDER_DELETED = "order_deleted"
    RISK = "risk"
    REFUND = "refund"
    TRANSACTION = "transaction"
    FULFILLMENT = "fulfillment"
    FULFILLMENT_EVENT = "fulfillment_event"
    FULFILLMENT_ORDER = "fulfillment_order"
    RETURN = "return"
    DISPUTE = "dispute"
    PAYOUT = "payout"
    PRODUCT = "product"
    PRODUCT_DELETED = "product_deleted"
    DRAFT = "draft"
    IRRELEVANT = "irrelevant"


_ORDER_VERBS: Final = ("create", "updated", "paid", "cancelled", "fulfilled", "partially_fulfilled")
TOPICS: Final[dict[str, Kind]] = {
    **{f"orders/{verb}": Kind.ORDER for verb in _ORDER_VERBS},
    "orders/edited": Kind.ORDER_EDIT,
    "orders/delete": Kind.ORDER_DELETED,
    "orders/risk_assessment_changed": Kind.RISK,
    "orders/shopify_protect_eligibility_changed": Kind.IRRELEVANT,
    "orders/link_requested": Kind.IRRELEVANT,
    "refunds/create": Kind.REFUND,
    "order_transactions/create": Kind.TRANSACTION,
    "fulfillments/create": Kind.FULFILLMENT,
    "fulfillments/update": Kind.FULFILLMENT,
    "fulfillment_events/create": Kind.FULFILLMENT_EVENT,
    "fulfillment_events/delete": Kind.IRRELEVANT,
    "disputes/create": Kind.DISPUTE,
    "disputes/update": Kind.DISPUTE,
    "products/create": Kind.PRODUCT,
    "products/update": Kind.PRODUCT,
    "products/delete": Kind.PRODUCT_DELETED,
}
# Without a subscription to these, changes are only pulled.
NEEDED_TOPICS: Final = ("orders/create", "orders/updated")
TOPIC_PREFIXES: Final[tuple[tuple[str, Kind], ...]] = (
    ("fulfillment_orders/", Kind.FULFILLMENT_ORDER),
    ("fulfillment_holds/", Kind.FULFILLMENT_ORDER),
    ("returns/", Kind.RETURN),
    ("draft_orders/", Kind.DRAFT),
)
# Known, and nothing follows from them: what matters of them reaches us inside orders.
IRRELEVANT_PREFIXES: Final = (
    *("app/scopes", "app_purchases", "app_subscriptions", "audit_events/", "bulk_operations/"),
    *("carts/", "channels/", "checkouts/", "collection_listings/", "collection_publications/"),
    *("collections/", "companies/", "company_", "customer.", "customer_", "customers/"),
    *("customers_", "delivery_promise", "discounts/", "domains/", "finance_", "inventory_"),
    *("locales/", "locations/", "markets", "metafield_definitions/", "metaobjects/"),
    *("payment_schedules/", "payment_terms/", "price_lists/", "product_feeds/"),
    *("product_listings/", "product_publications/", "profiles/", "publications/"),
    *("reverse_deliveries/", "reverse_fulfillment_orders/", "scheduled_product_listings/"),
    *("segments/", "selling_plan_groups/", "shop/update", "subscription_", "tax_"),
    *("tender_transactions/", "themes/", "variants/"),
)
# A person has to act on these: the law sets a term for the first, silence follows the last.
ALARMS: Final = {
    "customers/redact": "a customer's data has to be erased; see the shop's privacy requests",
    "customers/data_request": "a customer asks for the data kept of them",
    "shop/redact": "the shop left and its data has to be erased",
    "app/uninstalled": "the app was uninstalled; the shop sends nothing more until it is back",
}

GID_KINDS: Final = {
    "Order": Kind.ORDER,
    "DraftOrder": Kind.DRAFT,
    "Refund": Kind.REFUND,
    "OrderTransaction": Kind.TRANSACTION,
    "Fulfillment": Kind.FULFILLMENT,
    "FulfillmentEvent": Kind.FULFILLMENT_EVENT,
    "FulfillmentOrder": Kind.FULFILLMENT_ORDER,
    "Return": Kind.RETURN,
    "ShopifyPaymentsDispute": Kind.DISPUTE,
    "ShopifyPaymentsPayout": Kind.PAYOUT,
    "Product": Kind.PRODUCT,
    "InventoryLevel": Kind.IRRELEVANT,
    "Customer": Kind.IRRELEVANT,
    "ShopifyPaymentsBalanceTransaction": Kind.IRRELEVANT,
    "TenderTransaction": Kind.IRRELEVANT,
}
# Wrappers of REST answers, singular and plural.
WRAPPERS: Final = {
    "order": Kind.ORDER,
    "order_edit": Kind.ORDER_EDIT,
    "refund": Kind.REFUND,
    "transaction": Kind.TRANSACTION,
    "fulfillment": Kind.FULFILLMENT,
    "fulfillment_event": Kind.FULFILLMENT_EVENT,
    "fulfillment_order": Kind.FULFILLMENT_ORDER,
    "return": Kind.RETURN,
    "dispute": Kind.DISPUTE,
    "payout": Kind.PAYOUT,
    "product": Kind.PRODUCT,
    "draft_order": Kind.DRAFT,
    "inventory_level": Kind.IRRELEVANT,
    "tender_transaction": Kind.IRRELEVANT,
    "balance_transaction": Kind.IRRELEVANT,
    "customer": Kind.IRRELEVANT,
}

# Financial statuses, without a cancellation. The shop has no status of its own for the order.
CLAIMS: Final = {
    "pending": ShopClaim.ON_HOLD,  # placed for good; the money is still to come
    "authorized": ShopClaim.ON_HOLD,
    "partially_paid": ShopClaim.PROCESSING,  # the amounts hold the goods back, not the claim
    "paid": ShopClaim.PROCESSING,
    "partially_refunded": ShopClaim.PROCESSING,
    "refunded": ShopClaim.REFUNDED,
    "voided": ShopClaim.FAILED,  # the reservation was dropped
    "expired": ShopClaim.FAILED,
}
PAID_STATUSES: Final = frozenset({"paid", "partially_paid", "partially_refunded", "refunded"})
# Two bodies of one order within one second: one that ended the order is the later one, then one
# that is paid, then the one further along this list.
PROGRESS: Final = {
    ShopClaim.PENDING: 0,
    ShopClaim.FAILED: 1,
    ShopClaim.PROCESSING: 2,
    ShopClaim.ON_HOLD: 3,  # a hold that only one of two shapes tells must not get lost
    ShopClaim.OTHER: 4,
    ShopClaim.COMPLETED: 5,
    ShopClaim.REFUNDED: 6,
    ShopClaim.CANCELLED: 7,
}
OVER: Final = frozenset({ShopClaim.REFUNDED, ShopClaim.CANCELLED})
FULFILLMENT_HOLD: Final = "on_hold"

ORIGINS: Final = {
    "web": "checkout",
    "checkout": "checkout",
    "shopify_draft_order": "admin",
    "pos": "pos",
    "iphone": "pos",
    "android": "pos",
}

# Gateways as merchants name them, in the words of the setup's payment rules. First match counts.
GATEWAYS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), method)
    for pattern, method in (
        (r"cash[ _-]on[ _-]delivery|\bcod\b|nachnahme", "cod"),
        (r"klarna", "klarna"),
        (r"paypal", "paypal"),
        (r"rechnung|invoice|\bnet ?\d+|pay_?later|kauf auf", "invoice"),
        (
            r"bank|vorkasse|\bwire\b|überweisung|ueberweisung|virement|bonifico|sepa transfer",
            "bacs",
        ),
        (r"money[ _-]order|che(?:que|ck)\b|scheck", "cheque"),
        (r"^cash$|^bar(?:zahlung)?$", "cash"),
    )
)
GIFT_CARD: Final = "gift_card"
# Gateways by their technical names -> what a customer calls them: German, English. What merchants
# type as the name of a way to pay stays as typed.
GATEWAY_TITLES: Final = {
    "amazon_payments": ("Amazon Pay", "Amazon Pay"),
    "apple_pay": ("Apple Pay", "Apple Pay"),
    "authorize_net": ("Kartenzahlung (Authorize.net)", "Card payment (Authorize.net)"),
    "bank_deposit": ("Überweisung", "Bank transfer"),
    "bogus": ("Testzahlung", "Test payment"),
    "cash": ("Barzahlung", "Cash"),
    "cash_on_delivery": ("Nachnahme", "Cash on delivery"),
    "gift_card": ("Gutschein", "Gift card"),
    "google_pay": ("Google Pay", "Google Pay"),
    "ideal": ("iDEAL", "iDEAL"),
    "manual": ("Manuell erfasste Zahlung", "Payment recorded by hand"),
    "money_order": ("Zahlungsanweisung", "Money order"),
    "paypal": ("PayPal", "PayPal"),
    "paypal_express": ("PayPal", "PayPal"),
    "shop_cash": ("Shop Cash", "Shop Cash"),
    "shop_pay_installments": ("Ratenzahlung (Shop Pay)", "Instalments (Shop Pay)"),
    "shopify_installments": ("Ratenzahlung (Shop Pay)", "Instalments (Shop Pay)"),
    "shopify_payments": ("Online-Zahlung (Shopify Payments)", "Online payment (Shopify Payments)"),
    "shopify_store_credit": ("Guthaben", "Store credit"),
    "store_credit": ("Guthaben", "Store credit"),
    "stripe": ("Online-Zahlung (Stripe)", "Online payment (Stripe)"),
    "twint": ("TWINT", "TWINT"),
}
TERMS_TITLE: Final = ("Zahlungsziel", "Payment terms")
PAY_LATER: Final = frozenset({"cod", "invoice"})

PARCEL_STATES: Final = {
    "pending": ParcelState.ANNOUNCED,
    "open": ParcelState.ANNOUNCED,
    "success": ParcelState.SHIPPED,
    "cancelled": ParcelState.CANCELLED,
    "error": ParcelState.FAILED,
    "failure": ParcelState.FAILED,
}
# What a carrier's events make of a fulfillment that succeeded.
SHIPMENT_STATES: Final = {
    "label_printed": ParcelState.ANNOUNCED,
    "label_purchased": ParcelState.ANNOUNCED,
    "label_voided": ParcelState.ANNOUNCED,
    "ready_for_pickup": ParcelState.ANNOUNCED,
    "confirmed": ParcelState.ANNOUNCED,
    "submitted": ParcelState.ANNOUNCED,
    "carrier_picked_up": ParcelState.SHIPPED,
    "in_transit": ParcelState.SHIPPED,
    "out_for_delivery": ParcelState.SHIPPED,
    "fulfilled": ParcelState.SHIPPED,
    "marked_as_fulfilled": ParcelState.SHIPPED,
    "attempted_delivery": ParcelState.DELAYED,
    "delayed": ParcelState.DELAYED,
    "failure": ParcelState.DELAYED,
    "not_delivered": ParcelState.DELAYED,
    "delivered": ParcelState.DELIVERED,
    "picked_up": ParcelState.DELIVERED,
    "canceled": ParcelState.CANCELLED,
}

REFUND_STATES: Final = {
    "success": RefundState.SUCCEEDED,
    "pending": RefundState.PENDING,
    "awaiting_response": RefundState.PENDING,
    "unknown": RefundState.PENDING,
    "failure": RefundState.FAILED,
    "error": RefundState.FAILED,
}
MONEY_MOVES: Final = frozenset({"success", "pending", "awaiting_response", "unknown"})

DISPUTE_STATES: Final = {
    "needs_response": DisputeState.NEEDS_RESPONSE,
    "under_review": DisputeState.UNDER_REVIEW,
    "won": DisputeState.WON,
    "prevented": DisputeState.WON,
    # The money went back as a refund, which is told on its own: it must not count twice.
    "charge_refunded": DisputeState.WON,
    "accepted": DisputeState.LOST,
    "lost": DisputeState.LOST,
}
DISPUTE_OPEN: Final = frozenset({"needs_response", "under_review"})

# The shop's recommendation and risk levels as the words that the risk rules know.
RISK_LEVELS: Final = {
    "accept": "normal",
    "low": "normal",
    "investigate": "elevated",
    "medium": "elevated",
    "cancel": "highest",
    "high": "highest",
    "pending": "pending",
}

# Ids of payment providers that speak to us on their own account.
PROVIDER_ID: Final = re.compile(r"(?:pi|ch|py|tr|ord|cap)_[A-Za-z0-9]{4,}\Z")
# Names under which cart forms ask for a VAT id, whole words only: "Custom text" and "Private note"
# ask for something else. Under the doubtful ones only the form of a VAT id counts.
VAT_NAMES: Final = re.compile(
    r"\b(?:(?:eu)?vat(?:id|no|nr|number|in)?|ust(?:id|idnr|idnummer|identnr)?|umsatzsteuer\w*"
    r"|mwst(?:nr|nummer)?|btw(?:nr|nummer)?|tva(?:intra\w*)?|moms(?:nr)?|partita iva|piva)\b"
)
DOUBTFUL_VAT_NAMES: Final = re.compile(r"\b(?:uid(?:nr|nummer)?|steuernummer|tax ?id|tax number)\b")
KETTE_KEY: Final = re.compile(r"\[(refund_payment:[^\]\s]{1,200})\]")
