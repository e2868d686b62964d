"""What an operator would try: kill the service, the monitor and Slack, and bring each back.

In every order, and each time the channel has to read as one clear story: nothing, if nobody was
there to see the outage, and else that it is down, and then that it recovered.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import permutations
from typing import Any, Final

from tests.cli.program import wait_until
from tests.cli.service import running_service
from tests.servers.slack import short_ids
from tests.soak.gate import Begun, Ended
from tests.soak.stage import Stage
from tests.soak.tally import Tally

PARTS: Final = ("service", "monitor", "slack")
RUNS: Final = 2
"""Whole runs that the monitor takes part in, if it is there, before the next thing happens."""

INTERVAL: Final = "200ms"


def orders() -> Iterator[tuple[str, ...]]:
    """Yield every order in which the parts can go and come back: ``-`` and ``+``."""
    steps = [f"{sign}{part}" for part in PARTS for sign in "-+"]
    for order in permutations(steps):
        if all(order.index(f"-{part}") < order.index(f"+{part}") for part in PARTS):
            yield order


ORDERS: Final = tuple(orders())


class Story:
    """One order, lived through."""

    def __init__(self, stage: Stage, number: int) -> None:
        self.order = ORDERS[number]
        self._stage = stage
        self._slack = stage.slacks["slack"]
        self._home = stage.folder / f"story-{number}"
        self._until = ExitStack()
        self._gone: set[str] = set()
        self._process = 0
        self._is_seen = False

    def live(self) -> Tally:
        """Live through it and judge what the channel reads."""
        self._stage.gate.is_open = True
        self._slack.messages.clear()
        with self._until:
            self._service = self._until.enter_context(running_service())
            self._write()
            self._environment = self._stage.environment("command", self._home)
            self._until.callback(self._environment.close)
            self._until.callback(self._come_back)
            self._begin()
            self._see()
            for step in self.order:
                self._do(step)
                self._see()
            wait_until(self._is_over)
            self._see()
            self._end()
        repeats = self._judge()
        return Tally(
            runs=self._count(),
            kills=2,
            alerts=2 * self._is_seen,
            messages=len(self.messages),
            windows=repeats,
            repeats=repeats,
        )

    @property
    def messages(self) -> Sequence[dict[str, Any]]:
        return self._slack.messages

    @property
    def text(self) -> str:
        """The channel, as people read it."""
        return "\n".join(line for message in self.messages for line in read(message))

    def _write(self) -> None:
        self._home.mkdir()
        api = {"type": "http", "endpoint_name": "API", "endpoint_url": self._service.url}
        written = {
            "checkers": [{**api, "recheck": 0, "flapping": False}],
            "storage": {"type": "fs", "dir": "checks"},
            "notifiers": [{"type": "slack", "webhook": self._slack.webhook}],
        }
        (self._home / "checkup.json").write_text(json.dumps(written))

    def _do(self, step: str) -> None:
        part = step[1:]
        self._gone ^= {part}
        match step:
            case "-service":
                self._service.down()
            case "+service":
                self._service.up()
            case "-slack":
                self._slack.down()
            case "+slack":
                self._slack.up()
            case "-monitor":
                self._end()
            case "+monitor":
                self._begin()

    def _begin(self) -> None:
        self._environment.begin(["every", INTERVAL], seed="")
        begun = self._stage.gate.events.get(timeout=100)
        assert isinstance(begun, Begun)
        self._process = begun.process

    def _end(self) -> None:
        os.kill(self._process, signal.SIGKILL)
        ended = self._stage.gate.events.get(timeout=100)
        assert isinstance(ended, Ended)
        assert ended.code == -signal.SIGKILL, (self._home / "log").read_text()
        self._process = 0

    def _come_back(self) -> None:
        if "slack" in self._gone:
            self._slack.up()
        if self._process:
            self._end()

    def _see(self) -> None:
        """Wait until the monitor, if it is there, has seen what is the case now."""
        if "monitor" in self._gone:
            return
        enough = self._count() + RUNS
        wait_until(lambda: self._count() >= enough)
        self._is_seen = self._is_seen or "service" in self._gone

    def _count(self) -> int:
        return len(list((self._home / "checks").glob("*-check.json")))

    def _is_over(self) -> bool:
        told = {name for message in self.messages for name in short_ids(message)}
        return len(told) == 2 * self._is_seen

    def _judge(self) -> int:
        """Return how many messages were repeats."""
        repeats, told = 0, list[str]()
        for message in self.messages:
            again = set(short_ids(message)) & {*told}
            assert not again or "Possible duplicate" in message["text"], self.text
            repeats += bool(again)
            told += [name for name in short_ids(message) if name not in told]
        assert repeats <= 2, self.text  # as often as the monitor was killed
        statuses = [word for line in self.text.splitlines() for word in _statuses(line)]
        # A repeat tells the same once more, and nothing else may. Of two alerts about a checker
        # in one message, the last one is shown.
        changes = [each for n, each in enumerate(statuses) if statuses[n - 1 : n] != [each]]
        is_one = any(len(short_ids(message)) == 2 for message in self.messages)
        story = ["recovered"] if is_one else ["is down", "recovered"]
        assert changes == (story if self._is_seen else []), self.text
        return repeats


def read(message: dict[str, Any]) -> list[str]:
    """Return a message as its lines: what it says, and of each alert what is shown below."""
    shown = [each.get("fallback", "") for each in message.get("attachments", [])]
    return [message["text"], *(f"    {line}" for line in shown)]


def _statuses(line: str) -> list[str]:
    """Return what a line below a headline says of the service."""
    return [s for s in ("is down", "recovered") if line.startswith(" ") and s in line]
