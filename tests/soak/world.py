"""One world of the soak test: it is lived through, and judged."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from queue import Empty
from random import Random
from typing import Any, Final, NamedTuple, Self

import requests
from msgspec import Struct, field
from msgspec.structs import replace

from checkup import bootstrap
from checkup.alerting.document import decode_head
from checkup.alerting.fold import Setting
from checkup.model import SECOND, Alert
from checkup.notifiers.wording import short_id
from checkup.storage.memory import MemoryStorage
from checkup.storage.s3 import S3Storage
from tests.protocol.doomed_run import s3_client
from tests.protocol.judge import judge
from tests.servers.slack import SECRET, FakeSlack, short_ids
from tests.servers.slackapi import TOKEN, FakeSlackApi
from tests.soak.gate import Arrival, Begun, Ended
from tests.soak.plan import HEALTHY, Burst, Plan, Visit, fate
from tests.soak.stage import Environment, Stage
from tests.soak.tally import Tally

EPOCH: Final = 1_700_000_040 * SECOND
MINUTE: Final = 60 * SECOND
AGAIN: Final = 0.7
SILENCE_SECONDS: Final = 100.0
"""How long nothing may happen before the world is taken for stuck."""


class Written(NamedTuple):
    """A head that was written: by whom, when, and how many messages there were before."""

    body: bytes
    now: int
    process: int


class Told(NamedTuple):
    """A message that was accepted."""

    channel: str
    names: tuple[str, ...]
    process: int
    heads: int


class Going(Struct, eq=False):
    """A run that has begun and is not over; ``waits`` at the gate with a request."""

    visit: Visit
    process: int
    chance: Random
    waits: Arrival | None = None
    listed: list[str] = field(default_factory=list)


class World:
    """A world on a stage."""

    locks = False

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self.tally = Tally()
        self.heads: list[Written] = []
        self.folded: list[str] = []
        self._told: list[Told] = []
        self._stage = stage
        self._plan = plan
        self._chance = Random(plan.seed)
        self._until = ExitStack()
        self._going: list[Going] = []
        self._turn: Going | None = None
        self._home = stage.folder / plan.name
        self._config = self._home / "checkup.json"
        self._log = self._home / "log"
        self._is_calm = False
        self._failed: list[Visit] = []

    def live(self) -> Tally:
        """Live through it all and judge."""
        with self.prepared():
            for burst in self._plan.bursts:
                self._happen(burst)
            self._is_calm = True
            for burst in self._plan.settled:
                self._happen(burst)
            is_bot = self._plan.kind == "bot"
            verdict = judge(self, repeats=0 if is_bot else None, in_order=not is_bot)
        self._judge_secrets()
        self.tally.alerts, self.tally.repeats = verdict
        self.tally.windows = self.windows
        self.tally.messages = len(self._told)
        return self.tally

    @contextmanager
    def prepared(self) -> Iterator[Self]:
        """Make a bucket and environments, each of which has looked once; end them afterwards."""
        stage, plan = self._stage, self._plan
        services = {name: service.url for name, service in stage.services.items()}
        webhooks = {name: slack.webhook for name, slack in stage.slacks.items()}
        self._home.mkdir(exist_ok=True)
        self._config.write_text(json.dumps(plan.config(services, webhooks)))
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

    # What the judge asks for

    @property
    def now(self) -> int:
        return self._stage.bay.now

    @property
    def setting(self) -> Setting:
        environ = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "check"}
        config = bootstrap.read_config(str(self._config), environ)
        return bootstrap.make_monitor(config, environ, storage=MemoryStorage()).setting

    @property
    def documents(self) -> S3Storage:
        return self._documents

    @property
    def received(self) -> Mapping[str, Sequence[tuple[Sequence[str], bool]]]:
        if self._plan.kind == "bot":
            return {"bot": [(names, False) for names in map(_told_by_bot, self._bot_messages())]}
        return {
            name: [(short_ids(m), "Possible repeat" in m["text"]) for m in slack.messages]
            for name, slack in self._stage.slacks.items()
        }

    @property
    def windows(self) -> int:
        """Messages that were accepted and of which no receipt was written by their sender."""
        return sum(not self._has_receipt(told) for told in self._told)

    def name(self, alert: Alert) -> str:
        return short_id(alert)

    # How it goes

    def _prepare(self) -> None:
        stage = self._stage
        requests.post(f"{stage.bay.direct}/moto-api/reset", timeout=30).raise_for_status()
        client = s3_client(stage.bay.direct)
        self._until.callback(client.close)
        client.create_bucket(Bucket=self._plan.name)
        self._client = client
        self._documents = S3Storage(client, self._plan.name, runs_prefix="runs/")
        channels: list[FakeSlack | FakeSlackApi] = [stage.bot, *stage.slacks.values()]
        for channel in channels:
            channel.messages.clear()
            channel.kill = self._kill
        stage.gate.is_open = False
        stage.show(HEALTHY)
        stage.bay.now = EPOCH
        stage.bay.kill = self._kill
        stage.bay.wrote = self._wrote
        stage.bay.listed = self._listed

    def _environment(self, region: str) -> Environment:
        """Start the environment of a region, which looks once before anything goes wrong."""
        self._turn = Going(Visit(), 0, self._chance)
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
        going = Going(visit, event.process, Random(seed), waits)
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
        self._turn = going
        going.waits.let_through(what)
        going.waits = None
        self._run_on(going)

    def _run_on(self, going: Going) -> None:
        """Wait until the running process waits for an answer again, or is gone."""
        messages = self._counts()
        event = self._next_event()
        self._note_messages(going, messages)
        if isinstance(event, Arrival):
            going.waits = event
            return
        assert isinstance(event, Ended)
        assert event.process == going.process
        allowed = {0} if self._is_calm else {0, 1, -signal.SIGKILL}
        assert event.code in allowed, f"a run ended with {event.code}: {self._log.read_text()}"
        self.tally.kills += event.code == -signal.SIGKILL
        self._going.remove(going)
        # The platform delivers the event of a failed run again, or gives up.
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
        assert self._turn is not None
        os.kill(self._turn.process, signal.SIGKILL)

    # What is seen of it

    def _wrote(self, body: bytes) -> None:
        assert self._turn is not None
        before = decode_head(self.heads[-1].body).cursor if self.heads else ""
        after = decode_head(body).cursor
        self.folded += [key for key in self._turn.listed if before < key <= after]
        self.heads.append(Written(body, self.now, self._turn.process))

    def _listed(self, keys: Sequence[str]) -> None:
        assert self._turn is not None
        self._turn.listed[:] = keys

    def _counts(self) -> dict[str, int]:
        counts = {name: len(slack.messages) for name, slack in self._stage.slacks.items()}
        return {**counts, "bot": len(self._stage.bot.messages)}

    def _note_messages(self, going: Going, before: Mapping[str, int]) -> None:
        for channel, count in self._counts().items():
            if count > before[channel]:
                slack: Any = self._stage.slacks.get(channel) or self._stage.bot
                names = short_ids(slack.messages[-1]) if channel != "bot" else ()
                self._told.append(Told(channel, tuple(names), going.process, len(self.heads)))

    def _has_receipt(self, told: Told) -> bool:
        for written in self.heads[told.heads :]:
            if written.process == told.process:
                waiting = decode_head(written.body).channels.get(told.channel, ())
                return not {short_id(entry.alert) for entry in waiting} & set(told.names)
        return False

    def _bot_messages(self) -> list[dict[str, Any]]:
        return self._stage.bot.messages

    def _judge_secrets(self) -> None:
        """I24: no log, state or run has a secret in it."""
        log = self._log.read_bytes()
        stored = b"".join(written.body for written in self.heads)
        for secret in (SECRET, TOKEN):
            assert secret.encode() not in log + stored, "I24"


def _event(minute: int) -> dict[str, str]:
    """Return the event of a slot."""
    moment = EPOCH + minute * MINUTE
    return {"slot": datetime.fromtimestamp(moment // SECOND, UTC).isoformat()}


def _told_by_bot(message: dict[str, Any]) -> list[str]:
    """Return what a message told when it was posted; its edits tell of what its thread does."""
    names: list[str] = message["metadata"]["event_payload"]["told"]
    return names if "thread_ts" in message else names[:1]
