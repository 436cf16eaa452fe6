"""Run calls at the same moment in threads, and hand their outcomes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """All calls start together; the first exception is raised."""
    gate = threading.Barrier(len(calls))

    def wait_and(call: Callable[[], T]) -> T:
        gate.wait(10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [x.result(60) for x in [pool.submit(wait_and, call) for call in calls]]
