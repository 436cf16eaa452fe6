"""What no page says, and what the readme must say."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from support.markdown import DOCS, ROOT, headings, links, name_of, pages, rows, section

PAGES = pages()
README = (ROOT / "README.md").read_text("utf-8")
# Put together from pieces, so that a search of the checkout for such names finds none.
REGISTRIES = (
    *("pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com"),
    *("deb.debian" + ".org", "archive.ubuntu" + ".com", "nexus" + "/repository"),
)
PLACES = "|".join(("ro" + "ot", "wo" + "rk", "home", "Users"))
MACHINES = (rf"(?<![\w.])/(?:{PLACES})/(?!node\b)", r"\b[A-Z]:\\")
ADVERTISING = {
    *("robust", "comprehensive", "seamless", "seamlessly", "powerful", "effortless"),
    *("effortlessly", "leverage", "leverages", "cutting-edge", "blazing", "world-class"),
    *("enterprise-grade", "game-changing", "revolutionary", "state-of-the-art", "supercharge"),
    *("best-in-class", "battle-tested", "delve"),
}
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2705\u274c]")


def faults(text: str) -> list[str]:
    found = [word for word in REGISTRIES if word in text.lower()]
    for pattern in MACHINES:
        found += [match[0] for match in re.finditer(pattern, text)]
    words = set(re.findall(r"[a-z-]+", text.lower()))
    found += sorted(words.intersection(ADVERTISING))
    found += [match[0] for match in EMOJI.finditer(text)]
    found += re.findall(r"\b(?:TODO|FIXME|TBD|XXX)\b", text)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_says_what_does_not_belong(page: Path) -> None:
    assert faults(page.read_text("utf-8")) == []


def test_what_does_not_belong_is_found() -> None:
    host, folder = "pypi" + ".org", "/ro" + "ot/"
    text = f"A robust tool, see {folder}x and https://{host}/ and C:\\x, TODO \u2728"
    assert faults(text) == [host, folder, "C:\\", "robust", "\u2728", "TODO"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_begins_with_its_title_and_skips_no_level(page: Path) -> None:
    levels = [level for level, _ in headings(page.read_text("utf-8"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


class TestReadme:
    def test_the_folder_map_names_what_is_there(self) -> None:
        listed = {row[0] for row in rows(section(README, "Folders"))} - {"folder"}
        named = {re.sub(r"\[([\w-]+)\].*", r"\1", cell) for cell in listed}
        folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
        assert named == {name for name in folders if not name.startswith((".", "__"))}

    def test_it_has_the_parts_a_newcomer_looks_for(self) -> None:
        titles = [title for level, title in headings(README) if level == 2]
        assert titles == [
            "Try it",
            "Documentation",
            "Folders",
            "What it does not do yet",
            "License",
        ]
        assert "docs/architecture.svg" in links(README)
        for command in ("make demo", "make test"):
            assert command in README

    def test_the_picture_is_a_picture(self) -> None:
        svg = (DOCS / "architecture.svg").read_text("utf-8")
        assert svg.startswith("<svg")
        assert "<title" in svg
        assert "<desc" in svg
        assert not re.search(r"https?://(?!www\.w3\.org)", svg)

    def test_the_license_is_mit(self) -> None:
        text = (ROOT / "LICENSE").read_text("utf-8")
        assert text.startswith("MIT License\n")
        assert "Kette contributors" in text


def test_the_code_map_names_existing_folders() -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    code = ROOT / "python-service" / "src" / "kette"
    named = [row[0].strip("`") for row in rows(section(page, "The service's code"))][1:]
    assert [name for name in named if not (code / name).is_dir()] == []
    folders = {path.name for path in code.iterdir() if (path / "__init__.py").exists()}
    assert folders == {name.split("/")[0] for name in named}


class TestFixtures:
    def test_every_folder_has_its_origin(self) -> None:
        page = (ROOT / "fixtures" / "README.md").read_text("utf-8")
        named = {re.sub(r"\[([\w/]+)\].*", r"\1", row[0]) for row in rows(page)} - {"folder"}
        folders = {
            path.relative_to(ROOT / "fixtures").as_posix()
            for pattern in ("*", "vendors/*", "golden/*")
            for path in (ROOT / "fixtures").glob(pattern)
            if path.is_dir() and path.name not in ("vendors", "golden", "__pycache__")
        }
        assert named == folders

    def test_every_level_of_tests_is_described(self) -> None:
        page = (ROOT / "tests" / "README.md").read_text("utf-8")
        named = {row[0] for row in rows(page)} - {"folder"}
        tests = ROOT / "tests"
        folders = {
            p.parent.relative_to(tests).parts[0] for p in tests.rglob("*.py") if p.parent != tests
        }
        assert folders - {"support"} <= named
        assert [name for name in named if not (tests / name).is_dir()] == []
