"""What a long command tells its user: one line per step with the time since the start.

Plain lines on purpose: they read the same in a terminal, in a log file and in a build.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import typer


def elapsed_lines() -> Callable[[str], None]:
    """Return a function that prints a line with the seconds since this call."""
    started = time.monotonic()

    def say(text: str) -> None:
        typer.echo(f"[{time.monotonic() - started:5.1f} s] {text}")

    return say
