"""Imports point inwards: domain <- use_cases <- adapters, api, cli <- bootstrap."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "python-service" / "src" / "kette"
FORBIDDEN = {
    "domain": ("use_cases", "adapters", "api", "cli", "bootstrap", "settings", "policies"),
    "use_cases": ("adapters", "api", "cli", "bootstrap", "settings"),
    "adapters": ("api", "cli", "bootstrap"),
    "api": ("cli", "bootstrap"),
}
NO_SHELL_IN_DOMAIN = {
    "os",
    "time",
    "random",
    "secrets",
    "logging",
    "structlog",
    "httpx",
    "sqlalchemy",
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_no_import_points_outwards(layer: str) -> None:
    outwards = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in sorted((PACKAGE / layer).rglob("*.py"))
        for name in imported(file)
        if name.startswith(tuple(f"kette.{outer}" for outer in FORBIDDEN[layer]))
    ]
    assert outwards == []


def test_the_domain_touches_no_clock_chance_or_outside() -> None:
    touched = [
        f"{file.name}: {name}"
        for file in sorted((PACKAGE / "domain").rglob("*.py"))
        for name in imported(file)
        if name.split(".")[0] in NO_SHELL_IN_DOMAIN
    ]
    assert touched == []


def test_an_import_that_points_outwards_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "rule.py"
    file.write_text("from kette.adapters.database import engine\nimport time\n")
    assert list(imported(file)) == ["kette.adapters.database", "time"]
