"""The credentials that the committed workflows refer to by fixed id, name and type.

The ids are part of the workflow files; secrets are not. A merchant makes credentials in n8n's
editor and `kette workflows install` binds them by type and name; the demo and the tests write them
with these ids before n8n starts for the first time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class CredentialRef:
    """A credential as a workflow names it."""

    id: str
    name: str
    type: str


KETTE_API = CredentialRef("ketteApi000000001", "Kette API", "ketteApi")
WOOCOMMERCE = CredentialRef("ketteWoo00000001", "WooCommerce", "wooCommerceApi")
SHOPIFY = CredentialRef("ketteShopify00001", "Shopify", "shopifyAccessTokenApi")
SHOPWARE = CredentialRef("ketteShopware0001", "Shopware", "oAuth2Api")
STRIPE = CredentialRef("ketteStripe000001", "Stripe", "stripeApi")
SENDCLOUD = CredentialRef("ketteSendcl000001", "Sendcloud", "httpBasicAuth")
MAIL = CredentialRef("ketteSmtp0000001", "Kette Mail", "smtp")

# The HTTP Request node takes the host from the action, so the credential must not pin one.
_ANY_HOST = {"allowedHttpRequestDomains": "all"}


@dataclass(frozen=True)
class CredentialValue:
    """A credential with its secret values, as n8n's import reads them."""

    ref: CredentialRef
    values: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return {
            "id": self.ref.id,
            "name": self.ref.name,
            "type": self.ref.type,
            "data": self.values,
        }


def kette_api(base_url: str, api_key: str) -> CredentialValue:
    return CredentialValue(KETTE_API, {"baseUrl": base_url, "apiKey": api_key})


def woocommerce(url: str, consumer_key: str, consumer_secret: str) -> CredentialValue:
    values = {
        "url": url,
        "consumerKey": consumer_key,
        "consumerSecret": consumer_secret,
        "includeCredentialsInQuery": False,
        **_ANY_HOST,
    }
    return CredentialValue(WOOCOMMERCE, values)


def shopify(domain: str, access_token: str, app_secret: str) -> CredentialValue:
    values = {
        "shopSubdomain": domain.partition(".")[0],
        "accessToken": access_token,
        "appSecretKey": app_secret,
        **_ANY_HOST,
    }
    return CredentialValue(SHOPIFY, values)


def shopware(url: str, client_id: str, client_secret: str) -> CredentialValue:
    """An integration of the shop. n8n keeps the token with the credential and asks for a new one
    when the shop answers 401."""
    values = {
        "grantType": "clientCredentials",
        "accessTokenUrl": f"{url}/api/oauth/token",
        "clientId": client_id,
        "clientSecret": client_secret,
        "authentication": "body",
        **_ANY_HOST,
    }
    return CredentialValue(SHOPWARE, values)


def stripe(secret_key: str) -> CredentialValue:
    return CredentialValue(STRIPE, {"secretKey": secret_key, **_ANY_HOST})


def sendcloud(public_key: str, secret_key: str) -> CredentialValue:
    return CredentialValue(SENDCLOUD, {"user": public_key, "password": secret_key, **_ANY_HOST})


def mail(host: str, port: int, user: str, password: str) -> CredentialValue:
    """The service's mail gateway on loopback, which speaks plain SMTP with a login."""
    values = {
        "host": host,
        "port": port,
        "secure": False,
        "disableStartTls": True,
        "user": user,
        "password": password,
    }
    return CredentialValue(MAIL, values)


def write_credentials(file: Path, values: Iterable[CredentialValue]) -> None:
    """Write a file for `n8n import:credentials`, readable by its owner; delete it after use."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump([value.document() for value in values], output)
