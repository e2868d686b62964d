"""Every storage on the real thing, and what else the tests of storages share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest

from checkup import http
from checkup.interfaces import HttpResponse, Storage
from checkup.storage.folder import FolderStorage
from checkup.storage.github import GitHubSettings
from checkup.storage.memory import MemoryStorage
from checkup.storage.s3 import S3Storage, s3_client_config
from checkup.storage.sql import MySqlSettings, PostgresSettings, SqliteSettings
from tests import databases
from tests.servers.github import NAME, OWNER, TOKEN, FakeGitHub


@dataclass(frozen=True)
class Place:
    """Somewhere to keep documents, empty at the start of a test.

    Attributes:
        open: gives another instance of the storage on the same place.
        page: how many keys a backend lists at a time; 0 if it does not count.
        text_runs: runs are kept as text, as in the Go program's table.
    """

    open: Callable[[], Storage]
    page: int = 0
    text_runs: bool = False


@dataclass(frozen=True)
class S3Server:
    """A server that speaks S3, and an administrator's client of it."""

    url: str
    client: Any

    def new_bucket(self) -> str:
        name = f"checkup-{uuid4().hex}"
        self.client.create_bucket(Bucket=name)
        return name


@contextmanager
def s3_server(url: str) -> Iterator[S3Server]:
    with closing(s3_client(url)) as client:
        yield S3Server(url, client)


def s3_client(url: str, **options: Any) -> Any:
    """Return a client as the program makes one."""
    return _session().client("s3", **{"endpoint_url": url, "config": s3_client_config(), **options})


@cache
def _session() -> Any:
    """Reading the service's model once makes every further client quick."""
    return boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )


class FakeClients:
    """What a test hands to settings: one client, and secrets by reference.

    Attributes:
        asked: the options with which the client was asked for.
    """

    def __init__(self, client: Any = None, secrets: Mapping[str, str] | None = None) -> None:
        self.asked: dict[str, Any] = {}
        self._client = client
        self._secrets = secrets or {}

    def secret(self, value: str) -> str:
        return self._secrets[value]

    def aws(self, service: str, **options: Any) -> Any:
        assert service == "s3"
        self.asked = options
        return self._client

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        raise AssertionError(method, url, body, headers, timeout)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        return http.request(method, url, body, headers, timeout)


def _memory(_: pytest.FixtureRequest) -> Place:
    storage = MemoryStorage()
    return Place(lambda: storage)


def _folder(request: pytest.FixtureRequest) -> Place:
    path: Path = request.getfixturevalue("tmp_path")
    return Place(lambda: FolderStorage(path / "check_files"))


def _s3(server: str, **layout: Any) -> Callable[[pytest.FixtureRequest], Place]:
    def place(request: pytest.FixtureRequest) -> Place:
        there: S3Server = request.getfixturevalue(server)
        name = there.new_bucket()
        return Place(lambda: S3Storage(there.client, name, **layout), page=1000)

    return place


def _sqlite(request: pytest.FixtureRequest) -> Place:
    path: Path = request.getfixturevalue("tmp_path")
    settings = SqliteSettings(dsn=str(path / "checks.db"), create=True)
    return Place(lambda: settings.open(FakeClients()), page=500, text_runs=True)


def _postgres(request: pytest.FixtureRequest) -> Place:
    server: databases.Postgres = request.getfixturevalue("postgres")
    return _database(PostgresSettings(dsn=server.dsn(server.new_database()), create=True))


def _mariadb(request: pytest.FixtureRequest) -> Place:
    server: databases.MariaDb = request.getfixturevalue("mariadb")
    return _database(MySqlSettings(dsn=server.dsn(server.new_database()), create=True))


def _database(settings: PostgresSettings | MySqlSettings) -> Place:
    clients = FakeClients(secrets={settings.dsn: settings.dsn})
    return Place(lambda: settings.open(clients), page=500, text_runs=True)


def _github(request: pytest.FixtureRequest) -> Place:
    server: FakeGitHub = request.getfixturevalue("github")
    settings = github_settings(server, dir="status/checks/")
    return Place(lambda: settings.open(FakeClients(secrets={TOKEN: TOKEN})))


def github_settings(server: FakeGitHub, **more: Any) -> GitHubSettings:
    """Return the configuration of a storage in the server's repository."""
    about = {"repository_owner": OWNER, "repository_name": NAME, "branch": "main"}
    who = {"committer_name": "Mona Lisa", "committer_email": "mona@example.com"}
    return GitHubSettings(**{"access_token": TOKEN, "api_url": server.url, **about, **who, **more})


PLACES = {
    "memory": _memory,
    "folder": _folder,
    "s3-moto": _s3("moto"),
    "s3-moto-in-a-prefix": _s3("moto", prefix="team/status/"),
    "s3-ministack": _s3("ministack"),
    "s3-ministack-as-in-the-stack": _s3("ministack", runs_prefix="runs/"),
    "sqlite": _sqlite,
    "postgresql": _postgres,
    "mariadb": _mariadb,
    "github": _github,
}
