"""Runs that break off in n8n: each is kept, and one that breaks every minute is one open entry."""

from __future__ import annotations

import json

from kette.use_cases.ingest import Ingested
from support.service_box import ServiceBox
from support.threads import at_once

SWEEP, PAYMENT = "ketteChain90Sweep", "ketteChain20Payment"


def fail(box: ServiceBox, execution: int, workflow: str = SWEEP, node: str = "Lease") -> Ingested:
    report = {
        "kind": "run_failed",
        "workflow": {"id": workflow, "name": f"Kette {workflow}"},
        "execution": {
            "id": str(execution),
            "url": f"https://n8n.example.org/executions/{execution}",
            "error": {"message": f"broken {execution}", "node": {"name": node}},
            "lastNodeExecuted": node,
        },
    }
    return box.service.ingest("n8n", {}, json.dumps(report).encode())


def owner_mails(box: ServiceBox) -> list[str]:
    return [row.key for row in box.actions().values() if row.kind == "notify_owner"]


def test_a_workflow_that_breaks_every_minute_is_one_entry_that_counts(box: ServiceBox) -> None:
    for execution in range(1, 31):
        assert not fail(box, execution).is_duplicate
        box.clock.move(minutes=1)
    (entry,) = box.exceptions().values()
    assert entry.kind == "action_failed"
    assert entry.summary == (
        "n8n run of 'Kette ketteChain90Sweep' failed in 'Lease' (30 times): broken 30"
    )
    assert (entry.context["count"], entry.context["execution_id"]) == (30, "30")
    assert [run["execution_id"] for run in entry.context["runs"]] == [
        str(number) for number in range(30, 10, -1)
    ]
    assert len(owner_mails(box)) == 1


def test_the_same_report_twice_counts_once(box: ServiceBox) -> None:
    assert [fail(box, 7).is_duplicate, fail(box, 7).is_duplicate] == [False, True]
    (entry,) = box.exceptions().values()
    assert entry.context["count"] == 1


def test_other_workflows_and_nodes_have_entries_of_their_own(box: ServiceBox) -> None:
    fail(box, 1)
    fail(box, 2, node="Hand to Intake")
    fail(box, 3, workflow=PAYMENT)
    assert sorted(box.exceptions()) == [
        f"run_failed:{PAYMENT}:Lease",
        f"run_failed:{SWEEP}:Hand to Intake",
        f"run_failed:{SWEEP}:Lease",
    ]


def test_a_run_that_fails_after_somebody_dealt_with_it_is_a_new_case(box: ServiceBox) -> None:
    fail(box, 1)
    (first,) = box.exceptions().values()
    box.service.people.resolve(first.id, "done", "anna", "Published it again.")
    assert box.exceptions() == {}
    fail(box, 2)
    (second,) = box.exceptions().values()
    assert second.id != first.id
    assert second.context["count"] == 1
    assert second.summary.endswith("failed in 'Lease': broken 2")
    (closed,) = box.exceptions("resolved").values()
    assert (closed.id, closed.context["execution_id"]) == (first.id, "1")
    assert len(owner_mails(box)) == 2


def test_runs_that_fail_at_the_same_moment_are_all_counted(box: ServiceBox) -> None:
    at_once([lambda n=n: fail(box, n) for n in range(12)])  # type: ignore[misc]
    (entry,) = box.exceptions().values()
    assert entry.context["count"] == 12
    assert len({run["execution_id"] for run in entry.context["runs"]}) == 12
