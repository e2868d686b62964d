"""An hour in the life of a deployed stack in which nothing happens, and what it asks of S3.

The functions' own objects work on an emulator of S3 that notes every request; time is injected,
so that the hour takes seconds. As in the stack, writing the state starts the publisher, and so does
a schedule every five minutes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.request import Request, urlopen

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from checkup.app import open_stack_storage
from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.interfaces import PageFile, PageVersion
from checkup.model import Attempt, Result, Run
from checkup.pipeline import RunContext, store_run
from checkup.run_store import RunStore
from checkup.storage.s3 import s3_client_config
from checkup.times import SECOND
from checkup_page.publish import PagePublisher
from checkup_page.publishers.s3 import S3Publisher

MINUTE = 60 * SECOND
MINUTES, HOUR = 60, 3600
WARM_UP = 100
"""Minutes before the hour that counts, until there are as many runs as the page shows."""

STATE, PAGE = "checkup-state", "checkup-page"
REGIONS = ("us-east-1", "eu-central-1", "ap-northeast-2")
_PUT_CLASS = {"PUT", "POST", "COPY", "LIST"}
_MANY = ("badges/", "components/", "history/days/", "history/hours/", "history/times/", "runs/")

Asked = tuple[str, str, str]
"""Which function, the verb, and the bucket and the key."""
_LOCK = threading.Lock()


@dataclass(frozen=True)
class Hour:
    """The requests of one hour, as (function, verb, what): how many.

    The verbs are those of S3's price list: a LIST costs as much as a PUT.
    """

    requests: Mapping[tuple[str, str, str], float]
    runs: int = MINUTES

    @property
    def puts(self) -> float:
        """Requests per run that are priced like PUT."""
        return self._per_run(counts=True)

    @property
    def gets(self) -> float:
        """Requests per run that are priced like GET; DELETE is free."""
        return self._per_run(counts=False)

    def _per_run(self, *, counts: bool) -> float:
        priced = (
            number
            for (_, verb, _), number in self.requests.items()
            if verb != "DELETE" and (verb in _PUT_CLASS) == counts
        )
        return sum(priced) / self.runs


class Emulator:
    """An emulator of S3 that notes who asks it for what."""

    def __init__(self) -> None:
        self.who = ""
        self.seen: list[tuple[str, str, str]] = []
        self._app = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Note a request and answer it."""
        verb, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        bucket, _, key = environ["PATH_INFO"].lstrip("/").partition("/")
        if "list-type" in query:
            verb = "LIST"
        with _LOCK:
            self.seen.append((self.who, verb, f"{bucket}/{key}"))
        return self._app(environ, start_response)


def _kind(name: str) -> str:
    """Name what an object is one of; ``name`` has the bucket before it."""
    bucket, _, key = name.partition("/")
    folder, _, _ = key.partition("/")
    return f"{bucket}/{folder}/*" if key.startswith(_MANY) else name


