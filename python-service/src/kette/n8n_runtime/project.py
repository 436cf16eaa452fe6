"""Where things lie in a checkout, and where installed things are cached."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


class ProjectNotFoundError(Exception):
    """No checkout of Kette was found; the message says how to name one."""


@dataclass(frozen=True)
class Project:
    """The folders of one checkout."""

    root: Path

    @property
    def workflows(self) -> Path:
        return self.root / "n8n-workflows"

    @property
    def runtime(self) -> Path:
        """package.json and lock file of the pinned n8n."""
        return self.workflows / "runtime"

    @property
    def node_specs(self) -> Path:
        return self.root / "node-specs"

    @property
    def fixtures(self) -> Path:
        return self.root / "fixtures"

    @property
    def run(self) -> Path:
        """State of running programs, ignored by git."""
        return self.root / ".run"


def find_project(start: Path | None = None) -> Project:
    """Return the checkout KETTE_PROJECT_ROOT names, or the one around start, cwd or this file."""
    named = os.environ.get("KETTE_PROJECT_ROOT")
    places = [Path(named)] if named else [start or Path.cwd(), Path(__file__)]
    for place in places:
        resolved = place.resolve()
        for folder in (resolved, *resolved.parents):
            if (folder / "n8n-workflows").is_dir() and (folder / "python-service").is_dir():
                return Project(folder)
    raise ProjectNotFoundError(
        "No checkout of Kette found here. Run the command inside it or set KETTE_PROJECT_ROOT."
    )


def cache_folder() -> Path:
    """Return the cache folder, created if missing: XDG_CACHE_HOME/kette or ~/.cache/kette."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base).expanduser().resolve() / "kette"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
