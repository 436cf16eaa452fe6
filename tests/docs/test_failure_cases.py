"""docs/failure-cases.md against the scenarios and tests that it names."""

from __future__ import annotations

import re

import pytest
from sandbox.scenario import load_all
from support.markdown import DOCS, ROOT, rows, section

PAGE = (DOCS / "failure-cases.md").read_text("utf-8")
INTAKE = {int(row[0]): row[2] for row in rows(section(PAGE, "Intake")) if row[0].isdigit()}
SCENARIOS = {s.name[:2]: s for s in load_all(ROOT / "fixtures" / "scenarios")}


def scenario_numbers(text: str) -> list[str]:
    return re.findall(r"\b\d\d\b", re.sub(r"`[^`]*`", "", text))


def test_every_case_of_the_intake_has_a_row() -> None:
    assert list(INTAKE) == list(range(1, 14))


@pytest.mark.parametrize("number", INTAKE)
def test_what_shows_a_case_exists(number: int) -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py)`", INTAKE[number])
    assert [path for path in tests if not (ROOT / path).is_file()] == []
    assert [n for n in scenario_numbers(INTAKE[number]) if n not in SCENARIOS] == []
    assert tests or scenario_numbers(INTAKE[number])


def test_tests_that_are_named_by_a_case_are_on_the_page() -> None:
    named = {
        (int(number), str(path.relative_to(ROOT)))
        for path in (ROOT / "tests").rglob("test_*.py")
        for number in re.findall(r"def test_\w+_case_(\d+)\b", path.read_text("utf-8"))
    }
    told = {(n, path) for n, text in INTAKE.items() for path in re.findall(r"`([^`]+)`", text)}
    assert sorted(named - told) == []
    assert named


def test_scenarios_and_page_name_the_same_cases() -> None:
    told = {(n, name) for n, text in INTAKE.items() for name in scenario_numbers(text)}
    named = {(n, name) for name, s in SCENARIOS.items() for n in s.failure_cases if n <= 13}
    assert told == named


def test_the_numbers_of_scenarios_are_unique() -> None:
    files = sorted((ROOT / "fixtures" / "scenarios").glob("[0-9]*.yaml"))
    assert len(files) == len(SCENARIOS)
