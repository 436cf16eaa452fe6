"""Orders without end, made of the recorded ones: each with its own number, customer and basket.

A template is a recorded delivery cut at the places that change, so that making a request costs
little more than its signature. Amounts, taxes, addresses and odd texts stay as a real shop sent
them.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

RECORDED = Path("fixtures/vendors/woocommerce/deliveries.jsonl")
# Where the service's clock stands during a run, so that due dates fall alike on every day of use.
START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
SHOP_ZONE = timedelta(hours=1)  # of the recorded shop in winter
FIRST_ID = 1_000_000
SPACING_S = 0.36  # 10,000 orders an hour; 200,000 of them are younger than any reminder
PRODUCTS = 40  # so many articles stand in for each recorded one

_SLOT = re.compile(rb"7{9}(\d\d)|slot-(\d\d)-slot")
_TIMES = ("date_created", "date_modified", "date_paid", "date_completed")
_TEXT = "slot-{:02d}-slot"
_ID, _KEY, _MAIL, _UTC, _LOCAL, _PAYMENT, _PERSON = range(7)
_PRODUCT = 10  # and up: one slot per recorded product


class Template:
    """One recorded order, ready to be filled in."""

    def __init__(self, body: dict[str, Any], topic: str) -> None:
        self.topic = topic
        self._products: list[int] = []
        # As PHP writes JSON: ASCII only, slashes escaped.
        text = json.dumps(self._cut(copy.deepcopy(body)), separators=(",", ":"))
        pieces = _SLOT.split(text.replace("/", "\\/").encode())
        self._fixed = pieces[::3]
        self._slots = [int(a or b) for a, b in zip(pieces[1::3], pieces[2::3], strict=True)]

    def _cut(self, body: dict[str, Any]) -> dict[str, Any]:
        number = str(body["id"])
        named = _number(_ID)
        for link in body.get("_links", {}).get("self", []):
            link["href"] = link["href"].replace(f"/{number}", f"/{named}")
        body |= {
            "id": named,
            "number": str(named),
            "order_key": _TEXT.format(_KEY),
            "payment_url": body["payment_url"].replace(f"/{number}/", f"/{named}/"),
        }
        if body["billing"].get("email"):
            body["billing"]["email"] = _TEXT.format(_MAIL)
        for address in (body["billing"], body["shipping"]):
            if address.get("last_name"):
                address["last_name"] += f" {_TEXT.format(_PERSON)}"
        if body["customer_id"]:
            body["customer_id"] = named
        if body["transaction_id"]:
            body["transaction_id"] = _TEXT.format(_PAYMENT)
        for name in _TIMES:
            if body.get(name):
                body[name], body[f"{name}_gmt"] = _TEXT.format(_LOCAL), _TEXT.format(_UTC)
        for line in body["line_items"]:
            if line["product_id"]:
                if line["product_id"] not in self._products:
                    self._products.append(line["product_id"])
                place = self._products.index(line["product_id"])
                line["product_id"] = _number(_PRODUCT + place) if place < 80 else 1
        return body

    def fill(self, n: int, *, one_basket: bool = False) -> bytes:
        """The n-th order. one_basket: everybody buys the same, as on a day with one offer."""
        placed = START - timedelta(hours=20) + timedelta(seconds=n * SPACING_S)
        values = {
            _ID: str(FIRST_ID + n),
            _KEY: f"wc_order_{n:013d}",
            _MAIL: f"kunde-{n}@example.org",
            _UTC: placed.strftime("%Y-%m-%dT%H:%M:%S"),
            _LOCAL: (placed + SHOP_ZONE).strftime("%Y-%m-%dT%H:%M:%S"),
            _PAYMENT: f"pi_{n:024d}",
            _PERSON: f"N{n}",
        }
        variant = 0 if one_basket else n % PRODUCTS
        for place, product in enumerate(self._products[:80]):
            values[_PRODUCT + place] = str(product + 10_000 * variant)
        filled = [self._fixed[0]]
        for slot, fixed in zip(self._slots, self._fixed[1:], strict=True):
            filled += (values[slot].encode(), fixed)
        return b"".join(filled)


def _number(slot: int) -> int:
    return int(f"777777777{slot:02d}")


class Shop:
    """Hands out orders and the headers that the shop would send with them."""

    def __init__(self, project: Path, secret: str, *, one_basket: bool = False) -> None:
        self._secret = secret.encode()
        self._one_basket = one_basket
        self._templates = read_templates(project / RECORDED)

    def order(self, n: int) -> tuple[dict[str, str], bytes]:
        template = self._templates[n % len(self._templates)]
        body = template.fill(n, one_basket=self._one_basket)
        digest = hmac.new(self._secret, body, hashlib.sha256).digest()
        resource, event = template.topic.split(".")
        headers = {
            "user-agent": "WooCommerce/11.0.1 Hookshot (WordPress/7.0.4)",
            "accept": "*/*",
            "content-type": "application/json",
            "x-wc-webhook-source": "https://nordlicht-laden.example/",
            "x-wc-webhook-topic": template.topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": base64.b64encode(digest).decode(),
            "x-wc-webhook-id": "8",
            "x-wc-webhook-delivery-id": f"{n:032x}",
        }
        return headers, body


def read_templates(file: Path) -> list[Template]:
    """Every recorded order, whatever its status; not the errors that a shop delivers instead."""
    found = []
    for line in file.read_bytes().split(b"\n"):
        if not line.strip():
            continue
        row = msgspec.json.decode(line)
        topic = row["headers"].get("X-WC-Webhook-Topic", "")
        if topic not in ("order.created", "order.updated"):
            continue
        body = json.loads(row["raw_body"])
        if "id" in body and body.get("billing") is not None:
            found.append(Template(body, topic))
    return found
