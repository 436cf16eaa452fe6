"""docs/algorithms/risk.md against the weights that the rules use."""

from __future__ import annotations

from kette.policies import load_intake_data
from support.markdown import DOCS, rows, section

PAGE = (DOCS / "algorithms" / "risk.md").read_text("utf-8")


def test_every_signal_is_described_with_its_weight() -> None:
    told = {row[0]: int(row[1]) for row in list(rows(section(PAGE, "Signals")))[1:]}
    assert {name.strip("`"): weight for name, weight in told.items()} == (
        load_intake_data().risk.weights
    )
