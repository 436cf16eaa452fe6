"""From an empty folder to an n8n with nodes and credentials, ready for workflows."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

from kette.n8n_runtime.child import free_port
from kette.n8n_runtime.credentials import CredentialValue, write_credentials
from kette.n8n_runtime.install import ensure_n8n, ensure_node_package
from kette.n8n_runtime.node import find_node
from kette.n8n_runtime.process import N8n, N8nPlace, install_node_package
from kette.n8n_runtime.project import Project, find_project
from kette.n8n_runtime.steps import Say

_PRELOAD = "refuse-while-starting.cjs"


def prepare_n8n(
    folder: Path,
    *,
    say: Say = print,
    port: int | None = None,
    password: str | None = None,
    node_package: Path | None = None,
    extra_env: Mapping[str, str] | None = None,
    pid_file: Path | None = None,
) -> N8n:
    """Return an n8n in folder, not started, with the node package of this checkout installed.

    Installs n8n and builds the package first where the cache has none. The encryption key is made
    once per folder and kept there. password is n8n's owner's; without one a random one is made.
    """
    project = find_project()
    folder.mkdir(parents=True, exist_ok=True)
    place = N8nPlace(
        folder=folder,
        install=ensure_n8n(project, say),
        node=find_node(),
        port=port or free_port(),
        password=password or f"Kette1{secrets.token_hex(8)}",
        encryption_key=_encryption_key(folder),
        extra_env={"NODE_OPTIONS": _node_options(project), **(extra_env or {})},
    )
    install_node_package(place, node_package or ensure_node_package(project, say))
    return N8n(place, log=folder / "n8n.log", pid_file=pid_file)


def add_credentials(n8n: N8n, values: Iterable[CredentialValue]) -> None:
    """Write credentials with their fixed ids into an n8n's database; n8n need not run."""
    file = n8n.place.home / "credentials.json"
    write_credentials(file, values)
    try:
        n8n.import_credentials(file)
    finally:
        file.unlink()


def _node_options(project: Project) -> str:
    """The caller's own, and the script that lets a starting n8n refuse deliveries."""
    preload = f'--require "{project.runtime / _PRELOAD}"'
    return f"{os.environ.get('NODE_OPTIONS', '')} {preload}".strip()


def _encryption_key(folder: Path) -> str:
    file = folder / "encryption-key"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(24))
    return file.read_text()
