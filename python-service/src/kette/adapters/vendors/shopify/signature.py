"""Shopify's webhook signature: base64 of HMAC-SHA256 over the raw body.

The key is the app's client secret, or for webhooks made by hand in the shop's admin the secret that
is shown there. After a rotation the old secret signs for up to an hour, so several may be valid.
Nothing in the signature dates it: a repeated delivery is recognised by what it says, not by age.
Source: shopify.dev, "Verify webhook deliveries", August to November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence

from kette.adapters.vendors.base import Delivery
from kette.adapters.vendors.webhook_secret import check_base64_hmac

# The second name belongs to the "Events" product that Shopify previews since 2026.
SIGNATURES = ("x-shopify-hmac-sha256", "shopify-hmac-sha256")


def verify(delivery: Delivery, secrets: Sequence[bytes]) -> None:
    """Raise SignatureError unless one of the secrets made the signature of these very bytes."""
    given = next((found for name in SIGNATURES if (found := delivery.headers.get(name))), "")
    check_base64_hmac(delivery.body, given, secrets, "X-Shopify-Hmac-Sha256")
