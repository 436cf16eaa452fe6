"""Reports share a transaction where there is one writer; each stands and falls by itself."""

from __future__ import annotations

from typing import Any

import pytest
from kette.use_cases import report as module
from kette.use_cases.report import GROUP_MAX, Report, report_actions
from support.service_box import ServiceBox


def leased(box: ServiceBox, count: int) -> list[str]:
    for number in range(300, 300 + count):
        box.paid_order(number, billing={"email": f"c{number}@example.org"})
    return [action["key"] for action in box.lease("fulfillment")]


def states(box: ServiceBox, keys: list[str]) -> list[str]:
    return [box.action(key).state for key in keys]


def done(key: str) -> Report:
    return Report(key, True, answer={"products": []})


def test_results_come_in_the_order_of_the_reports(box: ServiceBox) -> None:
    keys = leased(box, GROUP_MAX + 2)
    reports = [done(key) for key in keys]
    reports.insert(3, done("no such action"))
    results = report_actions(box.kernel, reports)
    assert [x.key for x in results] == [x.key for x in reports]
    assert [x.accepted for x in results] == [x.key in keys for x in reports]
    assert set(states(box, keys)) == {"done"}


def test_the_same_action_twice_in_a_call_is_done_once(box: ServiceBox) -> None:
    (key,) = leased(box, 1)
    first, second = report_actions(box.kernel, [done(key), done(key)])
    assert (first.reason, second.reason) == ("", "it was reported done before")


def test_what_came_before_a_broken_report_is_stored(
    box: ServiceBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = leased(box, 3)
    taken = module.report_one

    def report_one(kernel: Any, tx: Any, report: Report, now: Any) -> Any:
        answer = taken(kernel, tx, report, now)
        if report.key == keys[1]:
            raise RuntimeError("broken after it has written")
        return answer

    monkeypatch.setattr(module, "report_one", report_one)
    with pytest.raises(RuntimeError):
        report_actions(box.kernel, [done(key) for key in keys])
    assert states(box, keys) == ["done", "leased", "leased"]
