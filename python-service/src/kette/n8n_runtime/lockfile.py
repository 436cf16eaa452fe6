"""Make an npm lock file whole: `python -m kette.n8n_runtime.lockfile FILE...`.

`npm install` leaves out of the lock file what the registry at hand could not deliver: builds of
native packages for other platforms. `npm ci` then refuses the whole file. Their versions are
pinned by the packages that want them, so the entries can be written without fetching anything.
Funding links are dropped: they change without the packages changing.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_EXACT = re.compile(r"\d+\.\d+\.\d+(-[\w.]+)?")
_SYSTEMS = {"aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony"}
_SYSTEMS |= {"sunos", "win32"}
_PROCESSORS = {"arm", "arm64", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64"}
_PROCESSORS |= {"wasm32"}


class LockFileError(Exception):
    """A lock file lacks a package that cannot be written without the registry."""


def complete_lock(lock: dict[str, Any]) -> list[str]:
    """Add the missing optional platform packages to lock, drop funding, return what was added."""
    packages: dict[str, dict[str, Any]] = lock["packages"]
    added = []
    for place, entry in list(packages.items()):
        entry.pop("funding", None)
        for name, version in entry.get("optionalDependencies", {}).items():
            if not _is_resolved(packages, place, name):
                packages[f"node_modules/{name}"] = _platform_entry(name, version)
                added.append(name)
    root = packages.pop("")
    lock["packages"] = {"": root, **dict(sorted(packages.items()))}
    return added


def _is_resolved(packages: dict[str, dict[str, Any]], place: str, name: str) -> bool:
    """Look where Node would: in the package's own node_modules, then in each one above it."""
    while True:
        prefix = f"{place}/" if place else ""
        if f"{prefix}node_modules/{name}" in packages:
            return True
        if not place:
            return False
        place = place.rpartition("node_modules/")[0].rstrip("/")


def _platform_entry(name: str, version: str) -> dict[str, Any]:
    words = name.rpartition("/")[2].split("-")
    systems = [word for word in words if word in _SYSTEMS]
    processors = [word for word in words if word in _PROCESSORS]
    if not _EXACT.fullmatch(version) or not (systems or processors):
        raise LockFileError(f"{name}@{version} is missing and is no pinned platform package.")
    entry: dict[str, Any] = {"version": version, "optional": True}
    if processors:
        entry["cpu"] = processors
    if systems:
        entry["os"] = systems
    return dict(sorted(entry.items(), key=lambda pair: (pair[0] != "version", pair[0])))


def main(files: list[str]) -> int:
    for name in files:
        file = Path(name)
        text = file.read_text()
        # npm keeps the indentation of package.json; keep what the file has.
        indent: int | str = "\t" if text.startswith("{\n\t") else 2
        lock = json.loads(text)
        added = complete_lock(lock)
        file.write_text(json.dumps(lock, indent=indent, ensure_ascii=False) + "\n")
        print(f"{file}: {len(added)} platform packages added")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