@contextmanager
def emulator() -> Iterator[tuple[Emulator, str]]:
    """Run the emulator while the block runs; yields it and its address."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Emulator()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        # What an emulator before this one was given lives in the process.
        with urlopen(Request(f"{url}/moto-api/reset", method="POST")):
            yield app, url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def uneventful_hour(config: Config) -> Hour:
    """Live through an hour of runs and pages, and count; the first of the regions is the home."""
    end = time.time_ns() // MINUTE * MINUTE
    slots = range(end - (WARM_UP + MINUTES) * MINUTE, end, MINUTE)
    with emulator() as (app, url):
        environ = {"STATE_BUCKET": STATE, "AWS_REGION": "us-east-1"}
        stack = _Stack(app, url, config, environ)
        for number, slot in enumerate(slots):
            if number == WARM_UP:
                app.seen.clear()
            stack.live(slot)
        return Hour(_spread(app.seen, stack.page.files))


def _spread(seen: Sequence[Asked], files: Mapping[str, PageFile]) -> Mapping[Asked, float]:
    """Count requests; files that wait for longer than an hour count for their part of one.

    All that can change in them is taken to do so.
    """
    slow = {
        f"{PAGE}/{path}": HOUR / file.min_interval
        for path, file in files.items()
        if file.min_interval > HOUR
    }
    found: Counter[Asked] = Counter()
    for who, verb, what in seen:
        if what not in slow:
            found[who, verb, _kind(what)] += 1
    for what, part in slow.items():
        found["publish", "PUT", _kind(what)] += part  # type: ignore[assignment]
    return found


class _Clients:
    """What the adapters of a stack need: a client of the emulator."""

    def __init__(self, url: str) -> None:
        self._session = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
        )
        self._url = url

    def aws(self, service: str, **options: Any) -> Any:
        given = {name: value for name, value in options.items() if value}
        session: Any = self._session  # whose stubs know no service by a variable name
        return session.client(service, endpoint_url=self._url, **given)


class _Watched(S3Publisher):
    """A publisher of which it is known what it was given."""

    files: Mapping[str, PageFile] = MappingProxyType({})

    def publish(self, files: Mapping[str, PageFile], edition: PageVersion) -> Sequence[str]:
        """Publish as it does."""
        self.files = files
        return super().publish(files, edition)


class _Stack:
    """Both functions, warm, and what starts them."""

    def __init__(self, app: Emulator, url: str, config: Config, environ: Mapping[str, str]) -> None:
        clients: Any = _Clients(url)
        client = clients.aws("s3", config=s3_client_config())
        for bucket in (STATE, PAGE):
            client.create_bucket(Bucket=bucket)
        self._app = app
        self._config = config
        self._storage = open_stack_storage(clients, environ)
        self._elsewhere = open_stack_storage(clients, environ)
        self._monitor = RunContext(
            checkers=config.checkers,
            storage=open_stack_storage(clients, environ),
            interval=config.interval,
            scheduled=True,
            region=next(iter(config.regions), ""),
            regions=config.regions,
        )
        self.page = _Watched(clients.aws("s3", config=s3_client_config()), PAGE)
        self._publication = PagePublisher(storage=self._storage, publisher=self.page)

    def live(self, slot: int) -> None:
        """Live through one minute."""
        before = len(self._app.seen)
        self._vote(slot)
        self._app.who = "check"
        store_run(self._monitor, self._run(slot, 0), _soon())
        wrote_state = any(
            verb == "PUT" and what.startswith(f"{STATE}/state/")
            for _, verb, what in self._app.seen[before:]
        )
        if wrote_state:
            self._publish(slot + 4 * SECOND)
        if slot // MINUTE % 5 == 4:  # the schedule's next full five minutes
            self._publish(slot + MINUTE)

    def _vote(self, slot: int) -> None:
        self._app.who = "vote"
        for position in range(1, len(self._config.regions)):
            RunStore(self._elsewhere).create(self._run(slot, position))

    def _run(self, slot: int, position: int) -> Run:
        region = self._config.regions[position] if self._config.regions else ""
        results = _results(self._config, slot, region)
        return Run(slot=slot, results=results, region=region, region_index=position)

    def _publish(self, now: int) -> None:
        self._app.who = "publish"
        self._publication.keep_up(self._config, now)


def _soon() -> Deadline:
    return Deadline.after(30)


def configuration(components: int, regions: int = 1) -> Config:
    """Return the configuration of a stack, which names its regions if there are several."""
    return Config(
        checkers=tuple(
            HttpChecker(
                id=f"s{number}", endpoint_name=f"Service {number}", endpoint_url="http://x/"
            )
            for number in range(components)
        ),
        regions=REGIONS[:regions] if regions > 1 else (),
        page=PageSettings(title="Status"),
    )


def _results(config: Config, slot: int, region: str) -> tuple[Result, ...]:
    """Return results that are all well and never quite the same."""
    return tuple(
        Result(
            id=checker.id,
            title=checker.title,
            timestamp=slot,
            attempts=(Attempt(rtt=90_000_000 + slot // MINUTE * 7919 * (number + 1) % 40_000_000),),
            healthy=True,
            region=region,
        )
        for number, checker in enumerate(config.checkers)
    )
