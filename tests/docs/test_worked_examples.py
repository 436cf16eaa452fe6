"""Code blocks marked `worked-example` are run, page by page, and must print what they show."""

from __future__ import annotations

import doctest
import json
from pathlib import Path

import pytest
from support.markdown import DOCS, blocks, name_of, pages

MARKED = [
    page
    for page in pages()
    if any("worked-example" in block.words for block in blocks(page.read_text("utf-8")))
]


def run(page: Path) -> tuple[int, str]:
    """Number of examples, and what differed. One page is one session."""
    session: dict[str, object] = {}
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    parser = doctest.DocTestParser()
    for block in blocks(page.read_text("utf-8")):
        if "worked-example" in block.words:
            test = parser.get_doctest(block.text, session, name_of(page), str(page), block.line - 1)
            runner.run(test, out=said.append, clear_globs=False)
            session.update(test.globs)
    return runner.summarize(verbose=False).attempted, "".join(said)


@pytest.mark.parametrize("page", MARKED, ids=name_of)
def test_worked_examples_are_true(page: Path) -> None:
    count, differences = run(page)
    assert differences == ""
    assert count > 0


def test_the_algorithms_have_worked_examples() -> None:
    marked = {page.name for page in MARKED if page.parent == DOCS / "algorithms"}
    assert {"allocation.md", "tax-rounding.md"} <= marked


def test_a_wrong_example_is_found(tmp_path: Path) -> None:
    page = tmp_path / "wrong.md"
    page.write_text("```pycon worked-example\n>>> 1 + 1\n3\n```\n")
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(
        blocks(page.read_text())[0].text, {}, "wrong", str(page), 1
    )
    doctest.DocTestRunner().run(test, out=said.append)
    assert "Expected:" in "".join(said)


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_json_in_the_pages_is_json(page: Path) -> None:
    for block in blocks(page.read_text("utf-8")):
        if block.words[:1] == ("json",):
            json.loads(block.text)
