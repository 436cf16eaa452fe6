"""How Sendcloud proves itself.

Webhooks of an integration carry `Sendcloud-Signature`: hex HMAC-SHA256 of the raw body with the
integration's secret. Deliveries of Event Subscriptions (v3, beta) are not signed; they carry what
was set up with the connection: a bearer token, a password or an API key. One of these is accepted
only where the option `event_auth` (bearer, basic, api_key) allows it: it does not protect the body.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from kette.adapters.vendors.base import Delivery, SignatureError

SIGNATURE: Final = "sendcloud-signature"
_API_KEY: Final = "x-api-key"


def verify(delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """Raise SignatureError unless one of the secrets proves the delivery."""
    if not secrets:
        raise SignatureError("no webhook secret is set up for this system")
    signature = delivery.headers.get(SIGNATURE)
    if signature:
        given = signature.strip().lower().encode("utf-8", "replace")
        proofs = [hmac.digest(s, delivery.body, hashlib.sha256).hex().encode() for s in secrets]
        what = "the signature does not match the body"
    else:
        given = _credential(delivery)
        proofs = list(secrets)
        what = "the credential of the event connection is wrong"
    matches = [hmac.compare_digest(proof, given) for proof in proofs]
    if not any(matches):
        raise SignatureError(what)


def _credential(delivery: Delivery) -> bytes:
    """The secret that an unsigned delivery carries in its headers."""
    allowed = delivery.system.options.get("event_auth", "")
    if not allowed:
        raise SignatureError("no Sendcloud-Signature header")
    if allowed == "api_key":
        header = delivery.system.options.get("event_auth_header", _API_KEY).lower()
        found = delivery.headers.get(header, "").encode("utf-8", "replace")
    else:
        scheme, _, rest = delivery.headers.get("authorization", "").strip().partition(" ")
        found = rest.strip().encode("utf-8", "replace") if scheme.lower() == allowed else b""
        if allowed == "basic":
            found = _password(found)
    if not found:
        raise SignatureError(f"no {allowed} credential in the headers")
    return found


def _password(given: bytes) -> bytes:
    try:
        return base64.b64decode(given, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
