"""A whole small world on loopback: the service, a real n8n, the sandbox of the vendors.

The demo and the end-to-end tests start the same world, so what the tests prove is what the demo
shows. Vendor webhooks go to n8n's entry workflows; mail goes through the service's gateway to the
sandbox's SMTP server; every secret is random per world.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from kette.n8n_runtime import credentials
from kette.n8n_runtime.boot import add_credentials, prepare_n8n
from kette.n8n_runtime.child import Child, ProgramError, free_port, is_listening
from kette.n8n_runtime.deploy import deploy
from kette.n8n_runtime.process import N8n
from kette.n8n_runtime.project import Project, find_project
from kette.n8n_runtime.steps import Say

SETUP = "three-shops"  # of the setup file and of the template
PULL_WORKFLOWS = "ketteChain05Pull"
_START_TIMEOUT_S = 60.0
_VENDOR_SYSTEMS = {
    "WOO": "woo-main",
    "SHOPIFY": "shopify-main",
    "SHOPWARE": "shopware-main",
    "STRIPE": "stripe-main",
    "SENDCLOUD": "sendcloud-main",
}
_SHOPIFY_DOMAIN = "nordlicht-laden.myshopify.com"


@dataclass(frozen=True)
class Ports:
    """What each program listens on."""

    service: int = 8710
    mail_gateway: int = 8711
    n8n: int = 5710
    sandbox: int = 8720
    sandbox_smtp: int = 8725

    @staticmethod
    def free() -> Ports:
        return Ports(free_port(), free_port(), free_port(), free_port(), free_port())


@dataclass(frozen=True)
class Secrets:
    """Keys of the sandbox's accounts, known to both sides."""

    woo_key: str
    woo_secret: str
    woo_hook_secret: str
    stripe_key: str
    stripe_hook_secret: str
    sendcloud_public: str
    sendcloud_secret: str
    shopify_token: str
    shopify_hook_secret: str
    shopware_id: str
    shopware_secret: str
    shopware_hook_secret: str
    privacy_key: str

    @staticmethod
    def random() -> Secrets:
        return Secrets(
            woo_key=f"ck_{secrets.token_hex(20)}",
            woo_secret=f"cs_{secrets.token_hex(20)}",
            woo_hook_secret=secrets.token_hex(20),
            stripe_key=f"sk_live_{secrets.token_hex(16)}",
            stripe_hook_secret=f"whsec_{secrets.token_hex(16)}",
            sendcloud_public=secrets.token_hex(16),
            sendcloud_secret=secrets.token_hex(16),
            shopify_token=f"shpat_{secrets.token_hex(16)}",
            shopify_hook_secret=secrets.token_hex(20),
            shopware_id=f"SWIA{secrets.token_hex(11).upper()}",
            shopware_secret=secrets.token_hex(27),
            shopware_hook_secret=secrets.token_hex(20),
            privacy_key=secrets.token_hex(16),
        )


