"""Each workflow of the manifest has a page, and the page says what the file says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from kette.domain.actions import STAGE_KINDS, Stage
from support.markdown import DOCS, ROOT, coded, headings, links, rows, section

WORKFLOWS = ROOT / "n8n-workflows"
MANIFEST: dict[str, Any] = json.loads((WORKFLOWS / "manifest.json").read_text("utf-8"))
ENTRIES: list[dict[str, Any]] = [*MANIFEST["workflows"], *MANIFEST.get("alternatives", [])]
PAGES = DOCS / "workflows"
ACTIONS = (PAGES / "actions.md").read_text("utf-8")
CREDENTIALS = {item["id"]: item["name"] for item in MANIFEST["credentials"]}


def page_name(entry: dict[str, Any]) -> str:
    """chain/10-order-intake.json -> 10-order-intake; connectors/mail/smtp.json -> mail-smtp."""
    folder, *rest = entry["file"].removesuffix(".json").split("/")
    return rest[0] if folder == "chain" else "-".join(rest)


def text_of(entry: dict[str, Any]) -> str:
    return (PAGES / f"{page_name(entry)}.md").read_text("utf-8")


def card(entry: dict[str, Any]) -> dict[str, str]:
    """The table at the head of a page."""
    return {row[0]: row[1] for row in rows(text_of(entry).split("\n## ")[0]) if row[0]}


def test_pages_and_manifest_name_the_same_workflows() -> None:
    pages = {page.stem for page in PAGES.glob("*.md")} - {"README", "actions"}
    assert pages == {page_name(entry) for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=page_name)
class TestPage:
    def test_head(self, entry: dict[str, Any]) -> None:
        assert headings(text_of(entry))[0] == (1, entry["name"])
        head = card(entry)
        assert links(head["file"]) == [f"../../n8n-workflows/{entry['file']}"]
        assert head["id"] == f"`{entry['id']}`"
        assert head["credentials"].split(", ") == [CREDENTIALS[c] for c in entry["credentials"]]
        assert (
            coded(head.get("calls", "")) == entry["calls"]
            or re.findall(r"\[`(\w+)`\]", head.get("calls", "")) == entry["calls"]
        )

    def test_parts(self, entry: dict[str, Any]) -> None:
        titles = [title for level, title in headings(text_of(entry)) if level == 2]
        assert titles[:4] == ["Trigger", "Input", "Output", "On failure"]
        for title in titles:
            assert section(text_of(entry), title).strip(), title

    def test_webhook_address(self, entry: dict[str, Any]) -> None:
        nodes = json.loads((WORKFLOWS / entry["file"]).read_text("utf-8"))["nodes"]
        for node in nodes:
            if node["type"] == "n8n-nodes-base.webhook":
                address = f"/webhook/{node['parameters']['path']}"
                assert address in section(text_of(entry), "Trigger")

    def test_actions_of_a_stage(self, entry: dict[str, Any]) -> None:
        nodes = json.loads((WORKFLOWS / entry["file"]).read_text("utf-8"))["nodes"]
        stages = [
            node["parameters"]["stage"]
            for node in nodes
            if node["type"] == "n8n-nodes-kette.ketteTrigger"
        ]
        expected = [kind for stage in stages for kind in STAGE_KINDS[Stage(stage)]]
        assert [k for k in card(entry).get("actions", "").split(", ") if k] == expected


def test_the_index_names_every_id_of_a_connector() -> None:
    index = (PAGES / "README.md").read_text("utf-8")
    told = {row[0].strip("`") for row in rows(section(index, "Connectors"))} - {"id"}
    assert told == {e["id"] for e in MANIFEST["workflows"] if e["kind"] == "connector"}


def test_every_kind_of_action_is_described_or_named_as_not_wanted() -> None:
    text = section(ACTIONS, "Data by kind")
    described = {row[0] for row in rows(text)} - {"kind"}
    paragraph = re.search(r"not wanted by any rule in this version: ([\w, \n]+)\.", text)
    assert paragraph is not None
    unwanted = set(re.split(r",\s+", paragraph[1]))
    assert described | unwanted == {kind for kinds in STAGE_KINDS.values() for kind in kinds}
    assert described & unwanted == set()
    rules = "\n".join(
        path.read_text("utf-8")
        for folder in ("domain/stages", "use_cases")
        for path in (ROOT / "python-service/src/kette" / folder).glob("*.py")
    )
    assert [kind for kind in sorted(unwanted) if f'"{kind}"' in rules] == []
    assert [kind for kind in sorted(described) if f'"{kind}"' not in rules] == []
