"""Whatever is sent, the answer is an answer: never a 500, always a problem or a stored payload.

On SQLite and on PostgreSQL, which differ in what they take as text.
"""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from support.api_box import ApiBox, problem_of
from support.naughty import NAUGHTY
from support.service_box import (
    ServiceBox,
    card_order,
    sqlite_url,
    stripe_request,
    woo_id,
    woo_request,
)

WHO = {"by": "Ida", "why": "test"}
ADDRESS = {
    **{"name": "Anke Petersen", "company": "", "line1": "Hafenstr. 3", "line2": "", "region": ""},
    **{"postal_code": "22767", "city": "Hamburg", "country_code": "DE", "phone": "", "email": ""},
}
CANONICAL = {
    **{"channel": "woo-main", "external_id": "1", "number": "1", "version": "1"},
    **{"placed_at": "2026-11-23T20:00:00Z", "claim": "processing", "shop_status": "processing"},
    **{"currency": "EUR", "total": {"minor": 100, "currency": "EUR"}, "prices_include_tax": True},
    **{"total_tax": {"minor": 0, "currency": "EUR"}, "lines": [], "tax_by_rate": []},
    **{"billing": {"name": "x"}, "shipping": {"name": "y"}},
}
WOO_ORDER = card_order(102)
BODIES: dict[str, Any] = {
    "/v1/orders/{order}/corrections": {"address": ADDRESS, **WHO},
    "/v1/orders/{order}/approvals": {"subject": "risk", "approved": True, **WHO},
    "/v1/orders/{order}/notes": {"text": "x", "by": "Ida"},
    "/v1/orders/ord_none/cancel": WHO,
    "/v1/exceptions/exc_none/assign": {"owner": "x", **WHO},
    "/v1/exceptions/{exception}/assign": {"owner": "x", **WHO},
    "/v1/exceptions/exc_none/resolve": {"resolution": "done", **WHO},
    "/v1/exceptions/exc_none/snooze": {"until": "2027-01-01T00:00:00Z", **WHO},
    "/v1/actions/lease": {"stage": "returns", "max": 1, "kinds": ["restock"], "worker": "w"},
    "/v1/actions/report": {
        "results": [
            {"key": "x", "status": "done", "reference": "r", "answer": {"a": "b"}, "error": "e"},
        ]
    },
    "/v1/subscriptions": {"url": "http://127.0.0.1/", "stage": "returns", "name": "n"},
    "/v1/invoices": {"keys": ["x"]},
    "/v1/addresses/normalize": ADDRESS,
    "/v1/orders/validate": {"system_id": "woo-main", "order": CANONICAL},
    "/v1/orders/validate?": {"system_id": "woo-main", "order": WOO_ORDER},
    "/v1/risk/assess": {
        "system_id": "woo-main",
        "order": WOO_ORDER,
        "signals": {"card_country": "DE"},
    },
}
GETS = (
    *("/v1/orders/{}", "/v1/orders/{}/history", "/v1/subscriptions/{}", "/v1/invoices/{}"),
    *("/v1/invoices/{}.pdf", "/v1/orders?channel={}", "/v1/orders?external_id={}", "/v1/{}"),
    *("/v1/orders?number={}", "/v1/orders?status={}", "/v1/orders?cursor={}", "/v1/orders?from={}"),
    *("/v1/orders?status=payment:{}", "/v1/orders?limit={}", "/v1/exceptions?status={}"),
    *("/v1/exceptions?kind={}", "/v1/exceptions?owner={}", "/v1/exceptions?order_id={}"),
    *("/v1/exceptions?cursor={}", "/v1/exceptions?limit={}", "/v1/orders?to={}"),
)
WRONG: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**40, "", "x", [], {}, [[]], [None], {"a": None}, [1, "a"]),
    "\ud800",
    {"\x00": "\x00"},
    ["x"] * 2000,
)
Path_ = tuple[Any, ...]


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiBox]:
    if request.param == "sqlite":
        url = sqlite_url(tmp_path_factory.mktemp("naughty"))
    else:
        url = request.getfixturevalue("postgres_cluster").create_database()
    opened = ApiBox(ServiceBox(url))
    opened.woo(card_order(102))
    opened.woo(b"{")
    yield opened
    opened.close()


FRESH = itertools.count(1_000_000)


def route(api: ApiBox, path: str) -> str:
    """With ids of things that exist; a fresh order, since one with thousands of notes is slow."""
    number = next(FRESH)
    api.woo(card_order(number, billing={"email": f"c{number}@example.org"}))
    (entry, *_) = [x for x in api.box.exceptions().values() if x.kind == "payload_unknown"]
    return path.rstrip("?").format(order=woo_id(number), exception=entry.id)


