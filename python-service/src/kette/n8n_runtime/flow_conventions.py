"""Rules of the connections: nothing is lost, nothing is reported twice, signatures are checked.

An action that enters a workflow must leave it by exactly one report. Statically that means: every
output leads on to exactly one node, every path ends in a report, and nothing is unreachable.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kette.n8n_runtime.node_conventions import BASE, KETTE, KETTE_TRIGGER, STICKY_NOTE, VENDOR_TYPES
from kette.n8n_runtime.ports import edges, output_count
from kette.n8n_runtime.workflow_files import Workflow

FlowRule = Callable[..., Iterator[tuple[str, str]]]  # (workflow, *, is_connector) -> node, advice

TRIGGERS = frozenset(
    {
        KETTE_TRIGGER,
        f"{BASE}errorTrigger",
        f"{BASE}executeWorkflowTrigger",
        f"{BASE}scheduleTrigger",
        f"{BASE}webhook",
    }
)
CALL = f"{BASE}executeWorkflow"
RESPOND = f"{BASE}respondToWebhook"
_ENDED = 1  # output of a pull (Kette, Pull: Next) that needs nobody: the service knows already


def connections_lead_to_nodes(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    names = {node["name"] for node in workflow["nodes"]}
    for source, target, _ in edges(workflow):
        for name in {source, target} - names:
            yield name, "is connected but does not exist"


def every_node_is_reached(workflow: Workflow, *, is_connector: bool) -> Iterator[tuple[str, str]]:
    todo = [node["name"] for node in workflow["nodes"] if node["type"] in TRIGGERS]
    if not todo:
        yield "", "needs a trigger"
    reached = set(todo)
    while todo:
        here = todo.pop()
        ahead = {target for source, target, _ in edges(workflow) if source == here} - reached
        reached |= ahead
        todo.extend(ahead)
    for node in workflow["nodes"]:
        if node["type"] != STICKY_NOTE and node["name"] not in reached:
            yield node["name"], "is never reached from a trigger; connect or remove it"


def every_output_leads_on(workflow: Workflow, *, is_connector: bool) -> Iterator[tuple[str, str]]:
    """An output without a connection drops actions without a report."""
    for node in workflow["nodes"]:
        outputs = workflow["connections"].get(node["name"], {}).get("main", [])
        wanted = output_count(node)
        ends = _may_end(node)
        for index in range(wanted):
            is_connected = index < len(outputs) and bool(outputs[index])
            is_error = node.get("onError") == "continueErrorOutput" and index == wanted - 1
            is_end = index == _ENDED and node["parameters"].get("operation") == "next"
            if not is_connected and (is_error or not (ends or is_end)):
                yield node["name"], f"output {index} leads nowhere; its items would be lost"
        if len(outputs) > wanted:
            yield node["name"], f"has {len(outputs)} connected outputs, but only {wanted} exist"


def no_item_goes_two_ways(workflow: Workflow, *, is_connector: bool) -> Iterator[tuple[str, str]]:
    """Two targets at one output mean two effects or two reports for one action."""
    by_name = {node["name"]: node for node in workflow["nodes"]}
    for name, kinds in workflow["connections"].items():
        if by_name.get(name, {}).get("type") == f"{BASE}scheduleTrigger":
            continue  # carries no action, only the moment
        for index, targets in enumerate(kinds.get("main", ())):
            if targets and len(targets) > 1:
                yield name, f"output {index} leads to {len(targets)} nodes; one action, one way"


def connector_ends_in_reports(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    sources = {source for source, _, _ in edges(workflow)}
    for node in workflow["nodes"] if is_connector else ():
        if node["type"] == STICKY_NOTE or node["name"] in sources:
            continue
        if not _is_report(node):
            yield node["name"], "ends the connector without a report (Kette, Action: Report)"


def connector_takes_whole_batches(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    for node in workflow["nodes"]:
        if node["type"] == CALL and node["parameters"].get("mode", "once") != "once":
            yield node["name"], "must call its workflow once with all items"
        if node["type"] == CALL and not _fixed_id(node):
            yield node["name"], "must name its workflow by fixed id, not by an expression"
    if is_connector:
        triggers = [n for n in workflow["nodes"] if n["type"] in TRIGGERS]
        if [n["type"] for n in triggers] != [f"{BASE}executeWorkflowTrigger"]:
            yield "", "a connector has one trigger: When Executed by Another Workflow"
            return
        declared = triggers[0]["parameters"].get("workflowInputs", {}).get("values", [])
        if not {"key", "attempt", "data"} <= {value["name"] for value in declared}:
            yield triggers[0]["name"], "must declare its input: at least key, attempt and data"


def calls_without_waiting_have_no_error_output(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    """n8n 2.40.7 empties the list of items for the error output while the called workflow, which
    shares the list, has not read it yet: it runs with nothing, and nobody notices."""
    for node in workflow["nodes"]:
        waits = node["parameters"].get("options", {}).get("waitForSubWorkflow", True)
        if node["type"] == CALL and not waits and node.get("onError") == "continueErrorOutput":
            yield node["name"], "must not have an error output while it does not wait"


def errors_on_the_main_output_go_to_a_report(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    """Where errors stay among the results, the next node must be one that tells them apart."""
    by_name = {node["name"]: node for node in workflow["nodes"]}
    for source, target, _ in edges(workflow):
        node = by_name.get(source, {})
        keeps = node.get("onError") == "continueRegularOutput" and node.get("type") in VENDOR_TYPES
        if keeps and not _is_report(by_name.get(target, {})):
            yield source, "sends errors on among results; connect it to a report at once"


def webhooks_are_checked_by_the_service(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    """A signature is over raw bytes, and only the service knows the secrets."""
    by_name = {node["name"]: node for node in workflow["nodes"]}
    for node in workflow["nodes"]:
        if node["type"] != f"{BASE}webhook":
            continue
        parameters = node["parameters"]
        if parameters.get("options", {}).get("rawBody") is not True:
            yield node["name"], "must keep the raw body (options.rawBody), signatures cover it"
        if parameters.get("responseMode") != "responseNode":
            yield node["name"], "must answer after the service has stored the delivery"
        for source, target, _ in edges(workflow):
            goal = by_name.get(target, {}).get("parameters", {})
            if source == node["name"] and goal.get("operation") != "ingest":
                yield target, "comes before the signature check (Kette, Event: Ingest)"


def expressions_name_real_nodes(
    workflow: Workflow, *, is_connector: bool
) -> Iterator[tuple[str, str]]:
    names = {node["name"] for node in workflow["nodes"]}
    for node in workflow["nodes"]:
        text = json.dumps(node["parameters"], ensure_ascii=False)
        for named in sorted(set(re.findall(r"\$\('([^']*)'\)", text)) - names):
            yield node["name"], f"an expression names the node {named!r}, which does not exist"


def _may_end(node: Mapping[str, Any]) -> bool:
    """Nodes after which nothing needs to come: they report, answer, or hand over."""
    parameters = node["parameters"]
    hands_over = parameters.get("options", {}).get("waitForSubWorkflow") is False
    closes = node["type"] == KETTE and parameters.get("operation") in (
        "report",
        "issue",
        "reportFailedRun",
    )
    return closes or node["type"] == RESPOND or (node["type"] == CALL and hands_over)


def _is_report(node: Mapping[str, Any]) -> bool:
    parameters = node.get("parameters", {})
    is_report = node.get("type") == KETTE and parameters.get("operation") == "report"
    hands_over = parameters.get("options", {}).get("waitForSubWorkflow") is False
    return is_report or (node.get("type") == CALL and hands_over)


def _fixed_id(node: Mapping[str, Any]) -> bool:
    target = node["parameters"].get("workflowId")
    value = target.get("value") if isinstance(target, dict) else None
    return isinstance(value, str) and value.isalnum()


FLOW_RULES: tuple[FlowRule, ...] = (
    connections_lead_to_nodes,
    every_node_is_reached,
    every_output_leads_on,
    no_item_goes_two_ways,
    connector_ends_in_reports,
    connector_takes_whole_batches,
    calls_without_waiting_have_no_error_output,
    errors_on_the_main_output_go_to_a_report,
    webhooks_are_checked_by_the_service,
    expressions_name_real_nodes,
)
