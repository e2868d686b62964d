"""What the worlds of one process are played on: servers, and a nursery of environments."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

from tests.servers.slack import FakeSlack
from tests.servers.slackapi import FakeSlackApi
from tests.soak.bay import Bay
from tests.soak.gate import Begun, Ended, Gate
from tests.soak.plan import CHECKERS
from tests.stack.services import REACHABLE, Service

ROOT: Final = Path(__file__).parents[2]
START_SECONDS: Final = 60.0


class GatedSlack(FakeSlack):
    """Slack's webhooks behind the gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def next_behaviour(self) -> str:
        return self._gate.arrive("slack")


class GatedSlackApi(FakeSlackApi):
    """Slack's Web API behind the gate."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def next_behaviour(self) -> str:
        return self._gate.arrive("slack")


class Stage:
    """Servers and a nursery, while the block runs.

    Args:
        folder: for files that nobody needs afterwards.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gate = Gate()
        self.bay = Bay(self.gate)
        self.slacks = {"slack": GatedSlack(self.gate), "second": GatedSlack(self.gate)}
        self.bot = GatedSlackApi(self.gate)
        self.services = {name: Service() for name in CHECKERS}
        self._until = ExitStack()
        self._place = str(folder / "nursery")

    def __enter__(self) -> Self:
        servers: list[AbstractContextManager[object]] = [self.bay, self.bot]
        for server in (*servers, *self.slacks.values(), *self.services.values()):
            self._until.enter_context(server)
        # Forks have to be made by a process without threads, and this one is full of them.
        nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.nursery", self._place],
            cwd=ROOT,
            env={**_plain_environ(), **REACHABLE},
            stdin=subprocess.DEVNULL,
        )
        self._until.callback(nursery.wait)
        self._until.callback(nursery.kill)
        return self

    def __exit__(self, *_: object) -> None:
        self._until.close()

    def show(self, letters: str) -> None:
        """Let the services be well (h) or not."""
        for service, letter in zip(self.services.values(), letters, strict=True):
            service.well = letter == "h"

    def environment(
        self, door: str, home: Path, first: object = None, **environ: str
    ) -> Environment:
        """Start an environment.

        Args:
            door: ``function`` or ``command``.
            home: the folder where its configuration lies.
            first: an event that it serves itself, undisturbed, before there are forks of it.
            environ: its variables beside those that all have.
        """
        order = {
            "door": door,
            "home": str(home),
            "environ": environ,
            "first": first,
            "remaining": 60_000,
            "detours": {"https://slack.com/": f"{self.bot.url}/slack.com/"},
        }
        is_open, self.gate.is_open = self.gate.is_open, True
        made = Environment(self._connect(), order, self.gate)
        self.gate.is_open = is_open
        return made

    def _connect(self) -> socket.socket:
        end = time.monotonic() + START_SECONDS
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._place)
            except OSError:
                connection.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return connection


class Environment:
    """One environment of the nursery, which reports the ends of its processes to the gate."""

    def __init__(self, connection: socket.socket, order: Mapping[str, Any], gate: Gate) -> None:
        self._connection = connection
        self._lines = connection.makefile("rw")
        self._gate = gate
        self._say(order)
        answer = self._lines.readline()
        assert "ready" in answer, f"the function does not start: see {order['home']}/log"
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def begin(self, event: object, *, seed: str, remaining: int = 0, fatal: int = 0) -> None:
        """Start a process for an event.

        Args:
            seed: for whatever the process leaves to chance.
            remaining: milliseconds that the function has.
            fatal: the number of the call before which it dies; 0 for none.
        """
        self._say({"event": event, "seed": seed, "remaining": remaining, "fatal": fatal})

    def close(self) -> None:
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._lines.close()
        self._connection.close()

    def _say(self, order: Mapping[str, Any]) -> None:
        self._lines.write(json.dumps(order) + "\n")
        self._lines.flush()

    def _listen(self) -> None:
        for line in self._lines:
            said = json.loads(line)
            if "pid" in said:
                self._gate.events.put(Begun(said["pid"]))
            else:
                self._gate.events.put(Ended(said["ended"], said["code"]))


def _plain_environ() -> dict[str, str]:
    """Return this environment without the machine's own AWS, and with what Lambda sets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
    }
