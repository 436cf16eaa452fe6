"""One real n8n on loopback: its folder, environment, node package, life and death.

Settings follow measurements on n8n 2.40.7: expressions are evaluated in a sandbox that is built
only when a workflow needs one, and modules that only cost time are off.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from kette.n8n_runtime.child import Child, ProgramError, free_port
from kette.n8n_runtime.node import NodeRuntime
from kette.n8n_runtime.rest import N8nApi, create_api_key, publication_status, sign_in

OWNER_EMAIL = "owner@example.com"
_READY_TIMEOUT_S = 180.0
# A workflow without a trigger of its own, such as one that others call, stays "not_published".
_SETTLED = {"published", "not_published"}
_OFF_MODULES = "insights,instance-ai,mcp-registry,chat-hub,workflow-builder"


@dataclass(frozen=True)
class N8nPlace:
    """Where one n8n lives. folder is its home: database, nodes and files are below it."""

    folder: Path
    install: Path
    node: NodeRuntime
    port: int
    password: str
    encryption_key: str
    timezone: str = "Europe/Berlin"
    email: str = OWNER_EMAIL
    extra_env: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def home(self) -> Path:
        # n8n compares real paths when it checks file access.
        return self.folder.resolve()

    @property
    def archive(self) -> Path:
        """What a workflow writes as .n8n-files/archive/<name>."""
        return self.home / ".n8n-files" / "archive"

    @property
    def command(self) -> list[str]:
        return [str(self.node.node), str(self.install / "node_modules" / "n8n" / "bin" / "n8n")]


def n8n_environment(place: N8nPlace, broker_port: int) -> dict[str, str]:
    """Return the environment of place's n8n; the caller's own n8n settings do not leak in."""
    inherited = {
        name: value
        for name, value in place.node.environment().items()
        if not name.startswith(("N8N_", "DB_", "EXECUTIONS_", "KETTE_", "QUEUE_", "WEBHOOK_"))
    }
    return {
        **inherited,
        # Workflows write to .n8n-files relative to home, as in n8n's own container image.
        "HOME": str(place.home),
        "N8N_USER_FOLDER": str(place.home),
        "N8N_RESTRICT_FILE_ACCESS_TO": str(place.home / ".n8n-files"),
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_HOST": "127.0.0.1",
        "N8N_PORT": str(place.port),
        "N8N_SECURE_COOKIE": "false",
        "N8N_WEBHOOK_URL": f"{place.url}/",
        "N8N_EDITOR_BASE_URL": place.url,
        "N8N_ENCRYPTION_KEY": place.encryption_key,
        "N8N_RUNNERS_BROKER_PORT": str(broker_port),
        "N8N_RUNNERS_TASK_TIMEOUT": "60",
        "N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS": "false",
        "N8N_INSTANCE_OWNER_MANAGED_BY_ENV": "true",
        "N8N_INSTANCE_OWNER_EMAIL": place.email,
        "N8N_INSTANCE_OWNER_FIRST_NAME": "Kette",
        "N8N_INSTANCE_OWNER_LAST_NAME": "Owner",
        "N8N_INSTANCE_OWNER_PASSWORD_HASH": _password_hash(place),
        "N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE": "true",
        # Each run with an expression gets a new isolate, and loads 480 kB of code into it.
        "N8N_EXPRESSION_ENGINE_COMPILE_CACHE": "true",
        "N8N_DISABLED_MODULES": _OFF_MODULES,
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
        "N8N_PERSONALIZATION_ENABLED": "false",
        "N8N_HIRING_BANNER_ENABLED": "false",
        "N8N_UNVERIFIED_PACKAGES_ENABLED": "true",
        "N8N_WORKFLOW_PUBLICATION_OUTBOX_POLL_INTERVAL_MS": "1000",
        "EXECUTIONS_DATA_SAVE_ON_SUCCESS": "all",
        "EXECUTIONS_DATA_SAVE_ON_PROGRESS": "false",
        "EXECUTIONS_DATA_PRUNE": "true",
        "EXECUTIONS_DATA_MAX_AGE": "168",
        "GENERIC_TIMEZONE": place.timezone,
        "TZ": place.timezone,
        **place.extra_env,
    }


class N8n:
    """A running n8n. Use start(), then api; kill() and start() again play a power cut."""

    def __init__(self, place: N8nPlace, *, log: Path, pid_file: Path | None = None) -> None:
        self.place = place
        self.log = log
        self._api: N8nApi | None = None
        self._env = n8n_environment(place, free_port())
        self._child = Child(
            "n8n",
            [*place.command, "start"],
            cwd=place.home,
            env=self._env,
            log=log,
            pid_file=pid_file,
        )

    @property
    def url(self) -> str:
        return self.place.url

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def api(self) -> N8nApi:
        """The public API with a key of the owner; the key is made on first use."""
        if self._api is None:
            key = create_api_key(self.url, self.place.email, self.place.password)
            self._api = N8nApi(self.url, key)
        return self._api

    def wait_triggers(self, workflow_ids: Sequence[str], timeout_s: float = 60.0) -> None:
        """Return when every trigger of the published workflows is listening.

        Publishing answers before a trigger has registered its webhook with the other side; the
        outcome is only told to a signed-in user. Raises ProgramError naming the workflows.
        """
        deadline = time.monotonic() + timeout_s
        with sign_in(self.url, self.place.email, self.place.password) as session:
            while True:
                states = {
                    workflow_id: publication_status(session, workflow_id)
                    for workflow_id in workflow_ids
                }
                if all(state in _SETTLED for state in states.values()):
                    return
                if time.monotonic() > deadline:
                    late = {key: value for key, value in states.items() if value not in _SETTLED}
                    raise ProgramError(f"Triggers of these workflows do not listen: {late}")
                time.sleep(0.3)

    def is_running(self) -> bool:
        return self._child.is_running()

    def start(self) -> None:
        """Start n8n and return when it takes webhooks."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Start n8n without waiting."""
        self.place.archive.mkdir(parents=True, exist_ok=True)
        self._child.start()

    def wait_ready(self, timeout_s: float = _READY_TIMEOUT_S) -> None:
        self._child.wait_until(self._is_ready, "it took requests", timeout_s)

    def _is_ready(self) -> bool:
        try:
            answer = httpx.get(f"{self.url}/healthz/readiness", timeout=2)
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def kill(self) -> None:
        """End n8n and its task runner at once, without a chance to finish anything."""
        self._child.kill()

    def stop(self) -> None:
        self._child.stop()

    def restart(self) -> None:
        self.stop()
        self.start()

    def import_credentials(self, file: Path) -> None:
        """Store the plain credentials of file encrypted, ids kept; works before start()."""
        self.command_line("import:credentials", f"--input={file}")

    def command_line(self, *arguments: str) -> None:
        """Run one command of n8n's own command line on this folder."""
        self.place.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            subprocess.run(
                [*self.place.command, *arguments],
                cwd=self.place.home,
                env={**self._env, "N8N_RUNNERS_BROKER_PORT": str(free_port())},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=True,
                timeout=_READY_TIMEOUT_S,
            )


