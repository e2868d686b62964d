"""PostgreSQL and MariaDB servers for tests: started from Debian's packages, thrown away at the end.

Each has a folder of its own below the system's temporary one, for neither server runs as root and
the folders of pytest are closed to others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg
import pymysql
import pytest
import trustme

PASSWORD = "correct horse/battery@staple"
_LAMENT = "{} is not installed; to get it: apt-get install --no-install-recommends {}"
_PATIENCE = 60.0


class Server(ABC):
    """A server that can be stopped and started again, with a user named ``checkup``."""

    crashing: signal.Signals

    def __init__(self, folder: Path, user: str) -> None:
        self.folder = folder
        self.port = _free_port()
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Make the data directory."""

    @abstractmethod
    def new_database(self) -> str:
        """Return the name of an empty database that ``checkup`` may do anything in."""

    @abstractmethod
    def dsn(self, database: str, port: int = 0, **options: str) -> str:
        """Return a DSN as Go's driver takes it; through another port, if one is given."""

    @abstractmethod
    def connect(self, database: str = "") -> Any:
        """Return an administrator's connection of the driver, which begins transactions."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that serves in the foreground."""

    def ask(self, statement: str, database: str = "") -> list[Any]:
        """Return what the administrator is answered."""
        with closing(self.connect(database)) as connection:
            self.commit_each(connection)
            with closing(connection.cursor()) as cursor:
                cursor.execute(statement)
                return list(cursor.fetchall()) if cursor.description else []

    @abstractmethod
    def commit_each(self, connection: Any) -> None:
        """Make every statement a transaction of its own."""

    def run(self, *command: str) -> None:
        done = subprocess.run(command, **self.as_user(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), **self.as_user(), stdout=log, stderr=log, start_new_session=True
            )
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            log_text = (self.folder / "log").read_text(errors="replace")
            assert self._process.poll() is None, log_text
            assert time.monotonic() < end, log_text
            time.sleep(0.05)

    def crash(self) -> None:
        """End the server so that it has to recover when it starts again."""
        assert self._process is not None
        self._process.send_signal(self.crashing)
        self._process.wait(_PATIENCE)

    def kill(self) -> None:
        """End the server and what it started, whatever they are doing."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_PATIENCE)

    def _answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except (OSError, psycopg.OperationalError, pymysql.OperationalError):
            return False
        return True

    def as_user(self) -> Mapping[str, Any]:
        """Return the options of a process that runs as the server does."""
        return {
            "cwd": self.folder,
            **({"user": self._user, "group": self._user} if _root() else {}),
        }


class Postgres(Server):
    """PostgreSQL with encryption, as Debian sets it up."""

    crashing = signal.SIGQUIT  # with SIGKILL it leaves shared memory behind

    def prepare(self) -> None:
        self._encrypt()
        (self.folder / "password").write_text(PASSWORD)
        self.run(
            *(
                str(self._program("initdb")),
                "-D",
                str(self.folder / "data"),
                "--no-sync",
                "-U",
                "admin",
            ),
            *("--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8"),
        )
        with (self.folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write("ssl = on\n")  # not on the command line, so that it can be turned off
        self.start()
        quoted = PASSWORD.replace("'", "''")
        self.ask(f"CREATE ROLE checkup LOGIN PASSWORD '{quoted}'")

    def new_database(self) -> str:
        """Return the name of a new schema, which is as good here and takes less time and space."""
        name = f"status_{uuid4().hex}"
        self.ask(f"CREATE SCHEMA {name} AUTHORIZATION checkup")
        return name

    def connect(self, database: str = "") -> Any:
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user="admin",
            dbname="postgres",
            options=f"-c search_path={database or 'public'}",
        )

    def commit_each(self, connection: Any) -> None:
        connection.autocommit = True

    def dsn(self, database: str, port: int = 0, **words: str) -> str:
        """Return a DSN as Go's driver takes it; through another port, if one is given."""
        words = {"search_path": database, **words}
        where = f"127.0.0.1:{port or self.port}/postgres?{urlencode(words)}"
        return f"postgres://checkup:{quote(PASSWORD, safe='')}@{where}"

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "ssl_cert_file": self.folder / "server.pem",
            "ssl_key_file": self.folder / "server.key",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self._program("postgres")), "-D", str(self.folder / "data"), *options]

    def _program(self, name: str) -> Path:
        return postgres_programs() / name

    def _encrypt(self) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        authority.cert_pem.write_to_path(str(self.folder / "authority.pem"))
        certificate.cert_chain_pems[0].write_to_path(str(self.folder / "server.pem"))
        key = self.folder / "server.key"
        certificate.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        if _root():
            shutil.chown(key, self._user)


