"""Read YAML into nodes that know their line, with limits, and refuse what a setup never needs.

The file is scanned as a stream of events first: aliases (the stuff of "billion laughs" bombs),
custom tags, deep nesting and duplicate documents are refused there, before any tree is built.
Values stay nodes; what they mean is decided by the schema (setup_schema.py), so a postal code
01067 keeps its zero and the country code NO does not become a boolean.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

MAX_BYTES = 512 * 1024
MAX_DEPTH = 12
MAX_EVENTS = 50_000
_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "value", "merge")
)


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong in the file. line and column count from 1; path is dotted."""

    line: int
    column: int
    path: str
    message: str
    hint: str

    def render(self, file: str) -> str:
        """FILE:LINE:COL field.path: message (what to do)"""
        path = f" {self.path}:" if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{file}:{self.line}:{self.column}{path} {self.message}{hint}"


def parse_document(data: bytes) -> tuple[yaml.Node | None, list[Problem]]:
    """Return the root node and what makes the file unreadable; one of the two is empty."""
    if len(data) > MAX_BYTES:
        message = f"the file has {len(data)} bytes, more than {MAX_BYTES}"
        return None, [Problem(1, 1, "", message, "a setup has some hundred lines: is it the file?")]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [_encoding_problem(data, error)]
    problem = _scan(text)
    if problem is not None:
        return None, [problem]
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is None or (isinstance(root, yaml.ScalarNode) and not root.value.strip()):
        return None, [Problem(1, 1, "", "the file is empty", "start from a ready setup")]
    return root, []


def _encoding_problem(data: bytes, error: UnicodeDecodeError) -> Problem:
    before = data[: error.start]
    line = before.count(b"\n") + 1
    column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
    message = f"byte 0x{data[error.start]:02x} is not UTF-8"
    return Problem(line, column, "", message, "save the file with encoding UTF-8")


def _scan(text: str) -> Problem | None:
    depth = 0
    documents = 0
    try:
        for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            documents += isinstance(event, yaml.DocumentStartEvent)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            refusal = _refusal(event, depth, count, documents)
            if refusal is not None:
                mark = event.start_mark
                line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
                return Problem(line, column, "", *refusal)
    except yaml.MarkedYAMLError as error:
        return _syntax_problem(error)
    except yaml.reader.ReaderError as error:
        position = error.position if isinstance(error.position, int) else 0
        before = text[:position]
        line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
        return Problem(
            line, column, "", "a control character is not allowed in YAML", "delete the character"
        )
    except (RecursionError, ValueError) as error:
        # PyYAML lets a bad escape such as "\Uffffffff" out as a plain ValueError.
        return Problem(1, 1, "", f"not readable as YAML: {error}"[:200], "check quotes and escapes")
    return None


def _refusal(event: Any, depth: int, count: int, documents: int) -> tuple[str, str] | None:
    if isinstance(event, yaml.AliasEvent):
        return f"alias *{event.anchor} is not allowed", "write the value out in each place"
    if getattr(event, "anchor", None):
        return f"anchor &{event.anchor} is not allowed", "write the value out in each place"
    tag = getattr(event, "tag", None)
    if tag and tag not in _CORE_TAGS and tag != "!":
        return f"tag {tag[:60]} is not allowed", "write a plain value"
    if depth > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH} levels", "a setup has at most five levels"
    if documents > 1:
        return "a second document begins here", "keep one document per file, without ---"
    if count > MAX_EVENTS:
        return f"more than {MAX_EVENTS} values", "a setup has some hundred lines: is it the file?"
    return None


def _syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = error.problem or error.context or "not readable as YAML"
    if "\\t" in message:
        return Problem(line, column, "", "a tab cannot indent", "indent with blanks")
    return Problem(line, column, "", f"not readable as YAML: {message}", "check indent and quotes")
