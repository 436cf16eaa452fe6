"""docs/failure-cases.md against the scenarios and tests that it names."""

from __future__ import annotations

import re

import pytest
from sandbox.scenario import load_all
from support.markdown import DOCS, ROOT, rows, section

PAGE = (DOCS / "failure-cases.md").read_text("utf-8")
INTAKE = {int(row[0]): row[2] for row in rows(section(PAGE, "Intake")) if row[0].isdigit()}
SCENARIOS = {s.name[:2]: s for s in load_all(ROOT / "fixtures" / "scenarios")}
WAIT_FOR_PULLS = {5, 7}


def scenario_numbers(text: str) -> list[str]:
    return re.findall(r"\b\d\d\b", re.sub(r"`[^`]*`", "", text))


def test_every_case_of_the_intake_has_a_row() -> None:
    assert list(INTAKE) == list(range(1, 14))


@pytest.mark.parametrize("number", INTAKE)
def test_what_shows_a_case_exists(number: int) -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py)`", INTAKE[number])
    assert [path for path in tests if not (ROOT / path).is_file()] == []
    assert [n for n in scenario_numbers(INTAKE[number]) if n not in SCENARIOS] == []
    is_shown = bool(tests or scenario_numbers(INTAKE[number]))
    assert is_shown is (number not in WAIT_FOR_PULLS)


def test_scenarios_and_page_name_the_same_cases() -> None:
    told = {(n, name) for n, text in INTAKE.items() for name in scenario_numbers(text)}
    named = {(n, name) for name, s in SCENARIOS.items() for n in s.failure_cases if n <= 13}
    assert told == named


def test_the_numbers_of_scenarios_are_unique() -> None:
    files = sorted((ROOT / "fixtures" / "scenarios").glob("[0-9]*.yaml"))
    assert len(files) == len(SCENARIOS)
