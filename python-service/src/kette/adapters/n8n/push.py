"""Deliver due actions and event messages to subscribed n8n webhooks.

Per stage at most a few batches are under way; the next goes out when one has been reported. A quiet
shop's action is pushed alone and at once, a burst is worked off in batches as large as what is
due: while a batch is under way, a small one waits a moment for company. What cannot be delivered
is given back and waits for the sweep. Several replicas may do this at once: the lease decides who
has an action.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import structlog

from kette.domain.actions import Stage
from kette.use_cases.kernel import Kernel
from kette.use_cases.lease import Batch, Lease

log = structlog.get_logger("kette.push")

TIMEOUT = httpx.Timeout(10.0, connect=3.0)
# For the whole of an answer: the limits above are for each piece of it, however small.
ANSWER_S = 20.0
# Under the five seconds that Node.js keeps an idle connection. A request that meets its end may
# have arrived, so its actions would wait until their lease ends.
LIMITS = httpx.Limits(keepalive_expiry=2.0)
# n8n answers before it works: a subscriber that cannot be reached is tried again after these. A
# restart of n8n takes seconds; its orders should not wait much longer.
RETRY_S = (2, 5, 15)
# n8n answers 200 with this page, whatever was asked, until its database is migrated.
STARTING_PAGE = b"n8n is starting up"
ANSWER_BYTES = 1_000
GATEWAY_TIMEOUT = 504  # a proxy handed the batch over and gave up waiting; n8n may work on it
PAUSE_S = 0.1
# A run of n8n costs as much as several actions in it: while one is under way, the next waits for so
# many, for so long, or until no more come.
WORTH_A_RUN = 100
COMPANY_S = 2.5
LULL_S = 0.3
# The request certainly did not reach n8n; any other error leaves that open.
NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.InvalidURL,
    httpx.UnsupportedProtocol,
)
NOTICE_BATCH = 100
NOTICE_LEASE = timedelta(seconds=60)


def signature(secret: str, body: bytes, unix_s: int) -> str:
    """Value of the Kette-Signature header, checked by the Kette Trigger node."""
    mac = hmac.new(secret.encode(), f"{unix_s}.".encode() + body, hashlib.sha256)
    return f"t={unix_s},v1={mac.hexdigest()}"


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT, limits=LIMITS)


class Pusher:
    """One task per stage plus one for event messages, woken after every commit that made work."""

    def __init__(self, kernel: Kernel, lease: Lease, unix_now: Any) -> None:
        self._kernel = kernel
        self._lease = lease
        self._unix_now = unix_now  # signatures carry real time, whatever the service's clock says
        self._wakes: dict[str, asyncio.Event] = {}
        # By stage, on the monotonic clock: the last push; how many were due when that changed.
        self._pushed_at: dict[str, float] = {}
        self._grew: dict[str, tuple[int, float]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: httpx.AsyncClient | None = None
        self._subscribed: frozenset[str] = frozenset()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = new_client()
        for stage in Stage:
            self._wakes[stage.value] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._stage_loop(stage.value)))
        self._wakes["events"] = asyncio.Event()
        self._tasks.append(asyncio.create_task(self._events_loop()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def wake(self, stages: set[str]) -> None:
        """Callable from any thread. Costs nothing where nobody has subscribed."""
        if self._loop is None or self._loop.is_closed():
            return
        wanted = (stages & self._subscribed) | ({"events"} & self._subscribed)
        if wanted:
            self._loop.call_soon_threadsafe(self._set, wanted)

    def refresh(self) -> None:
        """Look up which stages have a subscriber; after each change and once a second."""
        with self._kernel.store.read() as tx:
            topics = [str(row["topic"]) for row in tx.subscriptions.all()]
        self._subscribed = frozenset(
            "events" if topic.startswith("events:") else topic.removeprefix("stage:")
            for topic in topics
        )

    def _set(self, names: set[str]) -> None:
        for name in names:
            event = self._wakes.get(name)
            if event is not None:
                event.set()

    async def _stage_loop(self, stage: str) -> None:
        wake = self._wakes[stage]
        while True:
            await wake.wait()
            wake.clear()
            try:
                while await self._push_batch(stage):
                    pass
                # Actions of a burst come by the hundred; they need not be looked at one by one.
                await asyncio.sleep(PAUSE_S)
            except Exception:  # the loop must outlive any single failure; it is logged
                log.exception("push.failed", stage=stage)
                await asyncio.sleep(1)

    async def _push_batch(self, stage: str) -> bool:
        """Push one batch. True: look again at once."""
        subscriber = await asyncio.to_thread(self._subscriber, stage)
        if subscriber is None:
            return False
        batch = await self._leased(stage)
        if not batch.actions:
            return False
        message = {
            "push_id": batch.lease_id,
            "stage": stage,
            "sent_at": self._kernel.now().isoformat(),
            "actions": [{**action, "push_id": batch.lease_id} for action in batch.actions],
        }
        self._pushed_at[stage] = time.monotonic()
        self._grew.pop(stage, None)
        outcome = await self._post(subscriber, message)
        if outcome == "refused":
            retry_at = self._retry_at(subscriber)
            # The actions are due for the sweep at once; only this subscriber has to wait.
            await asyncio.to_thread(self._lease.give_back, batch.lease_id, self._kernel.now())
            await asyncio.to_thread(self._failed, subscriber, retry_at)
            return False
        if subscriber["failures"]:
            await asyncio.to_thread(self._recovered, subscriber)
        # Unclear (a timeout after sending): keep the lease; it ends by itself if nobody works on
        # it.
        return outcome == "taken"

    async def _leased(self, stage: str) -> Batch:
        """A stop does not end the thread that leases: what it gets then is given back."""
        leasing = asyncio.ensure_future(asyncio.to_thread(self._lease, stage))
        try:
            return await asyncio.shield(leasing)
        except asyncio.CancelledError:
            batch = await leasing
            if batch.actions:
                await asyncio.to_thread(self._lease.give_back, batch.lease_id, self._kernel.now())
            raise

    def _subscriber(self, stage: str) -> dict[str, Any] | None:
        """The stage's subscriber, if it can take a batch now."""
        kernel = self._kernel
        now = kernel.now()
        with kernel.store.read() as tx:
            due = tx.outbox.due_stages(now).get(stage)
            if not due:
                return None
            under_way = tx.outbox.leases_in_flight(stage, now)
            if under_way >= kernel.setup.actions.pushes_in_flight:
                return None
            if under_way and self._waits_for_company(stage, due):
                return None
            rows = [x for x in tx.subscriptions.all() if x["topic"] == f"stage:{stage}"]
        ready = [x for x in rows if x["retry_us"] is None or x["retry_us"] <= self._unix_us()]
        return ready[-1] if ready else None

    def _waits_for_company(self, stage: str, due: int) -> bool:
        """The report of what is under way looks again, and so does the clock every second."""
        now = time.monotonic()
        is_late = now - self._pushed_at.get(stage, 0.0) >= COMPANY_S
        if is_late or due >= min(WORTH_A_RUN, self._kernel.setup.actions.batch_max):
            return False
        known, since = self._grew.get(stage, (0, now))
        if due != known:
            self._grew[stage] = (due, now)
            return True
        return now - since < LULL_S

    def _unix_us(self) -> int:
        return int(self._unix_now()) * 1_000_000

    def _retry_at(self, subscriber: dict[str, Any]) -> int:
        wait = RETRY_S[min(int(subscriber["failures"]), len(RETRY_S) - 1)]
        return self._unix_us() + wait * 1_000_000

    def _failed(self, subscriber: dict[str, Any], retry_us: int) -> None:
        with self._kernel.store.write() as tx:
            tx.subscriptions.update(
                subscriber["id"], failures=subscriber["failures"] + 1, retry_us=retry_us
            )

    def _recovered(self, subscriber: dict[str, Any]) -> None:
        with self._kernel.store.write() as tx:
            tx.subscriptions.update(subscriber["id"], failures=0, retry_us=None)

    async def _post(self, subscriber: dict[str, Any], message: dict[str, Any]) -> str:
        """taken, refused (certainly not taken over) or unclear."""
        body = msgspec.json.encode(message)
        headers = {
            "Content-Type": "application/json",
            "Kette-Signature": signature(subscriber["secret"], body, int(self._unix_now())),
        }
        try:
            async with asyncio.timeout(ANSWER_S):
                status, begin = await self._answer(subscriber["url"], body, headers)
        except NEVER_SENT as error:
            log.warning("push.unreachable", stage=message.get("stage"), error=str(error))
            return "refused"
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("push.unclear", stage=message.get("stage"), error=repr(error))
            return "unclear"
        if status == GATEWAY_TIMEOUT:
            log.warning("push.unclear", stage=message.get("stage"), error="504 of a proxy")
            return "unclear"
        if 200 <= status < 300 and not begin.startswith(STARTING_PAGE):
            return "taken"
        log.warning("push.refused", stage=message.get("stage"), status=status)
        return "refused"

    async def _answer(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and beginning of the answer, which may have no end."""
        assert self._client is not None
        begin = b""
        async with self._client.stream("POST", url, content=body, headers=headers) as answer:
            async for piece in answer.aiter_bytes():
                begin += piece
                if len(begin) >= ANSWER_BYTES:
                    break
        return answer.status_code, begin

    async def _events_loop(self) -> None:
        wake = self._wakes["events"]
        while True:
            await wake.wait()
            wake.clear()
            try:
                subscriptions = await asyncio.to_thread(self._event_subscriptions)
                # Side by side: one that answers slowly must not keep the others waiting.
                ends = await asyncio.gather(
                    *(self._push_notices(one) for one in subscriptions), return_exceptions=True
                )
                for end in ends:
                    if end is not None:
                        log.error("push.events_failed", exc_info=end)
            except Exception:  # see _stage_loop
                log.exception("push.events_failed")
                await asyncio.sleep(1)

    def _event_subscriptions(self) -> list[dict[str, Any]]:
        with self._kernel.store.read() as tx:
            rows = [x for x in tx.subscriptions.all() if x["topic"].startswith("events:")]
        return [x for x in rows if x["retry_us"] is None or x["retry_us"] <= self._unix_us()]

    async def _push_notices(self, subscription: dict[str, Any]) -> None:
        kernel = self._kernel

        def fetch() -> list[dict[str, Any]]:
            now = kernel.now()
            with kernel.store.write() as tx:
                return tx.subscriptions.lease_notices(
                    subscription["id"], now, now + NOTICE_LEASE, NOTICE_BATCH
                )

        rows = await asyncio.to_thread(fetch)
        for event in dict.fromkeys(row["event"] for row in rows):
            group = [row for row in rows if row["event"] == event]
            message = {
                "push_id": kernel.new_id("psh"),
                "event": event,
                "sent_at": kernel.now().isoformat(),
                "items": [msgspec.json.decode(row["item"]) for row in group],
            }
            outcome = await self._post(subscription, message)
            if outcome != "taken":
                retry_at = self._retry_at(subscription)
                await asyncio.to_thread(self._failed, subscription, retry_at)
                return
            ids = [row["id"] for row in group]

            def drop(ids: list[str] = ids) -> None:
                with kernel.store.write() as tx:
                    tx.subscriptions.drop_notices(ids)

            await asyncio.to_thread(drop)
        if rows and subscription["failures"]:
            await asyncio.to_thread(self._recovered, subscription)
