"""The signature that several shops use: Base64 of HMAC-SHA256 over the raw body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from kette.adapters.vendors.base import SignatureError


def check_base64_hmac(body: bytes, given: str, secrets: Sequence[bytes], header: str) -> None:
    """Raise SignatureError unless one of the secrets made the signature of these very bytes.
    header: its name, for the message where nothing was given."""
    if not given:
        raise SignatureError(f"no {header} header")
    if not secrets:
        raise SignatureError("no webhook secret is set up for this system")
    try:
        claimed = base64.b64decode(given.strip().encode("ascii", "strict"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureError("the signature is not base64") from error
    # Every secret is tried, so that the time tells nothing.
    matches = [
        hmac.compare_digest(hmac.digest(secret, body, hashlib.sha256), claimed)
        for secret in secrets
    ]
    if not any(matches):
        raise SignatureError("the signature does not match the body")