def install_node_package(place: N8nPlace, package: Path) -> Path:
    """Unpack package as an installed community package, so that types are n8n-nodes-kette.*.

    A folder named by N8N_CUSTOM_EXTENSIONS would load the same nodes as CUSTOM.*, and workflows
    would not run elsewhere. The package.json keeps n8n's own package installer from pruning it.
    """
    nodes = place.home / ".n8n" / "nodes"
    target = nodes / "node_modules" / "n8n-nodes-kette"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tarfile.open(package) as archive:
        for member in archive.getmembers():
            member.name = member.name.removeprefix("package/")
            archive.extract(member, target, filter="data")
    kept = nodes / package.name
    shutil.copy2(package, kept)
    (nodes / "package.json").write_text(
        '{"name":"installed-nodes","private":true,'
        f'"dependencies":{{"n8n-nodes-kette":"file:./{kept.name}"}}}}\n'
    )
    return target


def _password_hash(place: N8nPlace) -> str:
    """Return the bcrypt hash that n8n wants for the owner, made with n8n's own bcrypt library."""
    script = "process.stdout.write(require('bcryptjs').hashSync(process.env.KETTE_OWNER, 10))"
    return subprocess.check_output(
        [str(place.node.node), "-e", script],
        cwd=place.install,
        env={"KETTE_OWNER": place.password, "PATH": os.defpath},
        text=True,
    )
