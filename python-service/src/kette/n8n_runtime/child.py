"""A program of ours: its own process group, its output in a file, ended with all it started.

n8n starts a task runner of its own; killing only n8n would leave the runner behind. Each program
therefore leads a process group, and signals go to the group, never to anything found by name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kette.n8n_runtime.steps import last_lines


class ProgramError(Exception):
    """A program did not start, did not become ready or ended by itself."""


class Child:
    """One program that can be started, watched, killed and started again."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        pid_file: Path | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._cwd = cwd
        self._env = dict(env)
        self._pid_file = pid_file
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise ProgramError(f"{self.name} was not started.")
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the program; what a killed earlier run left in the pid file is stopped first."""
        if self.is_running():
            raise ProgramError(f"{self.name} is already running as process {self.pid}.")
        if self._pid_file is not None:
            end_leftover(self._pid_file)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self._pid_file is not None:
            write_pid_file(self._pid_file, self.pid)

    def wait_until(self, ready: Callable[[], bool], what: str, timeout_s: float) -> None:
        """Return when ready() is true. Raises ProgramError when the program ends first."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.is_running():
                code = self._process.returncode if self._process else None
                raise ProgramError(
                    f"{self.name} ended with code {code} before {what}.{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise ProgramError(
                    f"{self.name}: {timeout_s:.0f} s passed before {what}.{self._tail()}"
                )
            time.sleep(0.1)

    def kill(self) -> None:
        """End the whole group at once (SIGKILL), as a power cut would."""
        self._signal(signal.SIGKILL)
        self._forget()

    def stop(self, grace_s: float = 10.0) -> None:
        """Ask the program to end, and after grace_s end the whole group."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=grace_s)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return

    def _forget(self) -> None:
        if self._process is not None:
            self._process.wait()
        if self._pid_file is not None:
            self._pid_file.unlink(missing_ok=True)

    def _tail(self) -> str:
        return f" The end of {self.log}:\n{last_lines(self.log)}"


def write_pid_file(pid_file: Path, pid: int) -> None:
    """Note a process. A pid is reused; together with its start time it names one process only."""
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    pid_file.write_text(f"{pid} {_started_at(pid)}")


def is_alive(pid_file: Path) -> bool:
    """Return whether the very process that was noted still runs."""
    return _noted(pid_file) is not None


def end_leftover(pid_file: Path) -> bool:
    """Kill the group that the noted process leads, if that very process still runs.

    Returns whether it did; the ports of what was killed become free a moment later.
    """
    pid = _noted(pid_file)
    if pid is not None:
        os.killpg(pid, signal.SIGKILL)
        while _noted(pid_file) == pid:
            time.sleep(0.05)
    pid_file.unlink(missing_ok=True)
    return pid is not None


def _noted(pid_file: Path) -> int | None:
    try:
        pid_text, _, started = pid_file.read_text().partition(" ")
        pid = int(pid_text)
    except (FileNotFoundError, ValueError):
        return None
    return pid if started and _started_at(pid) == started else None


def _started_at(pid: int) -> str:
    """Return the start time of a process in clock ticks since boot, or "" if it is not running."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    is_zombie = fields[0] == "Z"
    return "" if is_zombie else fields[19]


def free_port() -> int:
    """Return a port of the loopback address that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_port_taken(port: int) -> bool:
    """Return whether the port cannot be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
