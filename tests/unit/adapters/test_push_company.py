"""While a batch is under way, a small one waits for company, a large or late one does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kette.adapters.n8n import push
from kette.adapters.n8n.push import COMPANY_S, LULL_S, Pusher
from support.service_box import ServiceBox

NOW = 5_000.0
WORTH_A_RUN = 4


@pytest.fixture
def box(tmp_path: Path) -> Iterator[ServiceBox]:
    box = ServiceBox(f"sqlite:///{tmp_path / 'kette.db'}")
    yield box
    box.close()


@pytest.fixture
def pusher(box: ServiceBox, monkeypatch: pytest.MonkeyPatch) -> Pusher:
    monkeypatch.setattr(push.time, "monotonic", lambda: NOW)
    monkeypatch.setattr(push, "WORTH_A_RUN", WORTH_A_RUN)
    with box.kernel.store.write() as tx:
        row = {"id": "sub_1", "url": "http://n8n.test/1", "topic": "stage:fulfillment"}
        tx.subscriptions.put({**row, "secret": "s", "name": "", "created_us": 1})
    return Pusher(box.kernel, box.service.lease, lambda: 1_790_000_000)


def paid(box: ServiceBox, number: int) -> None:
    box.paid_order(number, billing={"email": f"c{number}@example.org"})


def test_a_quiet_shops_action_goes_at_once(box: ServiceBox, pusher: Pusher) -> None:
    box.paid_order(102)
    pusher._pushed_at["fulfillment"] = NOW
    assert pusher._subscriber("fulfillment") is not None


@pytest.mark.parametrize(
    ("pushed_s_ago", "waiting", "goes"),
    [
        (0.0, 1, False),
        (COMPANY_S - 0.01, WORTH_A_RUN - 1, False),
        (COMPANY_S, 1, True),
        (0.0, WORTH_A_RUN, True),
    ],
)
def test_while_a_batch_is_under_way(
    box: ServiceBox, pusher: Pusher, pushed_s_ago: float, waiting: int, goes: bool
) -> None:
    box.paid_order(102)
    assert box.lease("fulfillment")
    pusher._pushed_at["fulfillment"] = NOW - pushed_s_ago
    for number in range(200, 200 + waiting):
        paid(box, number)
    assert (pusher._subscriber("fulfillment") is not None) is goes


def test_it_goes_when_no_more_come(
    box: ServiceBox, pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.paid_order(102)
    assert box.lease("fulfillment")
    pusher._pushed_at["fulfillment"] = NOW
    at = NOW
    for number in (200, 201):  # each starts the wait anew
        paid(box, number)
        for passed in (0.0, LULL_S - 0.01):
            monkeypatch.setattr(push.time, "monotonic", lambda now=at + passed: now)
            assert pusher._subscriber("fulfillment") is None
        at += LULL_S - 0.01
    monkeypatch.setattr(push.time, "monotonic", lambda: at + LULL_S)
    assert pusher._subscriber("fulfillment") is not None


def test_it_goes_as_soon_as_the_other_is_reported(box: ServiceBox, pusher: Pusher) -> None:
    box.paid_order(102)
    (action,) = box.lease("fulfillment")
    pusher._pushed_at["fulfillment"] = NOW
    paid(box, 103)
    assert pusher._subscriber("fulfillment") is None
    box.report(action["key"], answer={"products": []})
    assert pusher._subscriber("fulfillment") is not None
