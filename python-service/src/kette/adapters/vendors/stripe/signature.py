"""Stripe's webhook signature: hex HMAC-SHA256 over "<t>.<raw body>", scheme v1.

The time t is part of what is signed, so a recorded delivery cannot be replayed later than the
tolerance. Several v1 come while a secret is being rolled; v0 is a test scheme and proves nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from kette.adapters.vendors.base import Delivery, SignatureError

SIGNATURE: Final = "stripe-signature"
TOLERANCE_S: Final = 300
_MOST_PARTS: Final = 50


def verify(delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """Raise SignatureError unless one of the secrets made one of the v1 signatures, in time."""
    header = delivery.headers.get(SIGNATURE)
    if not header:
        raise SignatureError("no Stripe-Signature header")
    if not secrets:
        raise SignatureError("no webhook secret is set up for this system")
    signed_at, claimed = _parts(header)
    age_s = delivery.received_at.timestamp() - int(signed_at)
    if abs(age_s) > TOLERANCE_S:
        side = "old" if age_s > 0 else "far in the future"
        raise SignatureError(f"the signature's time is too {side} (more than {TOLERANCE_S} s)")
    message = signed_at.encode() + b"." + delivery.body
    matches = [
        hmac.compare_digest(hmac.digest(secret, message, hashlib.sha256).hex().encode(), v1)
        for secret in secrets
        for v1 in claimed
    ]
    if not any(matches):
        raise SignatureError("the signature does not match the body")


def _parts(header: str) -> tuple[str, list[bytes]]:
    signed_at = ""
    claimed: list[bytes] = []
    for part in header.split(",", _MOST_PARTS)[:_MOST_PARTS]:
        name, _, value = part.strip().partition("=")
        if name == "t":
            signed_at = value
        elif name == "v1":
            claimed.append(value.encode("utf-8", "replace"))
    if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 12):
        raise SignatureError("the signature header carries no time")
    if not claimed:
        raise SignatureError("the signature header carries no v1 signature")
    return signed_at, claimed
