"""A running world as the end-to-end tests use it: cause something, let it settle, look."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import httpx
from kette.n8n_runtime.world import World

CHANNEL = "woo-main"
_SETTLE_TIMEOUT_S = 180.0
# After so many looks without anything under way, nothing more will come by itself.
_QUIET_LOOKS = 5
_LOOK_EVERY_S = 0.5

Json = dict[str, Any]


class RunningChain:
    """Calls to the service and to the sandbox's control interface of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._client = httpx.Client(timeout=60, trust_env=False)

    # -- the sandbox ---------------------------------------------------------------------------

    def do(self, verb: str, **given: Any) -> Json:
        """Let a customer, a carrier or the shop's staff do something."""
        return self._control("POST", f"/do/{verb}", given)

    def fault(self, **rule: Any) -> None:
        self._control("POST", "/faults", rule)

    def faults_fired(self) -> int:
        """Return how many requests met a fault that is still in force."""
        return sum(rule["fired"] for rule in self._control("GET", "/faults")["faults"])

    def deliver_to(self, vendor: str, url: str) -> None:
        """Let a vendor send its webhooks to another address from now on."""
        self._control("POST", f"/webhooks/{vendor}", {"target": url})

    def hold(self, vendor: str) -> None:
        """Let a vendor keep its webhooks back until release()."""
        self._control("POST", f"/webhooks/{vendor}", {"hold": True})

    def release(self, vendor: str) -> None:
        self._control("POST", f"/webhooks/{vendor}/release")

    def lose(self, vendor: str) -> None:
        """Let a vendor send no webhook from now on, and think that it did."""
        self._control("POST", f"/webhooks/{vendor}", {"drop": -1})

    def switch(self, vendor: str, *, on: bool) -> None:
        """Let a shop switch its webhooks off or on again."""
        self._control("POST", f"/webhooks/{vendor}/{'enable' if on else 'disable'}")

    def clear_faults(self) -> None:
        self._control("DELETE", "/faults")

    def lost_deliveries(self, number: int) -> int:
        """Return how many webhooks about an order the shop has given up."""
        query = f"vendor=woocommerce&state=lost&subject={number}"
        return len(self._control("GET", f"/deliveries?{query}")["deliveries"])

    def deliveries(self, number: int | str, vendor: str = "woocommerce") -> set[str]:
        """Return in which states a shop's webhooks about an order are."""
        query = f"vendor={vendor}&subject={number}"
        rows = self._control("GET", f"/deliveries?{query}")["deliveries"]
        return {str(row["state"]) for row in rows}

    def effects(self, number: int | str) -> Json:
        """Return what the vendors saw of one order."""
        return self._control("GET", f"/orders/{number}/effects")

    def doubled(self) -> list[str]:
        """Return what happened twice at any vendor, one text for each; must be empty."""
        return _told_leaves(self._control("GET", "/state")["doubled"])

    def _control(self, method: str, path: str, body: Json | None = None) -> Json:
        url = f"{self.world.sandbox_url}/_control{path}"
        return _json(self._client.request(method, url, json=body))

    # -- the service ---------------------------------------------------------------------------

    def order(self, number: int | str, channel: str = CHANNEL) -> Json | None:
        """Return an order by the shop's number, or None while it is unknown."""
        query = {"channel": channel, "external_id": str(number)}
        items = self._service("GET", "/v1/orders", params=query)["items"]
        return self._service("GET", f"/v1/orders/{items[0]['id']}") if items else None

    def orders(self) -> list[Json]:
        """Return every order with its details."""
        found, cursor = [], ""
        while True:
            query = {"limit": "100", **({"cursor": cursor} if cursor else {})}
            page = self._service("GET", "/v1/orders", params=query)
            found += [self._service("GET", f"/v1/orders/{item['id']}") for item in page["items"]]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return found

    def listed_orders(self) -> list[Json]:
        """Return every order as the list shows it."""
        found: list[Json] = []
        cursor = ""
        while True:
            query = {"limit": "200", **({"cursor": cursor} if cursor else {})}
            page = self._service("GET", "/v1/orders", params=query)
            found += page["items"]
            cursor = page.get("next_cursor") or ""
            if not cursor:
                return found

    def pulls(self) -> list[Json]:
        """Return how far the pulls are."""
        items: list[Json] = self._service("GET", "/v1/pulls")["items"]
        return items

    def statuses(self, numbers: Iterable[int], axis: str) -> list[str]:
        return [(self.order(number) or {}).get("status", {}).get(axis, "") for number in numbers]

    def open_exceptions(self) -> list[Json]:
        items: list[Json] = self._service("GET", "/v1/exceptions", params={"status": "open"})[
            "items"
        ]
        return items

    def cancel(self, order_id: str, by: str, why: str) -> None:
        self._service("POST", f"/v1/orders/{order_id}/cancel", json={"by": by, "why": why})

    def unsubscribe(self, subscription_id: str) -> None:
        self._service("DELETE", f"/v1/subscriptions/{subscription_id}")

    def pending(self) -> Json:
        return self._service("GET", "/v1/sandbox/pending")

    def advance(self, seconds: float) -> None:
        """Move the clock of the service, and with it the sandbox's, forward."""
        clock = self._service("POST", "/v1/sandbox/clock", json={"advance_s": seconds})
        self._control("POST", "/time", {"offset_s": clock["offset_s"]})

    def _service(self, method: str, path: str, **request: Any) -> Json:
        headers = {"Authorization": f"Bearer {self.world.admin_key}"}
        url = f"{self.world.service_url}{path}"
        return _json(self._client.request(method, url, headers=headers, **request))

    # -- waiting -------------------------------------------------------------------------------

    def wait_for(self, what: str, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Return when condition() is true. Raises AssertionError with what is pending."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"Waited {timeout_s} s for: {what}. {self.pending()}")
            time.sleep(0.2)

    def settle(self) -> None:
        """Return when no webhook waits and no action is due or being performed."""
        deadline = time.monotonic() + _SETTLE_TIMEOUT_S
        quiet = 0
        while quiet < _QUIET_LOOKS:
            if time.monotonic() > deadline:
                raise AssertionError(f"The chain does not come to rest: {self.pending()}")
            sent = self._control("POST", "/webhooks/pump")["sent"]
            pending = self.pending()
            is_busy = sent or pending["due"] or pending["leased"] or pending["mails"]
            quiet = 0 if is_busy else quiet + 1
            time.sleep(_LOOK_EVERY_S)

    def settle_over(self, step_s: float, steps: int) -> None:
        """Let time pass in steps, so that leases end and retries become due, settling each time."""
        self.settle()
        for _ in range(steps):
            self.advance(step_s)
            self.settle()


def _json(answer: httpx.Response) -> Json:
    assert answer.is_success, f"{answer.request.url.path}: {answer.status_code} {answer.text[:500]}"
    return answer.json() if answer.content else {}


def _told_leaves(tree: Any, path: str = "") -> list[str]:
    """Return "path: value" for each value of a tree of objects and lists."""
    if isinstance(tree, dict):
        return [text for key in tree for text in _told_leaves(tree[key], f"{path}/{key}")]
    if isinstance(tree, list):
        return [text for item in tree for text in _told_leaves(item, path)]
    return [f"{path}: {tree}"]


def notices(effects: Json) -> list[str]:
    """Return the kinds of the mails that reached a customer."""
    return sorted(mail["notice"] for mail in effects["mails"])
