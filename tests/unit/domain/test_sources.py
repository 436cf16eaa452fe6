"""When a system counts as silent, and who is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kette.domain.policy import PullPolicy, System
from kette.domain.pull_state import PullState
from kette.domain.pulls import Purpose
from kette.domain.sources import wanted_entries

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def system(**pull: Any) -> System:
    return System("woo-main", "woocommerce", "shop", pull=PullPolicy(**pull))


def state(**values: Any) -> PullState:
    return PullState("woo-main", Purpose.CHANGES, START, **values)


def entries(
    shop: System,
    changes: PullState | None,
    now: datetime,
    heard_at: datetime | None = None,
    awake_since: datetime = START,
) -> set[str]:
    return set(wanted_entries(shop, changes, heard_at, awake_since, now))


@pytest.mark.parametrize(
    ("after", "expected"), [(0.9, set()), (1.0, set()), (1.1, {"pull"})], ids=str
)
def test_a_pull_that_is_not_complete_for_too_long(after: float, expected: set[str]) -> None:
    done = state(completed_at=START)
    assert entries(system(), done, START + after * HOUR) == expected


def test_silence_before_the_service_was_there_is_its_own() -> None:
    done = state(completed_at=START)
    now = START + 12 * HOUR
    assert entries(system(), done, now, awake_since=now - HOUR / 2) == set()
    assert entries(system(), done, now, awake_since=now - 2 * HOUR) == {"pull"}


def test_nobody_is_told_where_the_setup_says_never() -> None:
    done = state(completed_at=START)
    assert entries(system(silent_after_s=None), done, START + 99 * HOUR) == set()


def test_a_shop_that_nobody_ever_pulled_is_not_late() -> None:
    assert entries(system(), state(), START + 99 * HOUR) == set()
    assert entries(system(), None, START + 99 * HOUR) == set()


def test_it_is_where_the_setup_asks_to_watch_it() -> None:
    """No event, and no pull either."""
    watched = system(is_watched=True)
    assert entries(watched, state(), START + 2 * HOUR) == {"events"}
    heard = START + 1.5 * HOUR
    assert entries(watched, state(), START + 2 * HOUR, heard_at=heard) == set()


def test_refused_credentials_and_a_wrong_count_do_not_wait() -> None:
    assert entries(system(), state(failures=1, last_error="no"), START) == {"pull"}
    assert entries(system(), state(mismatches=2), START) == set()
    assert entries(system(), state(mismatches=3), START) == {"pull"}


def test_webhooks_are_a_case_of_their_own() -> None:
    done = state(completed_at=START, webhook_problems=("order.updated is disabled",))
    assert entries(system(), done, START) == {"webhooks"}
    assert entries(system(), done, START + 2 * HOUR) == {"pull", "webhooks"}
