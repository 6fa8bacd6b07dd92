"""Fixtures of the third tier: real servers that tests of scale share."""

from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer, postgres_server
from ray_cluster import RayCluster, ray_cluster
from workplace import keys_end_with_their_test, scripted, workplace

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]


@pytest.fixture(scope="session")
def cluster() -> Iterator[RayCluster]:
    """Two Ray nodes on loopback, with one CPU each."""
    with ray_cluster() as started:
        yield started


@pytest.fixture(scope="session")
def _postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres(_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """A PostgreSQL server on loopback, whose password PGPASSWORD holds."""
    monkeypatch.setenv("PGPASSWORD", _postgres.password)
    return _postgres
