"""A folder or a database in which storing runs of the command line are killed, one by one."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any, Final

from checkup import app
from checkup.alerting.apply import AlertRules
from checkup.alerting.state import STATE_KEY, decode_state
from checkup.interfaces import Storage
from checkup.model import RUNS_PREFIX, Alert, decode_results
from checkup.notifiers.message import short_id
from checkup.storage.memory import MemoryStorage
from tests import gofile
from tests.pipeline.judge import judge
from tests.servers.slack import short_ids
from tests.soak.gate import Begun, Ended
from tests.soak.plan import CHECKERS, HEALTHY, changed, config
from tests.soak.stage import Stage
from tests.soak.tally import Tally
from tests.soak.witness import Written

STORAGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "folder": {"type": "fs", "dir": "checks"},
    "sqlite": {"type": "sqlite3", "dsn": "checks.db", "create": True},
}
LONGEST: Final = {"folder": 110, "sqlite": 160}
"""Calls that a run makes if it has something to tell; a kill beyond the last does not come."""

PEACEFUL: Final = 3


class Place:
    """One storage on this machine, and one channel.

    Args:
        kind: one of STORAGES.
        kills: how many runs are to die.
    """

    locks = True

    def __init__(self, stage: Stage, kind: str, seed: str, kills: int) -> None:
        self.tally = Tally()
        self.heads: list[Written] = []
        self.windows = 0
        self._stage = stage
        self._kind = kind
        self._kills = kills
        self._seed = seed
        self._chance = Random(seed)
        self._slack = stage.slacks["slack"]
        self._home = stage.folder / seed.replace("/", "-")
        self._recorded = 0

    def live(self) -> Tally:
        """Let runs happen until enough have been killed, then some in peace, and judge."""
        self._home.mkdir()
        services = {name: service.url for name, service in self._stage.services.items()}
        written = config(services, {"slack": self._slack.webhook})
        written["storage"] = STORAGES[self._kind]
        (self._home / "checkup.json").write_text(json.dumps(written))
        self._slack.messages.clear()
        self._stage.gate.is_open = True
        with ExitStack() as until:
            environment = self._stage.environment("command", self._home)
            until.callback(environment.close)
            self._environment = environment
            weather = HEALTHY
            while self.tally.kills < self._kills:
                weather = changed(self._chance, weather)
                self._happen(weather, self._chance.randint(1, LONGEST[self._kind]))
            for _ in range(PEACEFUL):
                self._happen(HEALTHY, 0)
        self.tally.alerts, self.tally.repeats = judge(self)
        self.tally.messages = len(self._slack.messages)
        self.tally.windows = self.windows
        self._judge_files()
        return self.tally

    # What the judge asks for

    @property
    def now(self) -> int:
        return time.time_ns()

    @property
    def folded(self) -> Sequence[str]:
        """One run follows another, so none is ever late."""
        return list(self.documents.list(RUNS_PREFIX))

    @cached_property
    def documents(self) -> Storage:
        here = Path.cwd()
        os.chdir(self._home)
        try:
            read = app.read_config("checkup.json", {})
            storage = app.open_storage(read, app.make_clients(read, {}), {})
        finally:
            os.chdir(here)
        assert storage is not None
        return storage

    @property
    def setting(self) -> AlertRules:
        read = app.read_config(str(self._home / "checkup.json"), {})
        return app.run_context(read, {}, storage=MemoryStorage()).rules

    @property
    def received(self) -> Mapping[str, Sequence[tuple[Sequence[str], bool]]]:
        messages = self._slack.messages
        return {"slack": [(short_ids(m), "Possible duplicate" in m["text"]) for m in messages]}

    def name(self, alert: Alert) -> str:
        return short_id(alert)

    # How it goes

    def _happen(self, weather: str, fatal: int) -> None:
        self._stage.show(weather)
        messages = len(self._slack.messages)
        self.tally.runs += 1
        self._environment.begin(["--store"], seed=f"{self._seed}/{self.tally.runs}", fatal=fatal)
        begun, ended = (self._stage.gate.events.get(timeout=100) for _ in range(2))
        assert isinstance(begun, Begun)
        assert isinstance(ended, Ended)
        assert ended.code in {0, 3, -signal.SIGKILL}, (self._home / "log").read_text()
        assert fatal or ended.code in {0, 3}
        self.tally.kills += ended.code < 0
        self._recorded += ended.code >= 0
        self._look(len(self._slack.messages) > messages)

    def _look(self, has_told: bool) -> None:
        """Look at the head that the run has left."""
        stored = self.documents.get(STATE_KEY)
        if stored is not None and (not self.heads or self.heads[-1].body != stored.body):
            self.heads.append(Written(stored.body, time.time_ns(), 0))
        if has_told:
            waiting = decode_state(stored.body).outboxes.get("slack", ()) if stored else ()
            told = short_ids(self._slack.messages[-1])
            self.windows += bool({short_id(entry.alert) for entry in waiting} & {*told})

    def _judge_files(self) -> None:
        """Everything can be read, and what was reported as stored is there."""
        storage = self.documents
        keys = list(storage.list(RUNS_PREFIX))
        assert len(keys) >= self._recorded
        for key in keys:
            stored = storage.get(key)
            assert stored is not None
            assert len(decode_results(stored.body)) == len(CHECKERS)
        assert list(storage.list("quarantine/")) == []
        if self._kind == "folder":
            index = gofile.read_index((self._home / "checks" / "index.json").read_bytes())
            assert list(index) == [key.removeprefix(RUNS_PREFIX) for key in keys]
        else:
            with closing(sqlite3.connect(self._home / "checks.db")) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