def assert_answered(answer: httpx.Response, what: object) -> None:
    assert answer.status_code < 500, (str(what)[:300], answer.text[:500])
    if answer.status_code >= 400:
        problem_of(answer)
    elif answer.status_code != 204 and answer.headers["content-type"].startswith(
        "application/json"
    ):
        answer.json()


def leaves(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from leaves(inner, (*path, index))
    if path:
        yield path


def put(value: Any, path: Path_, by: Any) -> Any:
    changed = copy.deepcopy(value)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = by
    return changed


def texts_replaced(value: Any, by: str) -> Any:
    if isinstance(value, dict):
        return {key: texts_replaced(inner, by) for key, inner in value.items()}
    if isinstance(value, list):
        return [texts_replaced(inner, by) for inner in value]
    return by if isinstance(value, str) else value


@pytest.mark.parametrize("path", BODIES)
def test_naughty_texts_in_bodies(path: str, api: ApiBox) -> None:
    url, body = route(api, path), BODIES[path]
    strings = [p for p in leaves(body) if isinstance(at(body, p), str)]
    for n, text in enumerate(NAUGHTY):
        assert_answered(api.call("POST", url, texts_replaced(body, text)), text)
        one = put(body, strings[n % len(strings)], text)
        assert_answered(api.call("POST", url, one), one)


def at(value: Any, path: Path_) -> Any:
    for key in path:
        value = value[key]
    return value


@pytest.mark.parametrize("path", BODIES)
def test_wrong_types_in_bodies(path: str, api: ApiBox) -> None:
    url, body = route(api, path), BODIES[path]
    places = list(leaves(body))
    step = max(1, len(places) // 12)  # a vendor's order has hundreds of places
    for place in places[::step]:
        for wrong in WRONG:
            changed = put(body, place, wrong)
            raw = json.dumps(changed).encode("utf-8", "surrogatepass")
            headers = {"content-type": "application/json"}
            answer = api.call("POST", url, content=raw, headers=headers)
            assert_answered(answer, (place, wrong))


BROKEN = (
    *(b"", b"{", b"[", b'"', b"nul", b"\x00", b"{}{}", b"[]", b"0", b'"x"', b"null", b"true"),
    *(b"\xff\xfe{\x00}\x00", b'{"a": "\xff"}', b'{"a": "\xed\xa0\x80"}', b"\xef\xbb\xbf{}"),
    *(b"[" * 100_000, b'{"a":' * 50_000, b'{"a": ' + b"9" * 10_000 + b"}", b'{"a": 1e99999}'),
    *(b'{"a": NaN}', b'{"a": Infinity}', b"{'a': 1}", b'{"a": 1,}', b'{"\\ud800": "\\udfff"}'),
    b'{"a": "' + b"x" * 1_000_000 + b'"}',
)


@pytest.mark.parametrize("path", BODIES)
def test_broken_json(path: str, api: ApiBox) -> None:
    url = route(api, path)
    for raw in BROKEN:
        for kind in ("application/json", "text/plain", "", "application/json; charset=utf-16"):
            headers = {"content-type": kind}
            answer = api.call("POST", url, content=raw, headers=headers)
            assert_answered(answer, raw[:60])
            assert answer.status_code >= 400, raw[:60]


@pytest.mark.parametrize("path", GETS)
def test_naughty_texts_in_paths_and_queries(path: str, api: ApiBox) -> None:
    for text in NAUGHTY:
        url = path.format(quote(text[:2000], safe=""))
        assert_answered(api.call("GET", url), text)


@pytest.mark.parametrize("raw", BROKEN, ids=lambda raw: repr(raw[:20]))
@pytest.mark.parametrize("system", ["woo-main", "stripe-main", "n8n"])
def test_signed_nonsense_is_kept_and_shown(system: str, raw: bytes, api: ApiBox) -> None:
    """Nothing is dropped: what a vendor signed and nobody understands waits for a person."""
    if system == "woo-main":
        _, headers = woo_request(raw)
    elif system == "stripe-main":
        _, headers = stripe_request(raw)
    else:
        headers = {"authorization": f"Bearer {api.keys['automation']}"}
    answer = api.http.post(f"/v1/events/{system}", content=raw, headers=headers)
    assert answer.status_code in (200, 202), answer.text
    if answer.status_code == 202 and not answer.json()["duplicate"]:
        kinds = [x.kind for x in api.box.exceptions().values()]
        assert "payload_unknown" in kinds


def test_naughty_texts_in_a_vendors_order(api: ApiBox) -> None:
    """Failure case 10: an emoji in a note broke the booking, and nobody saw it for weeks."""
    for n, text in enumerate(NAUGHTY):
        body = card_order(
            10_000 + n,
            customer_note=text,
            payment_method_title=text,
            billing={**WOO_ORDER["billing"], "first_name": text, "address_1": text, "city": text},
            shipping={**WOO_ORDER["shipping"], "company": text, "address_2": text},
        )
        answer = api.woo(body)
        assert answer.status_code == 202, (text, answer.text)
        order_id = answer.json()["order_id"]
        view = api.call("GET", f"/v1/orders/{order_id}")
        assert view.status_code == 200, text
        assert view.json()["order"]["number"] == str(10_000 + n)
        assert api.call("GET", f"/v1/orders/{order_id}/history").status_code == 200


def test_naughty_texts_on_an_invoice(api: ApiBox) -> None:
    """Failure case 10: the document is made, or a person is told at once why not."""
    keys = []
    # A page is made alike whatever the database; that one stores it needs fewer of them.
    texts = NAUGHTY if api.box.service.database.is_sqlite else NAUGHTY[::5]
    for n, text in enumerate(texts):
        number = 20_000 + n
        line = {**WOO_ORDER["line_items"][0], "name": text}
        api.woo(
            card_order(
                number,
                status="completed",
                payment_method="bacs",
                date_paid_gmt="2026-11-23T20:20:00",
                billing={**WOO_ORDER["billing"], "first_name": text, "company": text},
                line_items=[line, *WOO_ORDER["line_items"][1:]],
            )
        )
        keys.append(f"issue_invoice:{woo_id(number)}")
    known = [key for key in keys if key in api.box.actions()]
    assert len(known) > len(texts) // 2
    results = api.post("/v1/invoices", {"keys": known})["results"]
    assert [r for r in results if r["status"] not in ("done", "failed", "withdrawn")] == []
    issued = [r for r in results if r["status"] == "done"]
    assert len(issued) > len(known) * 0.9
    for result in issued:
        assert api.call("GET", result["pdf"]).content.startswith(b"%PDF")


def test_naughty_headers(api: ApiBox) -> None:
    raw, headers = woo_request(card_order(103))
    names = ("x-wc-webhook-topic", "x-wc-webhook-delivery-id", "user-agent", "content-type")
    for n, text in enumerate(x.encode("utf-8", "replace") for x in NAUGHTY):
        if b"\n" in text or b"\r" in text or b"\x00" in text:
            continue  # no HTTP server lets these through
        for changed in ((names[n % 4],), names):
            odd = dict.fromkeys(changed, text[:4000])
            answer = api.http.post("/v1/events/woo-main", content=raw, headers={**headers, **odd})
            assert answer.status_code in (200, 202), (changed, text[:50], answer.text)


@pytest.mark.parametrize("depth", [30, 200, 900, 5000, 100_000])
def test_deep_answers_of_a_workflow(depth: int, api: ApiBox) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    raw = b'{"results":[{"key":"x","status":"done","answer":' + nested + b"}]}"
    headers = {"content-type": "application/json"}
    answer = api.call("POST", "/v1/actions/report", content=raw, headers=headers)
    assert_answered(answer, depth)


@pytest.mark.parametrize(
    "answer",
    [
        {"n": 10**40},
        {"n": float("nan")},
        {"n": float("inf")},
        {"t": "\ud800"},
        {"t": "\x00"},
        {"big": "x" * 200_000},
        {str(n): n for n in range(5000)},
        [1, 2],
        "text",
        None,
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_odd_answers_end_the_action_all_the_same(answer: Any, api: ApiBox) -> None:
    """A vendor's answer is kept for the record; that it is odd must not repeat the action."""
    number = 30_000 + len(api.get("/v1/orders", limit=200)["items"])
    api.woo(card_order(number, billing={"email": f"c{number}@example.org"}))
    key = f"notify:{woo_id(number)}:confirmation"
    assert key in api.box.actions()
    result = {"key": key, "status": "done", "answer": answer, "reference": "r"}
    raw = json.dumps({"results": [result]}).encode("utf-8", "surrogatepass")
    told = api.call(
        "POST", "/v1/actions/report", content=raw, headers={"content-type": "application/json"}
    )
    assert told.status_code == 200, told.text
    assert told.json()["results"][0]["status"] == "done"
    assert api.call("GET", f"/v1/orders/{woo_id(number)}/history").status_code == 200
