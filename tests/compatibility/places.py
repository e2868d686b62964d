"""Where version 0.1.0 has stored something, and where any version can go on from it."""

from __future__ import annotations

import json
import socket
import sqlite3
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

from tests.machine import Machine, machine
from tests.project.snapshots import shop
from tests.servers.s3_faults import FaultyS3, faulty_s3

HERE: Final = Path(__file__).parent
CODE: Final = HERE / "checkup_0_1_0.tar.xz"
"""The program as it was, with the functions' doors."""

MADE: Final = HERE / "made_by_0_1_0.tar.xz"
"""A folder for each kind: ``checkup.json``, what is stored, ``public`` and ``facts.json``."""

SEAL: Final = "index-metadata.json"

KINDS: Final = ("folder", "sqlite", "bucket")

AWS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-central-1",
    "ALLOW_ADDRESSES": "127.0.0.0/8",
}


def unpack(archive: Path, folder: Path) -> Path:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


class World:
    """The servers around all places, and machines with two versions of the program.

    Attributes:
        services: what is checked, and what takes the messages.
        s3: where S3 is, whose clock is that of the machine which asked last.
    """

    def __init__(
        self, services: shop.Services, s3: FaultyS3, client: Any, machines: Mapping[str, Machine]
    ) -> None:
        self.services, self.s3, self.client = services, s3, client
        self.machines = machines

    def tick(self, now: int) -> None:
        self.s3.replaced = {"Date": formatdate(now // 10**9, usegmt=True)}


@contextmanager
def world(folder: Path, **versions: Path | None) -> Iterator[World]:
    """Keep the servers and machines while the block runs.

    Args:
        versions: folders with versions of the program by what they are called; None is this one.
    """
    with ExitStack() as stack:
        moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        moto.start()
        stack.callback(moto.stop)
        host, port = moto.get_host_and_port()
        s3 = stack.enter_context(faulty_s3(f"http://{host}:{port}"))
        session = boto3.session.Session("test", "test", region_name="eu-central-1")
        client = stack.enter_context(closing(session.client("s3", endpoint_url=s3.url)))
        services = stack.enter_context(shop.Services())
        with socket.create_server(("127.0.0.1", 0)) as closed:
            ports = {80: services.port, 5432: closed.getsockname()[1]}
        machines = {
            name: stack.enter_context(machine(folder, ports, code=code))
            for name, code in versions.items()
        }
        yield World(services, s3, client, machines)


class Place:
    """A storage and a page, and how the program works on them; by default a folder.

    Attributes:
        folder: what is stored is below it, and ``checkup.json``.
    """

    storage: Mapping[str, Any] | None = {"type": "fs", "dir": "checks"}

    def __init__(self, folder: Path, world: World) -> None:
        self.folder, self.world = folder, world
        self.environ = dict(shop.ENVIRON)

    def start(self) -> None:
        """Make it ready for the program; what is stored is in the folder already, or nothing."""
        (self.folder / "checks").mkdir(exist_ok=True)

    def machine(self, version: str) -> Machine:
        """Return the machine with a version of the program, in this place."""
        here = self.world.machines[version].elsewhere(self.folder, self.environ)
        here.tick = self.world.tick
        return here

    def put(self, name: str, body: bytes) -> None:
        """Store a check file of another machine."""
        (self.folder / "checks" / name).write_bytes(body)

    def evaluate(self, here: Machine, number: int) -> bool:
        """Have what is stored evaluated after a run; say whether the program did so."""
        return here.run(shop.slot(number) + 2 * shop.MINUTE, "--store", "backup").code in {0, 3}

    def publish(self, here: Machine, number: int) -> bool:
        """Have the page published after a run; say whether the program did so."""
        return here.run(shop.slot(number) + 3 * shop.MINUTE, "page", "public").code == 0

    def documents(self) -> dict[str, bytes]:
        """Return all that is stored, by key, but runs."""
        return {
            name: body
            for name, body in _files(self.folder / "checks").items()
            if not name.endswith(("-check.json", ".lock", "index.json"))
        }

    def addresses(self) -> set[str]:
        """Return where there is something of the page."""
        return {*_files(self.folder / "public")}

    def page_file(self, address: str) -> bytes:
        return (self.folder / "public" / address).read_bytes()

    def save(self) -> None:
        """Put what is stored into the folder, where :meth:`start` finds it."""

    def facts(self, here: Machine, number: int) -> dict[str, Any]:
        """Return what must not change when another version of the program goes on."""
        now = shop.slot(number) + 4 * shop.MINUTE
        listed = {
            "incidents": here.expect(now, "incident", "list"),
            "maintenance": here.expect(now, "maintenance", "list"),
            "of old": here.expect(now, "incident", "list", "--month", "2025-10"),
        }
        head = json.loads(self.documents()["state/head.json"])
        return {
            **{
                name: [line.split()[0] for line in text.splitlines()]
                for name, text in listed.items()
            },
            "waiting": [entry["alert"]["id"] for entry in head["channels"]["refused"]],
            "statuses": {
                name: state.get("status", "unknown") for name, state in head["checkers"].items()
            },
        }

    def go_on(self, version: str, first: int, last: int) -> bool:
        """Let runs take place and the page be published; say whether the program did all that."""
        here, done = self.machine(version), True
        for number in range(first, last + 1):
            self.put(*shop.run_file(number))
            done = self.evaluate(here, number) and done
        return self.publish(here, last) and done

    def make(self, version: str) -> None:
        """Let the whole story happen."""
        here = self.machine(version)
        shop.live_through(
            here,
            self.put,
            evaluate=lambda number: self.evaluate(here, number),
            publish=lambda number: self.publish(here, number),
        )


class Sqlite(Place):
    """A file of SQLite; runs of others are put into the Go program's table."""

    storage: Mapping[str, Any] | None = {"type": "sqlite3", "dsn": "checks.db", "create": True}

    def start(self) -> None:
        pass

    def put(self, name: str, body: bytes) -> None:
        with closing(sqlite3.connect(self.folder / "checks.db")) as database, database:
            database.execute(
                "INSERT INTO checks (name, timestamp, results) VALUES (?, ?, ?)",
                (name, int(name[:19]), body.decode()),
            )

    def documents(self) -> dict[str, bytes]:
        with closing(sqlite3.connect(self.folder / "checks.db")) as database:
            rows = database.execute("SELECT key, body FROM documents").fetchall()
        return {key: body for key, body in rows if "/" in key}


class Bucket(Place):
    """The buckets of a stack, with its functions; in the folder are copies of the objects."""

    storage: Mapping[str, Any] | None = None

    def __init__(self, folder: Path, world: World) -> None:
        super().__init__(folder, world)
        self.state, self.page = (f"{name}-{uuid4().hex}" for name in ("state", "page"))
        buckets = {"STATE_BUCKET": self.state, "PAGE_BUCKET": self.page}
        self.environ |= {**AWS, **buckets, "AWS_ENDPOINT_URL": world.s3.url}

    def start(self) -> None:
        for bucket, folder in ((self.state, "state"), (self.page, "public")):
            place = {"LocationConstraint": "eu-central-1"}
            self.world.client.create_bucket(Bucket=bucket, CreateBucketConfiguration=place)
            for key, body in _files(self.folder / folder).items():
                metadata = self._seal() if (folder, key) == ("public", "index.html") else {}
                self.world.client.put_object(Bucket=bucket, Key=key, Body=body, Metadata=metadata)

    def put(self, name: str, body: bytes) -> None:
        self.world.client.put_object(Bucket=self.state, Key=f"runs/{name}", Body=body)

    def evaluate(self, here: Machine, number: int) -> bool:
        at = shop.slot(number)
        moment = datetime.fromtimestamp(at // 10**9, UTC)
        environ = {"AWS_LAMBDA_FUNCTION_NAME": "check"}
        event = (at + 2 * shop.MINUTE, {"slot": f"{moment:%Y-%m-%dT%H:%M:%SZ}"})
        (answer,) = here.invoke("check", event, environ=environ).answers
        return "error" not in answer

    def publish(self, here: Machine, number: int) -> bool:
        environ = {"AWS_LAMBDA_FUNCTION_NAME": "publish"}
        event = (shop.slot(number) + 3 * shop.MINUTE, {"task": "publish"})
        (answer,) = here.invoke("publish", event, environ=environ).answers
        return "error" not in answer

    def documents(self) -> dict[str, bytes]:
        keys = (key for key in self._keys(self.state) if not key.startswith("runs/"))
        return {key: self._object(self.state, key) for key in keys}

    def addresses(self) -> set[str]:
        return {*self._keys(self.page)}

    def page_file(self, address: str) -> bytes:
        return self._object(self.page, address)

    def save(self) -> None:
        for bucket, folder in ((self.state, "state"), (self.page, "public")):
            for key in self._keys(bucket):
                path = self.folder / folder / key
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self._object(bucket, key))
        sealed = self.world.client.head_object(Bucket=self.page, Key="index.html")
        (self.folder / SEAL).write_text(json.dumps(sealed["Metadata"]))

    def _seal(self) -> dict[str, str]:
        """Return what is kept with the index of the page beside its content."""
        found: dict[str, str] = json.loads((self.folder / SEAL).read_text())
        return found

    def _keys(self, bucket: str) -> list[str]:
        pages = self.world.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def _object(self, bucket: str, key: str) -> bytes:
        body: bytes = self.world.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return body


_CLASSES: Final[Mapping[str, type[Place]]] = {"folder": Place, "sqlite": Sqlite, "bucket": Bucket}


def new_place(kind: str, folder: Path, world: World) -> Place:
    """Return a place in which nothing is stored; the folder is absent."""
    folder.mkdir()
    place = _CLASSES[kind](folder, world)
    config = shop.configuration(dict(place.storage) if place.storage else None)
    (folder / "checkup.json").write_text(json.dumps(config, indent=2))
    place.start()
    return place


def old_place(kind: str, folder: Path, world: World) -> Place:
    """Return a place in which 0.1.0 has stored the story; the folder is that of it, unpacked."""
    place = _CLASSES[kind](folder, world)
    place.start()
    return place


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".checkup" not in path.parts
    }
