"""Long commands, told step by step: what runs, for how long, where its output is."""

from __future__ import annotations

import fcntl
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]

_TELL_EVERY_S = 10.0
_LOG_LINES_SHOWN = 30
_TERMINAL_CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class StepFailedError(Exception):
    """A command ended with an error; the message holds the end of its output."""


def run_step(
    title: str,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    log: Path,
    say: Say,
) -> None:
    """Run command with its output in log and say every ten seconds that it is still running.

    Raises StepFailedError with the last lines of the log.
    """
    say(f"{title} ...")
    started = time.monotonic()
    with log.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        process = subprocess.Popen(
            list(command), cwd=cwd, env=dict(env), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait_talking(process, title, started, say)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    elapsed = time.monotonic() - started
    if process.returncode != 0:
        raise StepFailedError(
            f"{title} failed after {elapsed:.0f} s (exit code {process.returncode}). "
            f"The whole output is in {log}. Its end:\n{last_lines(log)}"
        )
    say(f"{title}: done in {elapsed:.0f} s")


def _wait_talking(process: subprocess.Popen[bytes], title: str, started: float, say: Say) -> None:
    while True:
        try:
            process.wait(timeout=_TELL_EVERY_S)
        except subprocess.TimeoutExpired:
            say(f"{title}: still running, {time.monotonic() - started:.0f} s")
        else:
            return


def last_lines(log: Path, count: int = _LOG_LINES_SHOWN) -> str:
    """Return the last lines of a log file, or an empty string when there is none."""
    if not log.exists():
        return ""
    text = _TERMINAL_CODES.sub("", log.read_text(errors="replace"))
    return "\n".join(text.splitlines()[-count:])


@contextmanager
def exclusive(lock_file: Path, say: Say) -> Iterator[None]:
    """Hold lock_file for the block; a second process waits, and the lock dies with its holder."""
    with lock_file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Waiting for another installation to finish (lock {lock_file.name}) ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_free(lock_file: Path) -> bool:
    """Return whether nobody holds lock_file right now."""
    with lock_file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
