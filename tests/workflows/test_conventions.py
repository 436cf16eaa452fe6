"""The committed workflows keep to the conventions, and each convention can tell when one does
not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from kette.n8n_runtime.canvas_conventions import CANVAS_RULES
from kette.n8n_runtime.conventions import (
    WORKFLOW_RULES,
    WorkflowFile,
    check_workflow,
)
from kette.n8n_runtime.flow_conventions import FLOW_RULES
from kette.n8n_runtime.node_conventions import NODE_RULES
from kette.n8n_runtime.workflow_files import canonical_text

Files = dict[str, WorkflowFile]
Workflow = dict[str, Any]
Break = Callable[[Workflow], object]

SHIP = "connectors/carrier/sendcloud-create-parcel.json"
REFUND = "connectors/payment/stripe-refund.json"
STOCK = "connectors/shop/woocommerce-stock.json"
MAIL = "connectors/mail/smtp.json"
INTAKE = "chain/10-order-intake.json"
ENTRY = "chain/05-entry-woocommerce.json"
HANDLER = "chain/00-error-handler.json"


def test_workflows_keep_to_the_conventions(workflow_files: Files) -> None:
    problems = [str(p) for file in workflow_files.values() for p in check_workflow(file)]
    assert problems == []
    assert len(workflow_files) >= 20


def node(workflow: Workflow, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(n for n in workflow["nodes"] if n["name"] == name)
    return found


def set_in(name: str, path: str, value: object) -> Break:
    """A breaker that sets a dotted path in the node called name."""

    def breaker(workflow: Workflow) -> None:
        place: Any = node(workflow, name)
        *way, last = path.split(".")
        for step in way:
            place = place[int(step)] if isinstance(place, list) else place[step]
        place[int(last) if isinstance(place, list) else last] = value

    return breaker


def settings(key: str, value: object) -> Break:
    return lambda workflow: workflow["settings"].update({key: value})


def link(source: str, output: int, targets: list[str]) -> Break:
    def breaker(workflow: Workflow) -> None:
        made = [{"index": 0, "node": name, "type": "main"} for name in targets]
        workflow["connections"][source]["main"][output] = made

    return breaker


def rename(old: str, new: str) -> Break:
    def breaker(workflow: Workflow) -> None:
        text = json.dumps(workflow, ensure_ascii=False).replace(json.dumps(old), json.dumps(new))
        workflow.clear()
        workflow.update(json.loads(text))

    return breaker


def add_node(**content: Any) -> Break:
    return lambda workflow: workflow["nodes"].append(
        {
            "id": "extra-node",
            "name": "Send Extra",
            "parameters": {},
            "position": [240, 1600],
        }
        | content
    )


# rule, file to break, what breaks it. One row per rule at least; a test below makes sure of that.
BROKEN: list[tuple[str, str, Break]] = [
    ("nothing_of_an_instance", MAIL, lambda w: w.update(pinData={})),
    ("nothing_of_an_instance", MAIL, lambda w: w.update(active=True)),
    ("id_is_fixed_and_short", MAIL, lambda w: w.update(id="kette-mail-send")),
    (
        "id_is_fixed_and_short",
        MAIL,
        lambda w: w.update(id="ketteMailSendByAnySmtpServer"),
    ),
    ("name_fits_file", INTAKE, lambda w: w.update(name="Kette 20 · Order intake")),
    ("name_fits_file", INTAKE, lambda w: w.update(name="My workflow")),
    ("name_fits_file", MAIL, lambda w: w.update(name="Kette 15 · Mail")),
    ("settings_are_explicit", MAIL, settings("timezone", "America/New_York")),
    ("settings_are_explicit", MAIL, settings("executionTimeout", 0)),
    (
        "settings_are_explicit",
        MAIL,
        lambda w: w["settings"].pop("saveDataErrorExecution"),
    ),
    ("error_handler_is_named", MAIL, lambda w: w["settings"].pop("errorWorkflow")),
    (
        "error_handler_is_named",
        HANDLER,
        settings("errorWorkflow", "ketteChain00Errors"),
    ),
    (
        "canvas_says_what_it_is",
        MAIL,
        rename("About This Workflow", "About Something Else"),
    ),
    (
        "canvas_says_what_it_is",
        MAIL,
        set_in(
            "About This Workflow",
            "parameters.content",
            "## Kette · Mail: Send by SMTP\n",
        ),
    ),
    (
        "canvas_says_what_it_is",
        MAIL,
        set_in("About This Workflow", "position", [0, 800]),
    ),
    ("names_and_ids_are_unique", MAIL, set_in("Send Mail", "id", "report-result")),
    ("places_are_unique", MAIL, set_in("Send Mail", "position", [0, 0])),
    (
        "fast_path_has_no_expressions",
        ENTRY,
        set_in("Store Delivery", "parameters.systemId", "={{ $json.query.system }}"),
    ),
    ("type_is_known_and_pinned", MAIL, set_in("Send Mail", "typeVersion", 2)),
    ("type_is_known_and_pinned", MAIL, set_in("Report Result", "type", "CUSTOM.kette")),
    (
        "type_is_known_and_pinned",
        MAIL,
        set_in("Send Mail", "type", "n8n-nodes-base.code"),
    ),
    (
        "type_is_known_and_pinned",
        MAIL,
        set_in("Send Mail", "type", "n8n-nodes-base.slack"),
    ),
    ("node_is_enabled", MAIL, set_in("Send Mail", "disabled", True)),
    ("name_is_a_verb_phrase", SHIP, rename("Create Parcel", "HTTP Request1")),
    ("name_is_a_verb_phrase", SHIP, rename("Create Parcel", "Parcel stuff")),
    ("id_is_readable", MAIL, set_in("Send Mail", "id", "7F0A-11")),
    (
        "webhook_id_is_fixed",
        ENTRY,
        lambda w: node(w, "Receive Delivery").pop("webhookId"),
    ),
    (
        "webhook_id_is_fixed",
        INTAKE,
        set_in("Receive Due Actions", "webhookId", "intake"),
    ),
    ("position_is_on_the_grid", MAIL, set_in("Send Mail", "position", [241, 0])),
    (
        "no_secret_no_host",
        SHIP,
        set_in(
            "Create Parcel",
            "parameters.url",
            "=https://panel.sendcloud.sc/api/v2/parcels",
        ),
    ),
    (
        "no_secret_no_host",
        SHIP,
        set_in("Create Parcel", "parameters.jsonBody", "Bearer " + "x" * 20),
    ),
    (
        "no_secret_no_host",
        MAIL,
        set_in("Send Mail", "parameters.options", {"password": "letmein"}),
    ),
    (
        "credentials_are_ours",
        MAIL,
        set_in("Send Mail", "credentials.smtp.id", "Xk2jd9Lq"),
    ),
    (
        "credentials_are_ours",
        MAIL,
        lambda w: node(w, "Report Result").pop("credentials"),
    ),
    ("calls_are_bounded", SHIP, set_in("Create Parcel", "parameters.options", {})),
    (
        "calls_are_bounded",
        SHIP,
        set_in("Create Parcel", "parameters.options.timeout", 300_000),
    ),
    ("calls_are_bounded", MAIL, set_in("Report Result", "maxTries", 50)),
    ("calls_are_bounded", MAIL, lambda w: node(w, "Send Mail").pop("retryOnFail")),
    (
        "only_repeatable_calls_are_retried",
        SHIP,
        lambda w: node(w, "Create Parcel").update(retryOnFail=True, maxTries=2),
    ),
    (
        "only_repeatable_calls_are_retried",
        REFUND,
        lambda w: node(w, "Create Refund")["parameters"].pop("headerParameters"),
    ),
    (
        "only_repeatable_calls_are_retried",
        MAIL,
        lambda w: node(w, "Send Mail").update(retryOnFail=True, maxTries=2),
    ),
    ("failures_are_caught", SHIP, set_in("Create Parcel", "onError", "stopWorkflow")),
    (
        "expressions_only_pick",
        MAIL,
        set_in("Send Mail", "parameters.subject", "={{ $env.SUBJECT }}"),
    ),
    (
        "expressions_only_pick",
        MAIL,
        set_in("Send Mail", "parameters.subject", "={{ $json.a.reduce((x) => x.b) }}"),
    ),
    (
        "expressions_only_pick",
        MAIL,
        set_in("Send Mail", "parameters.subject", "={{ $json.total * 1 }}"),
    ),
    (
        "expressions_only_pick",
        MAIL,
        set_in("Send Mail", "parameters.subject", "={{ new Date().getTime() }}"),
    ),
    (
        "expressions_only_pick",
        MAIL,
        set_in(
            "Send Mail",
            "parameters.subject",
            "={{ " + "$json.data.mail.subject + " * 40 + "''}}",
        ),
    ),
    ("connections_lead_to_nodes", MAIL, link("Send Mail", 0, ["Report Nothing"])),
    (
        "every_node_is_reached",
        MAIL,
        add_node(type="n8n-nodes-base.set", typeVersion=3.5),
    ),
    ("every_output_leads_on", MAIL, link("Send Mail", 1, [])),
    ("every_output_leads_on", INTAKE, link("Receive Due Actions", 3, [])),
    (
        "every_output_leads_on",
        INTAKE,
        lambda w: w["connections"]["Route by Kind"]["main"].pop(),
    ),
    (
        "no_item_goes_two_ways",
        MAIL,
        link("Receive Actions", 0, ["Send Mail", "Report Result"]),
    ),
    (
        "connector_ends_in_reports",
        MAIL,
        lambda w: (
            add_node(type="n8n-nodes-base.set", typeVersion=3.5)(w),
            link("Send Mail", 0, ["Send Extra"])(w),
        ),
    ),
    (
        "connector_takes_whole_batches",
        INTAKE,
        set_in("Ask for Correction", "parameters.mode", "each"),
    ),
    (
        "connector_takes_whole_batches",
        INTAKE,
        set_in(
            "Ask for Correction",
            "parameters.workflowId.value",
            "={{ $json.kind }}",
        ),
    ),
    (
        "connector_takes_whole_batches",
        MAIL,
        set_in("Receive Actions", "parameters.workflowInputs", {"values": []}),
    ),
    # n8n 2.40.7: a call that does not wait shares its list of items with the called workflow, and
    # an error output empties that list; the connector then ran with nothing and no action was done.
    (
        "calls_without_waiting_have_no_error_output",
        INTAKE,
        set_in("Ask for Correction", "onError", "continueErrorOutput"),
    ),
    (
        "errors_on_the_main_output_go_to_a_report",
        STOCK,
        lambda w: (
            add_node(type="n8n-nodes-base.set", typeVersion=3.5)(w),
            link("Read Product", 0, ["Send Extra"])(w),
        ),
    ),
    (
        "webhooks_are_checked_by_the_service",
        ENTRY,
        set_in("Receive Delivery", "parameters.options.rawBody", False),
    ),
    (
        "webhooks_are_checked_by_the_service",
        ENTRY,
        set_in("Receive Delivery", "parameters.responseMode", "onReceived"),
    ),
    (
        "webhooks_are_checked_by_the_service",
        ENTRY,
        link("Receive Delivery", 0, ["Confirm Delivery"]),
    ),
    (
        "expressions_name_real_nodes",
        SHIP,
        set_in(
            "Take Up Action Again",
            "parameters.jsonOutput",
            "={{ $('Nowhere').item.json }}",
        ),
    ),
    (
        "lines_lead_past_nodes",
        SHIP,
        set_in("Report Failure", "position", [1920, 160]),
    ),
    (
        "other_outputs_are_named",
        "connectors/shop/shopware-status.json",
        lambda w: node(w, "Route by Status")["parameters"]["options"].pop("renameFallbackOutput"),
    ),
]


@pytest.mark.parametrize(
    ("rule", "path", "breaker"),
    BROKEN,
    ids=[f"{i}-{row[0]}" for i, row in enumerate(BROKEN)],
)
def test_each_rule_finds_its_fault(
    workflow_files: Files, rule: str, path: str, breaker: Break
) -> None:
    workflow = copy.deepcopy(workflow_files[path].workflow)
    breaker(workflow)
    problems = check_workflow(WorkflowFile(path, canonical_text(workflow), workflow))
    assert rule in {p.rule for p in problems}
    assert all(p.file == path and p.advice for p in problems)


def test_a_file_that_is_not_canonical_is_found(workflow_files: Files) -> None:
    file = workflow_files[MAIL]
    loose = json.dumps(file.workflow)
    problems = check_workflow(WorkflowFile(MAIL, loose, file.workflow))
    assert [p.rule for p in problems] == ["file_is_canonical"]


def test_every_rule_has_a_broken_example() -> None:
    rules = {rule.__name__ for rule in (*WORKFLOW_RULES, *FLOW_RULES, *CANVAS_RULES, *NODE_RULES)}
    assert rules == {row[0] for row in BROKEN} | {"file_is_canonical"}
