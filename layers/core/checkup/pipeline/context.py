"""What a run needs (:class:`RunContext`), what came of it (:class:`RunOutcome`), and its heartbeat.

The heartbeat requests the addresses of healthchecks.io (https://healthchecks.io/docs/http_api/):
the configured one after a run that was stored, ``/start`` before it and ``/fail`` after one that
was not. Whatever that service does, no run fails because of it or waits more than two seconds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from checkup import __version__
from checkup.alerting.apply import AlertRules
from checkup.alerting.outbox import Route, last_error, queued
from checkup.alerting.state import AlertState, decode_state, encode_state
from checkup.errors import DeliveryError, StorageError, UnavailableError
from checkup.evaluation import MAJORITY
from checkup.interfaces import Checker, Clients, Notifier, Storage
from checkup.maintenance import MaintenanceWindow
from checkup.model import Alert, Result, Run
from checkup.run_store import RunCache, RunStore
from checkup.times import SECOND

_log = logging.getLogger(__name__)
SECONDS: Final = 2.0
_HEADERS: Final = {"user-agent": "checkup"}


class HeartbeatPing(Struct, frozen=True):
    """A heartbeat URL that is requested around each run.

    Attributes:
        url: where, or a reference to the secret that says so.
    """

    url: str
    clients: Clients

    @contextmanager
    def during_run(self) -> Iterator[None]:
        """Report the start of a run, beside the run, and how it ended."""
        start = Thread(target=self._send, args=("/start",), name="heartbeat", daemon=True)
        start.start()
        verb = "/fail"
        try:
            yield
            verb = ""
        finally:
            start.join(SECONDS)
            self._send(verb)

    def _send(self, verb: str) -> None:
        try:
            url = _with_verb(self.clients.secret(self.url), verb)
            answer = self.clients.request("GET", url, b"", _HEADERS, timeout=SECONDS)
        except (DeliveryError, UnavailableError) as error:
            _log.warning("heartbeat_url%s: %s", verb, error)
            return
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            log = _log.info if verb else _log.warning  # not every service knows the verbs
            log("heartbeat_url%s: the service answered %d", verb, answer.status)


def _with_verb(url: str, verb: str) -> str:
    address = urlsplit(url)
    return address._replace(path=address.path.rstrip("/") + verb).geturl() if verb else url


FINISH_SECONDS: Final = 30.0
"""What a run takes at most after its checkers' deadline, to store, apply and deliver. Whoever
limits the life of a run from outside has to allow for it."""

MIN_DELIVERY_SECONDS: Final = 24.0
"""The least time in which a delivery is begun: claim, message and receipt,
each once more if need be, at up to 4 s. A kill must never come between message and receipt."""


class UnrecordedStates:
    """The state of runs that could not be stored, so that their alerts are sent once.

    It is kept in this process, and for the next one in a file of its user below the folder for
    temporary files. Both are best efforts: without them, an alert may come again.
    """

    def __init__(self, name: str, folder: str = "") -> None:
        """Prepare the file.

        Args:
            name: of the configuration; another one has another file.
            folder: for temporary files; by default the system's.
        """
        self._state: AlertState | None = None
        place = Path(folder or tempfile.gettempdir()) / f"checkup-{os.geteuid()}"
        self._path = place / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.json"

    def load(self, stored: AlertState | None) -> AlertState:
        """Return the state to continue from.

        Args:
            stored: as it was read from the storage; None if it could not be read.
        """
        kept = self._state or self._read()
        if kept is None:
            return stored or AlertState()
        return kept if stored is None or kept.cursor > stored.cursor else stored

    def save(self, state: AlertState) -> None:
        """Keep a state."""
        self._state = state
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            if self._is_ours(self._path.parent):
                self._path.write_bytes(encode_state(state))

    def clear(self) -> None:
        """Forget the state, because the storage works."""
        self._state = None
        with suppress(OSError):
            if self._is_ours(self._path.parent):
                self._path.unlink()

    def _read(self) -> AlertState | None:
        try:
            return decode_state(self._path.read_bytes()) if self._is_ours(self._path) else None
        except (OSError, StorageError):
            return None

    @staticmethod
    def _is_ours(path: Path) -> bool:
        """Say whether it belongs to this user: others can create files below /tmp, too."""
        about = path.lstat()
        return about.st_uid == os.geteuid() and not stat.S_ISLNK(about.st_mode)


class RunContext(Struct, frozen=True, kw_only=True):
    """A configuration, wired to the objects that do the work.

    Attributes:
        channels: notifiers by the name that their outbox is kept under.
        routes: which alerts a channel gets, by its name; by default all.
        max_alerts: how many alerts one message to a channel can hold, by its name.
        channel_problems: returns why channels cannot deliver anything, by their name.
        unrecorded: for alerts while the storage fails; None to send none then.
        region: where this process runs; empty on a single machine.
        regions: those that vote; empty on a single machine.
        machine: the name of this machine, to name in its runs where no region does; empty in a
            stack.
        page_url: where the status page is; empty if unknown.
        component_urls: returns the pages of components there, by checker id.
        timezone: for times in messages.
        mask: hides secrets in what is stored and sent.
        secret: returns what a secret, or a reference to one, stands for.
        clear_secrets: called when a secret was refused, so that it is resolved again.
        retention: runs older than this are deleted; 0 keeps them, in nanoseconds.
        concurrency: how many checkers run at once.
        interval: how often runs happen; 0 if unknown, in nanoseconds.
        scheduled: runs have slots of a schedule, so that one that is missing is known to be.
        grace: how long after its slot a region may still report, in nanoseconds.
        quorum: how many regions have to see a failure.
        reference_targets: ids of the checkers that fail only if our own network does.
        maintenance: times in which failures are expected.
        timestamp: nanoseconds that every result carries instead of its own start; 0 for none.
        wall_clock: seconds that go on while a machine sleeps.
        heartbeat: surrounds a complete run, and reports that it took place.
        cache: runs that need not be read again, for as long as this object lives.
        config_version: of the configuration, to keep in the state; empty if it has none.
        digest: of the configuration, for the runs to name.
        target_digests: of what each checker checks, by its id, where several regions do.
    """

    checkers: tuple[Checker, ...]
    storage: Storage
    channels: Mapping[str, Notifier] = {}
    routes: Mapping[str, Route] = {}
    max_alerts: Mapping[str, int] = {}
    channel_problems: Callable[[], Mapping[str, str]] = dict
    unrecorded: UnrecordedStates | None = None
    region: str = ""
    regions: tuple[str, ...] = ()
    machine: str = ""
    page_url: str = ""
    component_urls: Callable[[], Mapping[str, str]] = dict
    timezone: str = "UTC"
    mask: Callable[[str], str] = str
    secret: Callable[[str], str] = str
    clear_secrets: Callable[[], None] | None = None
    retention: int = 0
    concurrency: int = 5
    interval: int = 0
    scheduled: bool = False
    grace: int = 150 * SECOND
    quorum: str = MAJORITY
    reference_targets: tuple[str, ...] = ()
    maintenance: tuple[MaintenanceWindow, ...] = ()
    timestamp: int = 0
    wall_clock: Callable[[], float] = time.time
    heartbeat: Callable[[], AbstractContextManager[None]] = nullcontext
    config_version: str = ""
    digest: str = ""
    target_digests: Mapping[str, str] = {}
    cache: RunCache = field(default_factory=RunCache)

    @property
    def runs(self) -> RunStore:
        """The stored runs."""
        return RunStore(self.storage, self.regions, self.cache)

    @property
    def is_voting(self) -> bool:
        """Whether runs from here count: not those of a laptop in a storage of several regions."""
        return self.region in (self.regions or ("",))

    @property
    def region_index(self) -> int:
        """The index of this region, which keeps the names of runs unique."""
        return self.regions.index(self.region) if self.region in self.regions else 0

    @property
    def shares_slots(self) -> bool:
        """Whether runs from here belong to the slots of a schedule that regions share."""
        return self.scheduled and self.is_voting and self.interval > 0

    def slot_at(self, time_ns: int) -> int:
        """Return the slot of a run that starts at a time: the start of the shared one, or now."""
        return time_ns - time_ns % self.interval if self.shares_slots else time_ns

    @property
    def rules(self) -> AlertRules:
        """The alert rules of the configuration."""
        return AlertRules(
            checkers=self.checkers,
            channels=tuple(self.channels),
            routes=self.routes,
            regions=self.regions,
            interval=self.interval if self.scheduled else 0,
            grace=self.grace,
            quorum=self.quorum,
            references=frozenset(self.reference_targets),
            windows=self.maintenance,
        )


class RunOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of a storing run.

    Attributes:
        run: what counts: this run, or another of the same slot that was there before.
        state: after the run and its deliveries; empty if the run does not count.
        channels: those that the run delivers to.
        channel_problems: why channels cannot deliver, by name, although nothing may be queued.
        alerts: what this run found out, whether or not it could be delivered yet.
        late: the slot was closed already; the run is kept but counts for nothing.
    """

    run: Run
    state: AlertState = AlertState()
    channels: tuple[str, ...] = ()
    channel_problems: Mapping[str, str] = {}
    alerts: tuple[Alert, ...] = ()
    late: bool = False

    @property
    def undelivered(self) -> int:
        """How many alerts are queued for all channels together."""
        return sum(len(queued(self.state, channel)) for channel in self.channels)

    @property
    def failing_channels(self) -> Mapping[str, str]:
        """Why nothing is delivered to channels, by name: they are unusable, or failed."""
        errors = {name: last_error(self.state, name) for name in self.channels}
        return {**self.channel_problems, **{name: it for name, it in errors.items() if it}}

    @property
    def oldest_alert_ns(self) -> int:
        """How long the oldest queued alert has been waiting at the slot; 0 if there is none."""
        queues = self.state.outboxes.values()
        slots = (entry.alert.slot for entries in queues for entry in entries)
        return self.run.slot - min(slots, default=self.run.slot)

    @property
    def excluded_regions(self) -> tuple[str, ...]:
        """Regions with a different configuration, whose results do not count."""
        states = self.state.checkers.values()
        return tuple(sorted({region for state in states for region in state.excluded_regions}))


def with_origin(results: Sequence[Result], context: RunContext) -> tuple[Result, ...]:
    """Add to results where they come from: configuration, version of the program, target.

    What is the same for the whole run is in its first result only.
    """
    digests = context.target_digests
    stored = [
        replace(result, target_digest=digests[result.id]) if digests.get(result.id) else result
        for result in results
    ]
    if stored:
        machine = "" if context.regions else context.machine
        stored[0] = replace(
            stored[0], config_digest=context.digest, version=__version__, machine=machine
        )
    return tuple(stored)
