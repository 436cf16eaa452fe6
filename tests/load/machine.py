"""What the figures were measured on, and what a process has computed so far."""

from __future__ import annotations

import os
import platform
import sqlite3
import time
from pathlib import Path
from statistics import median


def describe(folder: Path) -> str:
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    load = os.getloadavg()[0]
    lines = [
        f"{cpu}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}",
        f"A write that reaches the disk: {_disk_ms(folder):.2f} ms (median). Load: {load:.1f}.",
    ]
    if load > 0.3 * (os.cpu_count() or 1):
        lines.append("The machine is busy with other things; the figures will vary.")
    return "\n".join(lines)


def _disk_ms(folder: Path) -> float:
    times = []
    with (folder / "probe").open("wb", buffering=0) as probe:
        for _ in range(100):
            began = time.perf_counter()
            probe.write(b"x" * 4096)
            os.fdatasync(probe.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return median(times)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
