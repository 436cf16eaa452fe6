"""WooCommerce's webhook signature: base64 of HMAC-SHA256 over the raw body.

One delivery comes unsigned: the ping that a shop sends when a webhook is saved. It carries nothing
but the webhook's number, so letting exactly that shape through gives nothing away.
Source: WooCommerce 11.0.1, WC_Webhook::generate_signature and ::deliver_ping.
"""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.webhook_secret import check_base64_hmac
from kette.adapters.vendors.woocommerce.vocabulary import PING_BODY

SIGNATURE = "x-wc-webhook-signature"
TOPIC = "x-wc-webhook-topic"


def is_ping(delivery: Delivery) -> bool:
    """An unsigned, form-encoded `webhook_id=<digits>` without topic; nothing else."""
    headers = delivery.headers
    content_type = headers.get("content-type", "").split(";")[0].strip().lower()
    return (
        SIGNATURE not in headers
        and TOPIC not in headers
        and content_type in ("", "application/x-www-form-urlencoded")
        and PING_BODY.match(delivery.body) is not None
    )


def verify(delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """Raise SignatureError unless one of the secrets made the signature of these very bytes."""
    if is_ping(delivery):
        return
    given = delivery.headers.get(SIGNATURE, "")
    check_base64_hmac(delivery.body, given, secrets, "X-WC-Webhook-Signature")