class MariaDb(Server):
    """MariaDB with its defaults."""

    crashing = signal.SIGKILL

    def prepare(self) -> None:
        self.run(
            *("mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        )
        self.start()
        self.ask(f"CREATE USER checkup@'%' IDENTIFIED BY '{PASSWORD}'")

    def new_database(self) -> str:
        name = f"status_{uuid4().hex}"
        self.ask(f"CREATE DATABASE {name}")
        self.ask(f"GRANT ALL ON {name}.* TO checkup@'%'")
        return name

    def connect(self, database: str = "") -> Any:
        with closing(socket.socket(socket.AF_UNIX)) as probe:
            probe.connect(self.socket)  # for PyMySQL forgets to close a socket that leads nowhere
        return pymysql.connect(unix_socket=self.socket, user="root", database=database or None)

    def commit_each(self, connection: Any) -> None:
        connection.autocommit(value=True)

    def dsn(self, database: str, port: int = 0, **options: str) -> str:
        """Return a DSN as Go's driver takes it; through another port, if one is given."""
        where = f"tcp(127.0.0.1:{port or self.port})/{database}"
        return f"checkup:{PASSWORD}@{where}?{urlencode(options)}"

    @property
    def socket(self) -> str:
        return str(self.folder / "socket")

    def command(self) -> list[str]:
        return [
            *(mariadb_program(), "--no-defaults", f"--datadir={self.folder / 'data'}"),
            *("--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={self.socket}"),
            f"--pid-file={self.folder / 'pid'}",
        ]


def postgres_programs() -> Path:
    """Return the folder of the newest PostgreSQL's programs; without one the test is left out."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip(_LAMENT.format("PostgreSQL", "postgresql"))
    return found[-1].parent


def mariadb_program() -> str:
    """Return the path of the server; without one the test is left out."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip(_LAMENT.format("MariaDB", "mariadb-server"))
    return program


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run a PostgreSQL while the block does."""
    postgres_programs()
    with _running(Postgres, "postgres") as server:
        yield server


@contextmanager
def pgbouncer(server: Postgres) -> Iterator[int]:
    """Run a pooler before a server; yield its port. Each transaction may get another session."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip(_LAMENT.format("pgbouncer", "pgbouncer"))
    folder, port = server.folder / "pooler", _free_port()
    folder.mkdir(exist_ok=True)
    (folder / "users.txt").write_text(f'"checkup" "{PASSWORD}"\n')
    (folder / "pooler.ini").write_text(
        f"[databases]\n* = host={server.folder} port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {folder / 'users.txt'}\n"
        "pool_mode = transaction\ndefault_pool_size = 5\nserver_round_robin = 1\n"
    )
    with (
        (folder / "log").open("ab") as log,
        subprocess.Popen(
            [program, str(folder / "pooler.ini")], **server.as_user(), stdout=log, stderr=log
        ) as process,
    ):
        try:
            end = time.monotonic() + _PATIENCE
            while not _listens(port):
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.02)
            yield port
        finally:
            process.kill()


@contextmanager
def mariadb() -> Iterator[MariaDb]:
    """Run a MariaDB while the block does."""
    mariadb_program()
    with _running(MariaDb, "mysql") as server:
        yield server


_Kind = TypeVar("_Kind", bound=Server)


@contextmanager
def _running(kind: type[_Kind], user: str) -> Iterator[_Kind]:
    folder = Path(tempfile.mkdtemp(prefix=f"checkup-{user}-"))
    server = kind(folder, user)
    try:
        if _root():
            pwd.getpwnam(user)
            shutil.chown(folder, user, user)
        server.prepare()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)


def _root() -> bool:
    return os.geteuid() == 0


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
