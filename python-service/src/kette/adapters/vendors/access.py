"""Credentials for reading a shop's API from the command line. n8n has credentials of its own.

One entry per kind of shop: the names of the secrets in the setup, and how they are sent.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Mapping
from typing import Final

import httpx
import msgspec

from kette.domain.policy import System

_NONE: Final = "-"  # an empty one would be no header
_EARLY_S: Final = 60.0  # a token is renewed so long before it ends


class ShopifyToken(httpx.Auth):
    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["X-Shopify-Access-Token"] = self._token
        yield request


class ShopwareIntegration(httpx.Auth):
    """Client credentials; a token lives ten minutes and is used for as long."""

    requires_response_body = True

    def __init__(self, base_url: str, client_id: str, client_secret: str) -> None:
        self._url = f"{base_url}/api/oauth/token"
        self._grant = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._token = ""
        self._ends_at = 0.0

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if time.monotonic() >= self._ends_at:
            answer = yield httpx.Request("POST", self._url, json=self._grant)
            self._take(answer)
        request.headers["Authorization"] = f"Bearer {self._token}"
        request.headers["Accept"] = "application/json"
        yield request

    def _take(self, answer: httpx.Response) -> None:
        """A refusal is told by the request itself, which is answered with 401 then. A shop that
        cannot give a token now has not answered at all."""
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or answer.status_code >= 500:
            raise httpx.ConnectError("the shop gives no token now")
        try:
            told = json.loads(answer.content)
            self._token = str(told["access_token"])
            self._ends_at = time.monotonic() + float(told.get("expires_in", 600)) - _EARLY_S
        except (ValueError, KeyError, TypeError, AttributeError):
            self._token, self._ends_at = _NONE, 0.0


class Access(msgspec.Struct, frozen=True):
    """secrets: names in the setup's `secrets`; make: their values, in this order, as httpx needs
    them."""

    secrets: tuple[str, ...]
    make: Callable[[System, Mapping[str, str]], httpx.Auth]


ACCESS: Final[dict[str, Access]] = {
    "woocommerce": Access(
        ("consumer_key", "consumer_secret"),
        lambda _system, told: httpx.BasicAuth(told["consumer_key"], told["consumer_secret"]),
    ),
    "shopify": Access(("access_token",), lambda _system, told: ShopifyToken(told["access_token"])),
    "shopware": Access(
        ("client_id", "client_secret"),
        lambda system, told: ShopwareIntegration(
            system.base_url, told["client_id"], told["client_secret"]
        ),
    ),
}
