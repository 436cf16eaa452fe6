"""Read the project's Markdown: files, headings, links, code blocks, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```\s*$", re.M | re.S)
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+(?:\([^()]*\))?)\)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*$", re.M)


@dataclass(frozen=True)
class Block:
    """A fenced code block: the words after its fence, its text, its first line."""

    words: tuple[str, ...]
    text: str
    line: int


def pages() -> list[Path]:
    """Every Markdown file that is ours to keep right: the whole checkout but tools and caches."""
    skipped = {".venv", ".run", ".git", "node_modules", "dist", ".pytest_cache", ".hypothesis"}
    found = (
        path
        for path in ROOT.rglob("*.md")
        if not skipped.intersection(path.relative_to(ROOT).parts)
    )
    return sorted(found)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    return [
        Block(tuple(m[1].split()), m[2], text.count("\n", 0, m.start(2)) + 1)
        for m in _FENCE.finditer(text)
    ]


def prose(text: str) -> str:
    """The text without its code blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    return [match[1] for match in _LINK.finditer(re.sub(r"`[^`\n]*`", "", prose(text)))]


def anchors(text: str) -> set[str]:
    """The names under which a page's headings can be linked, made as GitHub makes them."""
    found: set[str] = set()
    for _, heading in headings(text):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        name, count = slug, 0
        while name in found:
            count += 1
            name = f"{slug}-{count}"
        found.add(name)
    return found


def headings(text: str) -> list[tuple[int, str]]:
    return [(len(m[1]), m[2]) for m in _HEADING.finditer(prose(text))]


def section(text: str, title: str) -> str:
    """What stands below a heading, up to the next one of the same or a higher level."""
    match = next(m for m in _HEADING.finditer(text) if m[2] == title)
    rest = text[match.end() :]
    end = next((m.start() for m in _HEADING.finditer(rest) if len(m[1]) <= len(match[1])), None)
    return rest[:end]


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row but heads and rulers."""
    for line in prose(text).splitlines():
        if not line.startswith("|") or re.fullmatch(r"[|\s:-]+", line):
            continue
        yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def coded(text: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", prose(text))
