"""Fixtures of every level: the checkout, a real PostgreSQL; slow tests run last."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from kette.n8n_runtime.project import Project, find_project
from support.postgres import PostgresCluster

# Machines that run the tests are slow now and then; a deadline would fail a right answer.
settings.register_profile("kette", deadline=None)
settings.load_profile("kette")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what needs a real n8n last: a broken rule should show before minutes have passed."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.fixture(scope="session")
def project() -> Project:
    """The checkout under test."""
    return find_project()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[PostgresCluster]:
    """A PostgreSQL server that lives as long as the test run."""
    cluster = PostgresCluster()
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: PostgresCluster) -> str:
    """A database shared by the whole test run, empty at its start."""
    return postgres_cluster.create_database()


@pytest.fixture
def fresh_postgres_url(postgres_cluster: PostgresCluster) -> str:
    """An empty database for one test."""
    return postgres_cluster.create_database()