class World:
    """start() brings everything up; kill and restart of one part go through its own object."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: Ports,
        say: Say,
        database_url: str | None = None,
        password: str | None = None,
        setup: Path | None = None,
        service_env: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.ports = ports
        self.project: Project = find_project()
        self.database_url = database_url or f"sqlite:///{self.folder / 'kette.db'}"
        self.setup = setup or self.project.fixtures / "setups" / f"{SETUP}.yaml"
        self.secrets = Secrets.random()
        self.admin_key = ""
        self.automation_key = ""
        self._say = say
        self._password = password
        self._service_env = dict(service_env or {})
        self._pull_ids: list[str] = []
        self._n8n: N8n | None = None
        self.service = self._service()
        self.sandbox = self._sandbox()

    @property
    def service_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.service}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.sandbox}"

    @property
    def n8n_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.n8n}"

    @property
    def n8n(self) -> N8n:
        if self._n8n is None:
            raise ProgramError("n8n was not prepared yet; call start() first.")
        return self._n8n

    def start(self) -> None:
        """Start everything and return when an order can come in."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._n8n = prepare_n8n(
            self.folder / "n8n",
            say=self._say,
            port=self.ports.n8n,
            password=self._password,
            pid_file=self._pid_file("n8n"),
        )
        self._say("Starting the service and the sandbox ...")
        self.sandbox.start()
        self.start_service()
        self.wait_sandbox()
        with ThreadPoolExecutor(2) as pool:
            self.admin_key, self.automation_key = pool.map(self.create_key, ("admin", "automation"))
        self._follow_clock()
        self._say("Starting n8n ...")
        add_credentials(self.n8n, self._credentials())
        self.n8n.start()
        self._say("Installing and publishing the workflows ...")
        # The template of the ready setup, where it is one of those; a changed one takes them all.
        own = self.setup.stem
        has_own = (self.project.workflows / "templates" / own).is_dir()
        template = own if has_own else SETUP
        outcomes = deploy(self.n8n.api, self.project.workflows, template=template)
        self.n8n.wait_triggers([outcome.entry.id for outcome in outcomes])
        ids = [outcome.entry.id for outcome in outcomes]
        self._pull_ids = [one for one in ids if one.startswith(PULL_WORKFLOWS)]
        for workflow_id in self._pull_ids:
            self.n8n.api.unpublish(workflow_id)
        self._say(f"{len(outcomes)} workflows are published")

    def start_pulls(self) -> None:
        """Let the pull workflows run from now on. They do not at first: stories in which a webhook
        comes late would end otherwise, sooner or later, as the clock of this machine has it."""
        for workflow_id in self._pull_ids:
            self.n8n.api.publish(workflow_id)

    def stop(self) -> None:
        """End everything that was started."""
        parts: list[Callable[[], None]] = [self.sandbox.stop, self.service.stop]
        if self._n8n is not None:
            parts.append(self._n8n.stop)
        with ThreadPoolExecutor(len(parts)) as pool:
            for done in [pool.submit(part) for part in parts]:
                done.result()

    def start_service(self) -> None:
        """Start the service, also after a kill, and wait until it is ready."""
        self.service.start()
        self.service.wait_until(
            lambda: _answers(f"{self.service_url}/readyz"), "it was ready", _START_TIMEOUT_S
        )

    def wait_sandbox(self) -> None:
        self.sandbox.wait_until(
            lambda: (
                _answers(f"{self.sandbox_url}/_control/health")
                and is_listening(self.ports.sandbox_smtp)
            ),
            "it was ready",
            _START_TIMEOUT_S,
        )

    def create_key(self, role: str) -> str:
        """Return a new API key of the service."""
        command = [_kette(), "keys", "create", "--role", role, "--database", self.database_url]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self._service_environment()},
            capture_output=True,
            text=True,
            check=False,
        )
        words = done.stdout.split()
        keys = [word for word in words if word.startswith("kette_")]
        if done.returncode or not keys:
            raise ProgramError(f"No key was made: {done.stdout}{done.stderr}")
        return keys[-1]

    def _follow_clock(self) -> None:
        """Let the sandbox's time move with the service's."""
        body = {"url": self.service_url, "key": self.admin_key}
        url = f"{self.sandbox_url}/_control/time/follow"
        httpx.post(url, json=body, timeout=10, trust_env=False).raise_for_status()

    def _service(self) -> Child:
        return Child(
            "The service",
            [
                _kette(),
                "serve",
                *("--setup", str(self.setup)),
                *("--database", self.database_url),
                *("--port", str(self.ports.service)),
            ],
            cwd=self.folder,
            env={**os.environ, **self._service_environment()},
            log=self.folder / "service.log",
            pid_file=self._pid_file("service"),
        )

    def _service_environment(self) -> dict[str, str]:
        return {
            "KETTE_SANDBOX_CLOCK": "1",
            "KETTE_PRIVACY_KEY": self.secrets.privacy_key,
            "KETTE_MAIL_GATEWAY_PORT": str(self.ports.mail_gateway),
            "KETTE_WOO_URL": f"{self.sandbox_url}/woocommerce",
            "KETTE_WOO_WEBHOOK_SECRET": self.secrets.woo_hook_secret,
            "KETTE_SHOPIFY_URL": f"{self.sandbox_url}/shopify",
            "KETTE_SHOPIFY_DOMAIN": _SHOPIFY_DOMAIN,
            "KETTE_SHOPIFY_MODE": "live",
            "KETTE_SHOPIFY_WEBHOOK_SECRET": self.secrets.shopify_hook_secret,
            "KETTE_SHOPWARE_URL": f"{self.sandbox_url}/shopware",
            "KETTE_SHOPWARE_STOREFRONT": f"{self.sandbox_url}/shopware",
            "KETTE_SHOPWARE_WEBHOOK_SECRET": self.secrets.shopware_hook_secret,
            "KETTE_STRIPE_URL": f"{self.sandbox_url}/stripe",
            "KETTE_STRIPE_MODE": "live",
            "KETTE_STRIPE_WEBHOOK_SECRET": self.secrets.stripe_hook_secret,
            "KETTE_SENDCLOUD_URL": f"{self.sandbox_url}/sendcloud",
            "KETTE_SENDCLOUD_WEBHOOK_SECRET": self.secrets.sendcloud_secret,
            "KETTE_VIES_URL": f"{self.sandbox_url}/vies/taxation_customs/vies/rest-api",
            "KETTE_SMTP_URL": f"smtp://127.0.0.1:{self.ports.sandbox_smtp}",
            "KETTE_N8N_URL": self.n8n_url,
            "KETTE_ARCHIVE_DIR": str(self.folder / "n8n" / ".n8n-files" / "archive"),
            **self._service_env,
        }

    def _sandbox(self) -> Child:
        hooks = {
            f"SANDBOX_{vendor}_TARGET": f"{self.n8n_url}/webhook/kette/{system}"
            for vendor, system in _VENDOR_SYSTEMS.items()
        }
        keys = {
            f"SANDBOX_{name.upper()}": value
            for name, value in vars(self.secrets).items()
            if name != "privacy_key"
        }
        return Child(
            "The sandbox",
            [
                *(sys.executable, "-m", "sandbox"),
                *("--http-port", str(self.ports.sandbox)),
                *("--smtp-port", str(self.ports.sandbox_smtp)),
                *("--journal", str(self.folder / "sandbox.journal")),
            ],
            cwd=self.project.fixtures / "sandbox",
            env={**os.environ, **hooks, **keys},
            log=self.folder / "sandbox.log",
            pid_file=self._pid_file("sandbox"),
        )

    def _credentials(self) -> list[credentials.CredentialValue]:
        mine, ports = self.secrets, self.ports
        return [
            credentials.kette_api(self.service_url, self.automation_key),
            credentials.woocommerce(
                f"{self.sandbox_url}/woocommerce", mine.woo_key, mine.woo_secret
            ),
            credentials.shopify(_SHOPIFY_DOMAIN, mine.shopify_token, mine.shopify_hook_secret),
            credentials.shopware(
                f"{self.sandbox_url}/shopware", mine.shopware_id, mine.shopware_secret
            ),
            credentials.stripe(mine.stripe_key),
            credentials.sendcloud(mine.sendcloud_public, mine.sendcloud_secret),
            credentials.mail("127.0.0.1", ports.mail_gateway, "kette", self.automation_key),
        ]

    def _pid_file(self, name: str) -> Path:
        return self.folder / "pids" / name


def _kette() -> str:
    """The command of the environment this runs in, whether or not it is activated."""
    return str(Path(sys.executable).with_name("kette"))


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
