"""Three machines vote in one storage, and one is cut off, paused and killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any, Final, NamedTuple

import pytest
from moto.server import ThreadedMotoServer

from checkup import app
from checkup.alerting.state import AlertState
from checkup.interfaces import Storage
from checkup.model import RUNS_PREFIX, Status, key_time
from checkup.pipeline import RunContext, read_state
from checkup.pipeline.replay import replay
from checkup.storage.folder import FolderStorage
from tests import databases
from tests.cli.service import Service, running_service
from tests.servers.github import NAME, OWNER, TOKEN, fake_github
from tests.servers.partition import Partition, partition
from tests.servers.slack import FakeSlack
from tests.storage.places import s3_client

ROOT: Final = Path(__file__).parents[2]
REGIONS: Final = ("eu", "us", "ap")
INTERVAL: Final = 2
PATIENCE: Final = 150.0


class Shared(NamedTuple):
    """A storage that machines share.

    Attributes:
        port: of its server; 0 for a folder.
        settings: the ``storage`` of a machine, by the port that it reaches the server through.
        folder: the shared folder, if it stands for one of a network file system.
    """

    port: int
    settings: Callable[[int], dict[str, Any]]
    folder: str = ""


def _folder(until: ExitStack, path: Path) -> Shared:  # noqa: ARG001 - as the others
    return Shared(0, lambda _: {"type": "fs", "dir": str(path / "checks")})


def _network_folder(until: ExitStack, path: Path) -> Shared:
    return _folder(until, path)._replace(folder=str(path / "checks"))


def _s3(until: ExitStack, path: Path) -> Shared:  # noqa: ARG001 - as the others
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    until.callback(server.stop)
    host, port = server.get_host_and_port()
    s3_client(f"http://{host}:{port}").create_bucket(Bucket="checks")
    keys = {"access_key_id": "test", "secret_access_key": "test", "region": "us-east-1"}
    return Shared(
        port,
        lambda port: {
            "type": "s3",
            "bucket": "checks",
            "endpoint_url": f"http://127.0.0.1:{port}",
            **keys,
        },
    )


def _github(until: ExitStack, path: Path) -> Shared:  # noqa: ARG001 - as the others
    server = until.enter_context(fake_github())
    about = {"repository_owner": OWNER, "repository_name": NAME, "branch": "main"}
    who = {"committer_name": "Mona", "committer_email": "mona@example.com", "access_token": TOKEN}
    return Shared(
        int(server.url.rpartition(":")[2]),
        lambda port: {"type": "github", "api_url": f"http://127.0.0.1:{port}", **about, **who},
    )


def _postgres(until: ExitStack, path: Path) -> Shared:  # noqa: ARG001 - as the others
    server = until.enter_context(databases.postgres())
    name = server.new_database()
    return Shared(
        server.port,
        lambda port: {
            "type": "postgres",
            "dsn": server.dsn(name, port, sslmode="disable"),
            "create": True,
        },
    )


def _mariadb(until: ExitStack, path: Path) -> Shared:  # noqa: ARG001 - as the others
    server = until.enter_context(databases.mariadb())
    name = server.new_database()
    return Shared(
        server.port, lambda port: {"type": "mysql", "dsn": server.dsn(name, port), "create": True}
    )


STORAGES: Final = {
    "folder": _folder,
    "network-folder": _network_folder,
    "s3": _s3,
    "github": _github,
    "postgresql": _postgres,
    "mariadb": _mariadb,
}
IN_EVERY_RUN: Final = {"folder", "postgresql"}
"""Without and with a server between the machines; `make soak` takes all."""

CHOSEN: Final = {
    name: shared
    for name, shared in STORAGES.items()
    if name in IN_EVERY_RUN or os.environ.get("ALL_STORAGES")
}


class Machine:
    """A process that votes, and its way to the storage."""

    def __init__(self, path: Path, region: str, shared: Shared, line: Partition | None) -> None:
        self._command = [sys.executable, "-m", "tests.pipeline.machine", str(path)]
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "CHECKUP_REGION": region,
            **({"SHARED_FOLDER": shared.folder} if shared.folder else {}),
        }
        self.log = path.with_suffix(".log")
        self.line = line
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environ, stdout=log, stderr=log
            )

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Trio:
    """Three machines, their storage, the service that they check and the channel they alert.

    Attributes:
        context: for the test to read the storage itself, past all partitions.
    """

    def __init__(
        self, until: ExitStack, path: Path, shared: Shared, service: Service, slack: FakeSlack
    ) -> None:
        self.service = service
        self.slack = slack
        self.machines: dict[str, Machine] = {}
        for region in REGIONS:
            line = until.enter_context(partition(shared.port)) if shared.port else None
            settings = shared.settings(line.port if line else 0)
            config = self._config(path / f"{region}.json", settings)
            self.machines[region] = machine = Machine(config, region, shared, line)
            until.callback(machine.kill)
        own = app.read_config(
            str(self._config(path / "own.json", shared.settings(shared.port))), {}
        )
        storage: Storage | None = (
            FolderStorage(shared.folder, is_network=True) if shared.folder else None
        )
        self.context: RunContext = app.run_context(own, {}, storage=storage)

    def _config(self, path: Path, storage: dict[str, Any]) -> Path:
        checker = {
            "type": "http",
            "id": "a",
            "endpoint_name": "A",
            "endpoint_url": self.service.url,
        }
        content = {
            "checkers": [{**checker, "recheck": 0, "timeout": "1s", "attempts": 1}],
            "storage": storage,
            "notifiers": [{"type": "slack", "webhook": self.slack.webhook}],
            "regions": list(REGIONS),
            "interval": f"{INTERVAL}s",
            "run_deadline": f"{INTERVAL}s",
        }
        path.write_text(json.dumps(content))
        return path

    def state(self) -> AlertState:
        return read_state(self.context.storage)

    def wait(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            logs = "\n".join(
                f"{name}: {it.log.read_text()[-400:]}" for name, it in self.machines.items()
            )
            assert time.monotonic() < end, f"{self.slack.alerts} {self.state()}\n{logs}"
            time.sleep(0.2)

    def become(self, status: Status) -> None:
        """Let the service be up or down, and wait until that was agreed on and delivered."""
        self.service.status = 200 if status is Status.HEALTHY else 500
        self.wait(lambda: self._status() is status and not self.state().outboxes)

    def _status(self) -> Status:
        checker = self.state().checkers.get("a")
        return checker.status if checker else Status.UNKNOWN

    def voters(self) -> set[str]:
        """Return which machines reported in the last slots."""
        keys = list(self.context.storage.list(RUNS_PREFIX))[-3 * len(REGIONS) :]
        now = time.time_ns() - 4 * INTERVAL * 10**9
        times = [key_time(key) or 0 for key in keys]
        return {REGIONS[at % 10**9] for at in times if at > now}


@pytest.fixture(name="trio", params=list(CHOSEN.values()), ids=list(CHOSEN))
def _trio(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trio]:
    with ExitStack() as until:
        service, slack = until.enter_context(running_service()), until.enter_context(FakeSlack())
        shared: Shared = request.param(until, tmp_path)
        yield Trio(until, tmp_path, shared, service, slack)


@pytest.mark.timeout(900)
@pytest.mark.row("I25", "I26", "I28")
def test_machines_that_are_cut_off_paused_and_killed_lose_and_double_no_alert(trio: Trio) -> None:
    eu, us, ap = (trio.machines[name] for name in REGIONS)
    trio.become(Status.HEALTHY)
    trio.wait(lambda: trio.voters() == {*REGIONS})

    if ap.line is not None:  # cut off
        ap.line.open.clear()
    else:
        ap.signal(signal.SIGSTOP)
    trio.become(Status.DOWN)
    if ap.line is not None:
        ap.line.open.set()
    else:
        ap.signal(signal.SIGCONT)
    trio.wait(lambda: trio.voters() == {*REGIONS})

    us.signal(signal.SIGSTOP)  # paused
    trio.become(Status.HEALTHY)
    us.signal(signal.SIGCONT)
    trio.wait(lambda: trio.voters() == {*REGIONS})

    dead = Event()

    def kill_all() -> None:
        for machine in trio.machines.values():
            machine.kill()
        dead.set()

    trio.slack.kill = kill_all  # killed after a message was accepted, before its receipt
    trio.slack.behave("killed-after", "ok")
    trio.service.status = 500
    assert dead.wait(PATIENCE)
    for machine in trio.machines.values():
        machine.start()
    trio.become(Status.DOWN)
    eu.kill()
    trio.become(Status.HEALTHY)
    eu.start()
    trio.wait(lambda: trio.voters() == {*REGIONS})

    texts = trio.slack.texts
    labelled = ["Possible duplicate" in text for text in texts]
    told = ["down" if " down" in text else "recovered" for text in texts]
    assert told == ["down", "recovered", "down", "down", "recovered"], texts
    assert labelled == [False, False, False, True, False], texts
    (again,) = replay(trio.context, [trio.context.rules], 0).replayed
    kinds = [alert.id.split("/")[1] for alert in again.alerts]
    assert kinds == ["open:down", "resolve:healthy"] * 2
    assert [alert.slot for alert in again.alerts][-1] == trio.state().checkers["a"].since
