"""Programs are started and ended as groups; what a killed run left does not stop the next one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kette.n8n_runtime.child import (
    Child,
    ProgramError,
    end_leftover,
    free_port,
    is_alive,
    is_port_taken,
    write_pid_file,
)

# Starts a child of its own, writes both process ids and sleeps, as n8n and its task runner do.
_PARENT = """
import os, subprocess, sys, time
runner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), runner.pid, flush=True)
time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[Child]:
    child = Child(
        "parent",
        [sys.executable, "-c", _PARENT],
        cwd=tmp_path,
        env=dict(os.environ),
        log=tmp_path / "parent.log",
        pid_file=tmp_path / "pids" / "parent",
    )
    yield child
    child.stop(grace_s=0)


def started(child: Child) -> tuple[int, int]:
    """Start child and return the ids of it and of its own child."""
    child.start()
    child.wait_until(lambda: len(child.log.read_text().split()) == 2, "it told its ids", 10)
    main, runner = child.log.read_text().split()
    return int(main), int(runner)


def is_process(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_gone(*pids: int) -> bool:
    deadline = time.monotonic() + 5
    while any(is_process(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_ending_a_program_ends_what_it_started(how: str, parent: Child, tmp_path: Path) -> None:
    pids = started(parent)

    getattr(parent, how)()

    assert wait_gone(*pids)
    assert not parent.is_running()
    assert not (tmp_path / "pids" / "parent").exists()


def test_a_killed_program_can_be_started_again(parent: Child) -> None:
    first, _ = started(parent)
    parent.kill()
    parent.log.unlink()

    second, _ = started(parent)

    assert second != first


def test_what_a_dead_run_left_is_ended_by_the_next(parent: Child, tmp_path: Path) -> None:
    pids = started(parent)
    assert is_alive(tmp_path / "pids" / "parent")

    end_leftover(tmp_path / "pids" / "parent")

    assert wait_gone(*pids)


def test_a_pid_that_now_belongs_to_another_process_is_left_alone(tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    write_pid_file(noted, os.getpid())
    pid, _, start = noted.read_text().partition(" ")
    noted.write_text(f"{pid} {int(start) - 1}")

    end_leftover(noted)  # would end this very test run

    assert not is_alive(noted)
    assert not noted.exists()


def test_a_program_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child(
        "short",
        [sys.executable, "-c", "print('port 1 is taken'); raise SystemExit(3)"],
        cwd=tmp_path,
        env=dict(os.environ),
        log=tmp_path / "short.log",
    )
    child.start()

    with pytest.raises(ProgramError, match=r"(?s)ended with code 3 .*port 1 is taken"):
        child.wait_until(lambda: False, "it was ready", 10)


def test_a_program_that_takes_too_long_is_told(parent: Child) -> None:
    parent.start()

    with pytest.raises(ProgramError, match="0 s passed before it was ready"):
        parent.wait_until(lambda: False, "it was ready", 0.2)


def test_a_free_port_is_not_taken() -> None:
    assert not is_port_taken(free_port())
