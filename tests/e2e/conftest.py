"""Real programs for the end-to-end tests: n8n, the service, the sandbox of the vendors.

Starting them takes most of the time, so they live for the whole run; a test makes its own orders
and asks only for those. A test that kills or reconfigures something gets a world of its own from
make_world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kette.n8n_runtime import credentials
from kette.n8n_runtime.boot import add_credentials, prepare_n8n
from kette.n8n_runtime.deploy import Outcome, deploy
from kette.n8n_runtime.process import N8n
from kette.n8n_runtime.project import Project
from kette.n8n_runtime.world import Ports, World

MakeWorld = Callable[..., World]
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def bare_n8n(tmp_path_factory: pytest.TempPathFactory) -> Iterator[N8n]:
    """An n8n with the node package and credentials, without workflows and without the service."""
    n8n = prepare_n8n(tmp_path_factory.mktemp("bare-n8n"))
    nowhere = "http://127.0.0.1:9"
    add_credentials(
        n8n,
        [
            credentials.kette_api(nowhere, "kette_nobody"),
            credentials.woocommerce(nowhere, "ck", "cs"),
            credentials.shopify("nordlicht.myshopify.example", "token", "secret"),
            credentials.shopware(nowhere, "key", "secret"),
            credentials.stripe("sk"),
            credentials.sendcloud("public", "secret"),
            credentials.mail("127.0.0.1", 9, "kette", "kette_nobody"),
        ],
    )
    try:
        n8n.start()
        yield n8n
    finally:
        n8n.kill()


@pytest.fixture(scope="session")
def installed(bare_n8n: N8n, project: Project) -> list[Outcome]:
    """What the first installation of the committed workflows in bare_n8n did."""
    return deploy(bare_n8n.api, project.workflows)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Service on SQLite, n8n with all workflows, sandbox; shared, so never killed or reset."""
    started = World(tmp_path_factory.mktemp("world"), ports=Ports.free(), say=print)
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[MakeWorld]:
    """Start worlds for one test alone; options are World's own, such as database_url."""
    with ExitStack() as stack:
        count = 0

        def make(**options: object) -> World:
            nonlocal count
            count += 1
            folder = tmp_path / f"world-{count}"
            made = World(folder, ports=Ports.free(), say=print, **options)  # type: ignore[arg-type]
            stack.callback(made.stop)
            made.start()
            return made

        yield make
