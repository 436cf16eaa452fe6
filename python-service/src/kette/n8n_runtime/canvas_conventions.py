"""Rules of the canvas: a reader follows every line from one node to the next.

n8n 2.40 draws a node 96 wide and, from the third output on, 32 higher for each; a line to the right
is a Bezier curve whose handles reach half the way. Lines back to the left go around and are not
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kette.n8n_runtime.node_conventions import BASE, STICKY_NOTE
from kette.n8n_runtime.ports import edges, output_count
from kette.n8n_runtime.workflow_files import Workflow

_WIDTH, _HEIGHT, _MORE_PER_OUTPUT = 96, 96, 32
_CLEARANCE = 4
_LOOKS = 100  # points of a curve that are looked at


class Box(NamedTuple):
    """Where a node lies; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        wide, high = self.left - _CLEARANCE, self.top - _CLEARANCE
        return wide < x < self.right + _CLEARANCE and high < y < self.bottom + _CLEARANCE


def lines_lead_past_nodes(workflow: Workflow, *, is_connector: bool) -> Iterator[tuple[str, str]]:
    nodes = {node["name"]: node for node in workflow["nodes"] if node["type"] != STICKY_NOTE}
    boxes = {name: _box(node) for name, node in nodes.items()}
    for source, target, output in edges(workflow):
        if source not in boxes or target not in boxes:
            continue
        curve = list(_curve(boxes[source], boxes[target], output, output_count(nodes[source])))
        for name, box in boxes.items():
            if name not in (source, target) and any(box.holds(x, y) for x, y in curve):
                yield name, f"lies on the line from {source!r} to {target!r}; move one of them"


def other_outputs_are_named(workflow: Workflow, *, is_connector: bool) -> Iterator[tuple[str, str]]:
    for node in workflow["nodes"]:
        options = node["parameters"].get("options", {})
        is_open = node["type"] == f"{BASE}switch" and options.get("fallbackOutput") == "extra"
        if is_open and not options.get("renameFallbackOutput"):
            yield node["name"], "must name its output for everything else (renameFallbackOutput)"


def _box(node: Mapping[str, Any]) -> Box:
    x, y = node["position"]
    height = _HEIGHT + max(0, output_count(node) - 2) * _MORE_PER_OUTPUT
    return Box(x, y, x + _WIDTH, y + height)


def _curve(source: Box, target: Box, output: int, outputs: int) -> Iterator[tuple[float, float]]:
    start = source.top + (source.bottom - source.top) * (output + 1) / (max(outputs, 1) + 1)
    end = (target.top + target.bottom) / 2
    reach = (target.left - source.right) / 2
    if reach <= 0:
        return
    for step in range(1, _LOOKS):
        t = step / _LOOKS
        near, far = 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2
        first, last = (1 - t) ** 3, t**3
        x = first * source.right + (near + far) * (source.right + reach) + last * target.left
        yield x, (first + near) * start + (far + last) * end


CANVAS_RULES = (lines_lead_past_nodes, other_outputs_are_named)
