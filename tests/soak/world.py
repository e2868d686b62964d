"""One world of the soak test: it is lived through, and judged."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from queue import Empty
from random import Random
from typing import Final, Self

import requests
from msgspec.structs import replace

from checkup import app
from checkup.alerting.apply import AlertRules
from checkup.storage.memory import MemoryStorage
from checkup.storage.s3 import S3Storage
from checkup.times import SECOND
from tests.pipeline.doomed_run import s3_client
from tests.pipeline.judge import judge
from tests.servers.slack import SECRET, FakeSlack
from tests.servers.slackapi import TOKEN, FakeSlackApi
from tests.soak.gate import Arrival, Begun, Ended
from tests.soak.plan import HEALTHY, Burst, Plan, Visit, fate
from tests.soak.stage import Environment, Stage
from tests.soak.tally import Tally
from tests.soak.witness import Runner, Witness

EPOCH: Final = 1_700_000_040 * SECOND
MINUTE: Final = 60 * SECOND
AGAIN: Final = 0.7
"""How often the platform delivers the event of a failed run again, before it gives up."""

SILENCE_SECONDS: Final = 100.0
"""How long nothing may happen before the world is taken for stuck."""


class Going(Runner, kw_only=True):
    """A run that has begun and is not over; ``waits`` at the gate with a request."""

    visit: Visit
    chance: Random
    waits: Arrival | None = None


class World:
    """A world on a stage."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.tally = Tally()
        self._stage = stage
        self._plan = plan
        self._chance = Random(plan.seed)
        self._until = ExitStack()
        self._going: list[Going] = []
        self._failed: list[Visit] = []
        self._is_calm = False
        self._home = stage.folder / plan.name
        self._log = self._home / "log"

    def live(self) -> Tally:
        """Live through it all and judge."""
        with self.prepared():
            for burst in self._plan.bursts:
                self._happen(burst)
            self._is_calm = True
            for burst in self._plan.settled:
                self._happen(burst)
            self._judge()
        return self.tally

    @contextmanager
    def prepared(self) -> Iterator[Self]:
        """Make a bucket and environments, each of which has looked once; end them afterwards."""
        stage, plan = self._stage, self._plan
        services = {name: service.url for name, service in stage.services.items()}
        webhooks = {name: slack.webhook for name, slack in stage.slacks.items()}
        self._home.mkdir(exist_ok=True)
        (self._home / "checkup.json").write_text(json.dumps(plan.config(services, webhooks)))
        with self._until:
            self._prepare()
            self._environments = [self._environment(region) for region in plan.regions]
            self._until.callback(self._end_all)
            yield self

    def look_by_hand(self, times: int) -> None:
        """Look without storing; whoever asks at the gate has gone too far."""
        for number in range(times):
            self._environments[0].begin({"checkers": []}, seed=str(number), remaining=60_000)
            assert isinstance(self._next_event(), Begun)
            ended = self._next_event()
            assert isinstance(ended, Ended)
            assert ended.code == 0, self._log.read_text()

    def content(self) -> Mapping[str, bytes]:
        """Return all that is in the bucket."""
        bucket = self._plan.name
        names = [each["Key"] for each in self._client.list_objects_v2(Bucket=bucket)["Contents"]]
        objects = (self._client.get_object(Bucket=bucket, Key=name) for name in names)
        return {name: found["Body"].read() for name, found in zip(names, objects, strict=True)}

    def _prepare(self) -> None:
        stage = self._stage
        requests.post(f"{stage.bay.direct}/moto-api/reset", timeout=30).raise_for_status()
        client = s3_client(stage.bay.direct)
        self._until.callback(client.close)
        client.create_bucket(Bucket=self._plan.name)
        self._client = client
        channels: list[FakeSlack | FakeSlackApi] = [stage.bot, *stage.slacks.values()]
        for channel in channels:
            channel.messages.clear()
            channel.kill = self._kill
        stage.gate.is_open = False
        stage.show(HEALTHY)
        stage.bay.now = EPOCH
        stage.bay.kill = self._kill
        documents = S3Storage(client, self._plan.name, runs_prefix="runs/")
        self._witness = Witness(stage, documents, is_bot=self._plan.kind == "bot")

    def _environment(self, region: str) -> Environment:
        """Start the environment of a region, which looks once before anything goes wrong."""
        made = self._stage.environment(
            "function",
            self._home,
            _event(-1),
            AWS_LAMBDA_FUNCTION_NAME="check",
            AWS_REGION=region or "us-east-1",
            AWS_ENDPOINT_URL=self._stage.bay.url,
            STATE_BUCKET=self._plan.name,
        )
        self._until.callback(made.close)
        return made

    def _happen(self, burst: Burst) -> None:
        bay = self._stage.bay
        bay.now = max(bay.now, EPOCH + burst.minute * MINUTE + burst.second * SECOND)
        to_come, self._failed = [*self._failed, *burst.visits], []
        while to_come or self._going:
            choices: list[Going | None] = [*self._going, *([None] if to_come else [])]
            chosen = self._chance.choice(choices)
            if chosen is None:
                self._begin(to_come.pop(0))
            else:
                self._let_through(chosen)
            bay.now += self._chance.randrange(SECOND // 5)

    def _begin(self, visit: Visit) -> None:
        seed = visit.seed or f"{self._plan.seed}/{visit.slot}"
        self.tally.runs += 1
        self.tally.overlapping += bool(self._going)
        environment = self._environments[visit.region]
        environment.begin(_event(visit.slot), seed=seed, remaining=visit.remaining)
        waits: Arrival | None = None
        event = self._next_event()
        if isinstance(event, Arrival):  # it was faster than the news of its process
            waits, event = event, self._next_event()
        assert isinstance(event, Begun)
        going = Going(process=event.process, visit=visit, chance=Random(seed), waits=waits)
        self._going.append(going)
        if waits is None:
            self._run_on(going)

    def _let_through(self, going: Going) -> None:
        assert going.waits is not None
        is_bot = self._plan.kind == "bot"
        call = going.waits.call
        what = "ok" if self._is_calm else fate(going.chance, call, is_bot=is_bot)
        if what != "ok":
            self.tally.faults[f"{call.split()[0]} {what}"] += 1
        self._stage.show(going.visit.letters)
        self._witness.turn = going
        going.waits.let_through(what)
        going.waits = None
        self._run_on(going)

    def _run_on(self, going: Going) -> None:
        """Wait until the running process waits for an answer again, or is gone."""
        event = self._next_event()
        self._witness.look_at_channels()
        if isinstance(event, Arrival):
            going.waits = event
            return
        assert isinstance(event, Ended)
        assert event.process == going.process
        allowed = {0} if self._is_calm else {0, 1, -signal.SIGKILL}
        assert event.code in allowed, f"a run ended with {event.code}: {self._log.read_text()}"
        self.tally.kills += event.code == -signal.SIGKILL
        self._going.remove(going)
        if event.code and going.chance.random() < AGAIN:
            self._failed.append(replace(going.visit, seed=f"{going.visit.seed}/again"))

    def _next_event(self) -> Arrival | Begun | Ended:
        try:
            return self._stage.gate.events.get(timeout=SILENCE_SECONDS)
        except Empty:
            raise AssertionError(f"stuck: {self._going}") from None

    def _end_all(self) -> None:
        """End what is still going, in a world that came to a bad end."""
        for going in self._going:
            os.kill(going.process, signal.SIGKILL)
            if going.waits is not None:
                going.waits.fate.put("lost")
        ends = {going.process for going in self._going}
        while ends:
            event = self._next_event()
            if isinstance(event, Ended):
                ends.discard(event.process)

    def _kill(self) -> None:
        os.kill(self._witness.turn.process, signal.SIGKILL)

    def _judge(self) -> None:
        witness, is_bot = self._witness, self._plan.kind == "bot"
        witness.setting = self._setting()
        verdict = judge(witness, repeats=0 if is_bot else None, in_order=not is_bot)
        self.tally.alerts, self.tally.repeats = verdict
        self.tally.windows = witness.windows
        self.tally.messages = len(witness.told)
        seen = self._log.read_bytes() + b"".join(written.body for written in witness.heads)
        for secret in (SECRET, TOKEN):
            assert secret.encode() not in seen, "I24: a log or a head holds a secret"

    def _setting(self) -> AlertRules:
        environ = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "check"}
        config = app.read_config(str(self._home / "checkup.json"), environ)
        return app.run_context(config, environ, storage=MemoryStorage()).rules


def _event(minute: int) -> dict[str, str]:
    """Return the event of a slot."""
    moment = EPOCH + minute * MINUTE
    return {"slot": datetime.fromtimestamp(moment // SECOND, UTC).isoformat()}
