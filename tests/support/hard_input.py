"""What people and attackers type: 485 public strings, random bytes, very long and foreign lines."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kette.adapters.vendors.base import Adapter, Delivery, UnknownPayloadError
from kette.adapters.vendors.shopify import ShopifyAdapter
from kette.adapters.vendors.shopware import ShopwareAdapter
from kette.adapters.vendors.woocommerce import WooCommerceAdapter
from kette.domain.address import normalize_address
from kette.domain.duplicates import fingerprint
from kette.domain.order import Address
from kette.domain.policy import RiskPolicy
from kette.domain.risk import RiskSignals, assess_risk
from kette.domain.validation import validate_order
from kette.policies import load_intake_data

from support.intake_orders import SETUP, order
from support.naughty import NAUGHTY
from support.shopify_orders import SHOPIFY, order_body
from support.shopware_orders import SHOPWARE, order_row
from support.vendor_deliveries import NOW, WOO
from support.woo_orders import changed

FOLDER = Path(__file__).parents[2] / "fixtures" / "naughty"
DATA = load_intake_data()
LONG = 10_000
_UNITS = (
    *("1", "a", " ", ",", ".", "-", "/", "(", '"', "\u200b", "\u202e", "ß", "😀", "👋🏽", "ع", "ש"),
    *("1-", "12 ", "a ", "1 1/2 ", "12a-", "c/o ", "Hauptstr. ", "Straße 1 ", "Packstation "),
    *("Postnummer 1 ", "nicht ", "kein Geschenk ", "liefern am ", "falls ", "Rechnung an ", "12. "),
    *("call me on 1 ", "Nachbar (a ", "Nachbar a-'", "wie ", "&amp;", "<b>", "שלום 12 ", "رقم ١٢ "),
)


def strings() -> list[str]:
    """Each once; the long ones have 10,000 characters."""
    listed: list[str] = json.loads((FOLDER / "blns.json").read_text("utf-8"))
    chance = random.Random(485)
    noise = [chance.randbytes(chance.randint(1, 400)).decode("latin-1") for _ in range(60)]
    mixed = ["".join(chance.choices(_UNITS, k=1500))[:LONG] for _ in range(30)]
    lines = [(unit * LONG)[:LONG] for unit in _UNITS]
    return list(dict.fromkeys([*listed, *NAUGHTY, *noise, *mixed, *lines]))


def normalize(text: str) -> None:
    typed = Address(text, text, text, text, text, text, text, "DE", text, text)
    normalize_address(typed, DATA.address)


def judge(text: str) -> None:
    typed = Address(text, text, text, text, text, text, text, "DE", text, text)
    made = order(billing=typed, shipping=typed, customer_note=text, vat_id=text)
    validate_order(made, typed, SETUP, DATA)
    assess_risk(made, RiskSignals(), RiskPolicy(), DATA.risk)
    fingerprint(made, b"key")


def reader_of(shop: str) -> Callable[[str], None]:
    """Reads an order of the shop's adapter in which every free text is the given one."""
    adapter, system, body, headers = _SHOPS[shop]

    def read(text: str) -> None:
        told = _with_text(body, text)
        raw = json.dumps(told).encode()
        try:
            answer = adapter.translate(Delivery(system, headers, raw, NOW))
        except UnknownPayloadError:
            return
        assert answer.facts or answer.note

    return read


# What a customer or a plugin may fill with anything; ids, amounts and instants stay.
_FREE = frozenset(
    {"first_name", "last_name", "firstName", "lastName", "name", "company", "title", "label"}
    | {"address1", "address2", "address_1", "address_2", "street", "additionalAddressLine1"}
    | {"city", "zip", "zipcode", "postcode", "phone", "phoneNumber", "province", "state"}
    | {"note", "customer_note", "customerComment", "vatId", "value", "sku", "email"}
)


def _with_text(value: Any, text: str) -> Any:
    if isinstance(value, dict):
        return {
            key: text if key in _FREE and isinstance(inner, str) else _with_text(inner, text)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_with_text(inner, text) for inner in value]
    return value


_SHOPS: dict[str, tuple[Adapter, Any, Any, dict[str, str]]] = {
    "woocommerce": (WooCommerceAdapter(), WOO, changed(), {"x-wc-webhook-topic": "order.updated"}),
    "shopify": (
        ShopifyAdapter(),
        SHOPIFY,
        order_body("de_gross"),
        {"x-shopify-topic": "orders/updated"},
    ),
    "shopware": (ShopwareAdapter(), SHOPWARE, {"total": 1, "data": [order_row()]}, {}),
}
SHOPS = tuple(_SHOPS)


def readers() -> Iterator[tuple[str, Callable[[str], None]]]:
    yield "addresses/normalize", normalize
    yield "orders/validate", judge
    for shop in SHOPS:
        yield f"events of {shop}", reader_of(shop)


def slowest(read: Callable[[str], None], texts: list[str]) -> tuple[float, str]:
    """Milliseconds of processor time and the text that took them. Each is read once: answers are
    kept, so a second time would say nothing."""
    read("warm")
    return max((_took_ms(read, text), text) for text in texts)


def _took_ms(read: Callable[[str], None], text: str) -> float:
    started = time.process_time()
    read(text)
    return 1000 * (time.process_time() - started)
