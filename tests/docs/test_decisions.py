"""The decisions: numbered without gaps, all listed, all of one shape, one page each."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.markdown import DOCS, ROOT, headings, links, name_of

FOLDER = DOCS / "decisions"
PAGES = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
PARTS = ["Context", "Decision", "Consequences", "Alternatives", "References"]
MOST_LINES = 80


def test_numbers_run_without_gaps() -> None:
    numbers = [page.name[:4] for page in PAGES]
    assert numbers == [f"{n:04d}" for n in range(1, len(PAGES) + 1)]


def test_the_index_lists_them_in_order() -> None:
    index = (FOLDER / "README.md").read_text("utf-8")
    assert links(index) == [page.name for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_decision_has_its_parts_on_one_page(page: Path) -> None:
    text = page.read_text("utf-8")
    titles = headings(text)
    assert titles[0][0] == 1
    assert titles[0][1].startswith(page.name[:4] + " ")
    assert re.search(r"^Status: (accepted|superseded by \d{4}), \d{4}-\d{2}$", text, re.M)
    assert [title for level, title in titles if level == 2] == PARTS
    assert len(text.splitlines()) <= MOST_LINES


def test_pages_that_the_code_names_exist() -> None:
    """A comment that sends the reader to a page must not send him nowhere."""
    missing = []
    for folder in ("python-service/src", "fixtures/sandbox", "n8n-workflows", "node-specs/nodes"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix not in (".py", ".ts", ".json") or "node_modules" in path.parts:
                continue
            text = path.read_text("utf-8")
            for name in re.findall(r"docs/(?:[\w-]+/)*[\w-]+\.(?:md|svg)", text):
                if not (ROOT / name).is_file() and "http" not in text[: text.find(name)][-40:]:
                    missing.append(f"{name_of(path)}: {name}")
            for number in re.findall(r"ADR[ -]?(\d{4})", text):
                if not list(FOLDER.glob(f"{number}-*.md")):
                    missing.append(f"{name_of(path)}: ADR {number}")
    assert missing == []
