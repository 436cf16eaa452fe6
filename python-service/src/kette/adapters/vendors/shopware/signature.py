"""Shopware's app signature: lower-case hex of HMAC-SHA256 over the raw body.

The secret is the one that the app gave the shop when it registered; while it is being changed, two
are valid. The body says when it was sent (`timestamp`) and by which shop (`source.shopId`). An old
delivery does no harm here (facts are recorded once, and an event leads to reading the shop as it is
now), so its age is limited only where the setup asks for it: n8n keeps failed deliveries for days.
Source: shopware/docs, guides/plugins/apps/webhook.md and app-signature-verification.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

from kette.adapters.vendors.base import Delivery, SignatureError, UnknownPayloadError
from kette.adapters.vendors.fields import line_of_text, mapping, unix_instant
from kette.adapters.vendors.shopware.payload import read_json

SIGNATURE: Final = "shopware-shop-signature"
SHOP_ID: Final = "shop_id"
MAX_AGE: Final = "signature_max_age_s"

_HEX = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)


def verify(delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """Raise SignatureError unless one of the secrets made the signature of these very bytes."""
    given = delivery.headers.get(SIGNATURE)
    if not given:
        raise SignatureError("no shopware-shop-signature header")
    if not secrets:
        raise SignatureError("no webhook secret is set up for this system")
    claimed = given.strip().lower()
    if not _HEX.match(claimed):
        raise SignatureError("the signature is not a SHA-256 in hexadecimal digits")
    proof = bytes.fromhex(claimed)
    matches = [
        hmac.compare_digest(hmac.digest(secret, delivery.body, hashlib.sha256), proof)
        for secret in secrets
    ]
    if not any(matches):
        raise SignatureError("the signature does not match the body")
    _check_sender(delivery)


def _check_sender(delivery: Delivery) -> None:
    """What the setup wants to know of a proven sender: the right shop, not too long ago."""
    options = delivery.system.options
    if SHOP_ID not in options and MAX_AGE not in options:
        return
    try:
        body = mapping(read_json(delivery.body, "signature"))
    except UnknownPayloadError:
        return  # translate refuses it with the reason
    if SHOP_ID in options:
        told = line_of_text(mapping(body.get("source")).get("shopId"))
        if told not in options[SHOP_ID].replace(",", " ").split():
            raise SignatureError(f"the body names shop {told[:60]!r}, which is not this one")
    if MAX_AGE in options:
        sent_at = unix_instant(body.get("timestamp"))
        if sent_at is None:
            raise SignatureError("the body has no timestamp, and the setup limits its age")
        if abs((delivery.received_at - sent_at).total_seconds()) > int(options[MAX_AGE]):
            raise SignatureError("the timestamp in the body is too old or in the future")
