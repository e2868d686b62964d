"""Servers of S3 and, for the suite that runs over all of them, every storage."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from checkup.interfaces import Storage
from tests import databases, emulators
from tests.servers.github import FakeGitHub, fake_github
from tests.storage.places import PLACES, Place, S3Server, s3_server


@pytest.fixture(autouse=True)
def _no_credentials_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


@pytest.fixture(scope="session")
def moto() -> Iterator[S3Server]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with s3_server(f"http://{host}:{port}") as there:
            yield there
    finally:
        server.stop()


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with (
        emulators.ministack(tmp_path_factory.mktemp("ministack")) as emulator,
        s3_server(emulator.url) as there,
    ):
        yield there


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Postgres]:
    with databases.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def pgbouncer(postgres: databases.Postgres) -> Iterator[int]:
    with databases.pgbouncer(postgres) as port:
        yield port


@pytest.fixture(scope="session")
def mariadb() -> Iterator[databases.MariaDb]:
    with databases.mariadb() as server:
        yield server


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as server:
        yield server


@pytest.fixture(params=list(PLACES.values()), ids=list(PLACES))
def place(request: pytest.FixtureRequest) -> Place:
    made: Place = request.param(request)
    return made


@pytest.fixture
def storage(place: Place) -> Storage:
    return place.open()
