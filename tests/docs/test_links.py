"""Every link of every page leads somewhere, and every file that a page names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.markdown import DOCS, ROOT, anchors, coded, links, name_of, pages

PAGES = pages()
_ROOT = ROOT.resolve()
_CODE = ROOT / "python-service" / "src" / "kette"
# Where a file named in running text may be, besides the place from the root.
_PLACES = (ROOT, _CODE, _CODE / "domain", _CODE / "adapters" / "database", ROOT / "python-service")
# What a user of the checkout makes: git ignores it.
_MADE_BY_USERS = set((ROOT / ".gitignore").read_text().split())
_FILE = re.compile(r"[\w./-]+/[\w.-]+\.(?:py|json|ya?ml|md|ts|txt|svg)")


def broken_links(page: Path, root: Path = _ROOT) -> list[str]:
    broken = []
    for link in links(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        is_inside = root in (target, *target.parents)
        is_anchor_there = not anchor or anchor in anchors(target.read_text("utf-8"))
        if not (is_inside and target.exists() and is_anchor_there):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    assert broken_links(page.resolve()) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A title\n[a](missing.md) [b](#a-title) [c](#other) [d](https://x.example/) [e](../up.md)"
    )
    assert broken_links(page, tmp_path) == ["missing.md", "#other", "../up.md"]


def missing_files(text: str) -> list[str]:
    """Files named between backticks that are nowhere."""
    return [
        word
        for word in coded(text)
        if _FILE.fullmatch(word)
        and word not in _MADE_BY_USERS
        and not any((place / word).exists() for place in _PLACES)
    ]


@pytest.mark.parametrize(
    "page", [p for p in PAGES if DOCS in p.parents or p.parent == ROOT], ids=name_of
)
def test_named_files_exist(page: Path) -> None:
    assert missing_files(page.read_text("utf-8")) == []


def test_a_named_file_that_is_missing_is_found() -> None:
    assert missing_files("see `domain/money.py` and `domain/nothing.py`") == ["domain/nothing.py"]


def test_every_page_is_reached_from_the_readme() -> None:
    """A page that nobody links is a page that nobody reads."""
    reached: set[Path] = set()
    queue = [ROOT.resolve() / "README.md"]
    while queue:
        page = queue.pop()
        if page in reached or page.suffix != ".md" or not page.is_file():
            continue
        reached.add(page)
        for link in links(page.read_text("utf-8")):
            if not re.match(r"[a-z]+:", link) and link.partition("#")[0]:
                queue.append((page.parent / link.partition("#")[0]).resolve())
    ours = {p.resolve() for p in PAGES if p.is_relative_to(DOCS) or p.name == "README.md"}
    assert sorted(name_of(p) for p in PAGES if p.resolve() in ours - reached) == []
