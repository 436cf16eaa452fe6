"""A wrong scenario file is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox.scenario import ScenarioError, duration_s, load_scenario

GOOD = """title: Test
orders:
  main:
    basket:
      - {sku: TEE-250, quantity: 1}
timeline:
  - {at: 0s, do: {place: main}}
  - at: 1d
    do: {pay: {order: main}}
expect:
  - at: end
    statuses: {order: valid}
"""


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        ("title: Test", "titel: Test", 1, "unknown field `titel`"),
        ("at: 1d", "at: tomorrow", 8, "no duration"),
        ("{pay: {order: main}}", "{pay: {order: other}}", 8, "unknown order 'other'"),
        ("{pay: {order: main}}", "{fly: main}", 8, "unknown trigger 'fly'"),
        ("{pay: {order: main}}", "{pay: {order: main, risk: 1}}", 8, "no parameter 'risk'"),
        ("{pay: {order: main}}", "{pay: {order: main, risk_score: high}}", 8, "Expected `int`"),
        ("    statuses: {order: valid}", "    statuses: {mood: good}", 12, "unknown axis 'mood'"),
        ("    statuses: {order: valid}", "    parcels: 3", 12, "Expected `array | null`"),
        ("timeline:", "timeline: [", 7, "expected the node content"),
    ],
    ids=["field", "time", "order", "verb", "parameter", "type", "axis", "list", "yaml"],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, line: int, text: str) -> None:
    path = tmp_path / "99-test.yaml"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"{path}:{line}:")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "99-test.yaml"
    path.write_text(GOOD, encoding="utf-8")
    scenario = load_scenario(path)
    assert (scenario.name, scenario.end_s) == ("99-test", 90_000)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0s", 0), ("90m", 5400), ("1d12h", 129_600), ("2d1m", 172_860)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds
