"""The values that everything else is made of.

All of them are immutable and know nothing of clocks, files or networks. Times are integer
nanoseconds since the Unix epoch and lengths of time are integer nanoseconds, because that is
what checkup.json and the stored files hold.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, field

Nanoseconds = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""A moment or a length of time; what is read from a file has to fit Go's int64."""


class Status(StrEnum):
    """What is known of one checker, from best to worst; unknown stands outside that order."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"

    @classmethod
    def worst(cls, statuses: Iterable[Status]) -> Status:
        """Return the most severe known status, or unknown when nothing is known."""
        seen = set(statuses)
        for status in (cls.DOWN, cls.DEGRADED, cls.HEALTHY):
            if status in seen:
                return status
        return cls.UNKNOWN


# A page holds a hundred thousand of the next three. They refer to nothing that could refer to them,
# so the garbage collector, which would look through all of them again and again, need not know.


class Phases(Struct, frozen=True, kw_only=True, gc=False):
    """Where the time of one attempt went, in nanoseconds; 0 where a phase did not happen."""

    resolve: Nanoseconds = 0
    connect: Nanoseconds = 0
    tls: Nanoseconds = 0
    wait: Nanoseconds = 0
    transfer: Nanoseconds = 0


class Attempt(Struct, frozen=True, kw_only=True, gc=False):
    """One try of a checker.

    Attributes:
        rtt: round trip time in nanoseconds, as the checker defines it; 0 if there was none.
        error: a short, safe, human sentence; empty when the attempt succeeded.
        failure: the machine-readable class of the error, such as ``connect_refused``.
        phases: where the time went, if the checker can tell.
        certificate_expiry: when the first certificate of the server's chain ends; 0 if there
            was none.
        certificate_renewal: when the first of them should have been renewed; not stored.
        certificate_lifetime: of the one with the shortest lifetime; not stored.
        tls_weakness: what is weak about TLS, as a fragment of a sentence; not stored.
    """

    rtt: Nanoseconds = 0
    error: str = ""
    failure: str = ""
    phases: Phases | None = None
    certificate_expiry: Nanoseconds = 0
    certificate_renewal: Nanoseconds = 0
    certificate_lifetime: Nanoseconds = 0
    tls_weakness: str = ""


class Result(Struct, frozen=True, kw_only=True, gc=False):
    """What one checker saw in one run: the element of a stored check file.

    The first ten fields are those of the Go program; a reader of its files finds them under
    the same names. At most one of the three booleans is true; none means unknown.

    Attributes:
        title: the checker's name as configured.
        endpoint: what was checked, with secrets masked.
        timestamp: when the checker started.
        attempts: the attempts, in order.
        threshold: the round trip time above which the checker is degraded; 0 for none.
        notice: why the result is degraded.
        message: a person's words about this checker at this moment.
        id: the checker's id; empty in files of the Go program.
        kind: the checker's type, such as ``http``.
        region: where the run took place; empty on a single machine.
        rechecks: how often a bad result was checked again within the run.
        target_digest: digest of what the checker looks at, where several regions do; of two that
            differ the results are not about the same thing.
        config_digest, version: digest of the run's configuration, and the program's version; in the
            first result of a run only.
        machine: the name of the machine that stored the run, where no regions are configured; in
            the first result of a run only.
    """

    title: str = ""
    endpoint: str = ""
    timestamp: Nanoseconds = 0
    attempts: tuple[Attempt, ...] = field(name="times", default=())
    threshold: Nanoseconds = 0
    healthy: bool = False
    degraded: bool = False
    down: bool = False
    notice: str = ""
    message: str = ""
    id: str = ""
    kind: str = ""
    region: str = ""
    rechecks: int = 0
    target_digest: str = field(name="definition", default="")
    config_digest: str = field(name="config", default="")
    version: str = ""
    machine: str = ""

    @property
    def status(self) -> Status:
        """The most severe of the flags that are set."""
        if self.down:
            return Status.DOWN
        if self.degraded:
            return Status.DEGRADED
        if self.healthy:
            return Status.HEALTHY
        return Status.UNKNOWN

    @property
    def error(self) -> str:
        """The first failed attempt's sentence, or an empty string."""
        return next((attempt.error for attempt in self.attempts if attempt.error), "")

    @property
    def failure(self) -> str:
        """The first failed attempt's class, or an empty string."""
        return next((attempt.failure for attempt in self.attempts if attempt.error), "")


class Run(Struct, frozen=True, kw_only=True):
    """All results of one slot from one region: the content of one check file.

    Attributes:
        slot: the moment that the run stands for.
        region: where it took place; empty on a single machine.
        region_index: the region's number in the configured ``regions``; keeps names unique.
    """

    slot: int
    results: tuple[Result, ...]
    region: str = ""
    region_index: int = 0

    @property
    def file_name(self) -> str:
        """The check file's name: 19 digits, so that names sort by time until the year 2286."""
        return f"{self.slot + self.region_index:019d}-check.json"


class AlertKind(StrEnum):
    """What an alert says.

    The first four are about an incident. The next four are about flapping and about checkers that
    cannot be checked. The next four are about the monitor itself and name no checker. The last two
    are what people write.
    """

    OPEN = "open"
    CHANGE = "change"
    REMIND = "remind"
    RESOLVE = "resolve"
    FLAPPING = "flapping"
    FLAPPING_ENDED = "settled"
    NOT_MONITORED = "blind"
    MONITORED_AGAIN = "sighted"
    INCONCLUSIVE = "inconclusive"
    MISSED_RUNS = "gap"
    STATE_REBUILT = "rebuilt"
    TEST = "test"
    INCIDENT = "incident"
    MAINTENANCE = "maintenance"


ANNOUNCEMENTS: Final = frozenset({AlertKind.INCIDENT, AlertKind.MAINTENANCE})
"""What people write; version 0.1.0 does not know these kinds."""


class Alert(Struct, frozen=True, kw_only=True):
    """One change to notify people of, fixed by the state that produced it.

    Attributes:
        id: ``checker/kind:status/incident/slot``; the same state and slot give the same id.
        checker: the checker's id; empty if the alert is about the monitor itself.
        title, endpoint: the checker's name and masked address, as people know it.
        kind: whether an incident opens, changes, lasts or ends, or what else is the reason.
        status: the new status.
        previous_status: the status alerted before.
        slot: the run in which the change was confirmed.
        since: when the new status began.
        opened: when the incident began; a resolve alert derives the outage's length from it.
        reason: the failed attempt's message or the notice; empty for a recovery.
        failure: the failure's class; empty for a recovery.
        region: where it failed; empty on a single machine.
        suppressed_dependents: titles of failing checkers that depend on this one and whose own
            alerts are suppressed.
    """

    id: str
    checker: str
    title: str
    kind: AlertKind
    status: Status
    previous_status: Status = field(name="before")
    slot: int
    since: int
    opened: int
    endpoint: str = ""
    reason: str = ""
    failure: str = ""
    region: str = ""
    suppressed_dependents: tuple[str, ...] = field(name="holds_back", default=())


# Check files: the stored form of a run, which the Go program and its page can read.
#
# A check file is one line of JSON: an array of results in the order of the configuration, with
# integer nanoseconds. The keys of the Go program come first, in its order and under its rules
# (an empty value is left out, only ``rtt`` is always there); keys of ours follow, and its reader
# ignores them. Text is escaped as Go's ``encoding/json`` does it, so that a result without keys
# of ours has the very bytes that Go would write.


RUNS_PREFIX: Final = "runs/"
LATE_PREFIX: Final = "late/"

MANUAL_PREFIX: Final = "by-hand/"
"""Looks by hand that somebody wanted to keep; they count for nothing."""

_NAME = re.compile(r"(\d{19})-check\.json", re.ASCII)


# Go writes U+2028, U+2029 and the characters of HTML as escapes, backspace and form feed in
# the long form (before Go 1.22, with which the program was built), and whatever is no Unicode
# as a replacement character. A pair of backslashes is matched so as to be passed over.
_ESCAPE = re.compile("\\\\[\\\\bf]|[<>&\u2028\u2029\ud800-\udfff]")
_ESCAPES = {"\\\\": r"\\", r"\b": r"\u0008", r"\f": r"\u000c"}


def run_key(run: Run) -> str:
    """Return the key under which a run is stored."""
    return RUNS_PREFIX + run.file_name


def key_time(key: str) -> int | None:
    """Return the nanoseconds in a check file's name, or None if ``key`` does not name one."""
    name = _NAME.fullmatch(key.rpartition("/")[2])
    return int(name[1]) if name else None


def encode_results(results: Sequence[Result]) -> bytes:
    """Return the content of a check file, without a final newline."""
    content = [_result(result) for result in results]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return _ESCAPE.sub(_escaped, text).encode()


def decode_results(body: bytes) -> tuple[Result, ...]:
    """Read a check file of this program, of any version of the Go program or of a fork of it.

    What is missing or null has its default, and unknown keys are passed over. Broken Unicode
    becomes a replacement character, as in Go.

    Raises:
        ValueError: the text is not a check file; the sentence says why and where.
    """
    try:
        return msgspec.json.decode(body, type=tuple[Result, ...])
    except (ValueError, RecursionError):
        return _decode_leniently(body)


def _result(result: Result) -> dict[str, Any]:
    fields = {
        "title": result.title,
        "endpoint": result.endpoint,
        "timestamp": result.timestamp,
        "times": [_attempt(attempt) for attempt in result.attempts],
        "threshold": result.threshold,
        "healthy": result.healthy,
        "degraded": result.degraded,
        "down": result.down,
        "notice": result.notice,
        "message": result.message,
        "id": result.id,
        "kind": result.kind,
        "region": result.region,
        "rechecks": result.rechecks,
        "definition": result.target_digest,
        "config": result.config_digest,
        "version": result.version,
        "machine": result.machine,
    }
    return {key: value for key, value in fields.items() if value}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    fields: dict[str, Any] = {"rtt": attempt.rtt}
    if attempt.error:
        fields["error"] = attempt.error
    if attempt.failure:
        fields["failure"] = attempt.failure
    if attempt.phases:
        fields["phases"] = _phases(attempt.phases)
    if attempt.certificate_expiry:
        fields["certificate_expiry"] = attempt.certificate_expiry
    return fields


def _phases(phases: Phases) -> dict[str, int]:
    return {name: length for name, length in msgspec.structs.asdict(phases).items() if length}


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if "\ud800" <= found <= "\udfff":
        return r"\ufffd"
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


def _decode_leniently(body: bytes) -> tuple[Result, ...]:
    """Read what msgspec refuses and Go accepts, or say what is wrong with it."""
    try:
        tree = json.loads(body.decode(errors="replace"), parse_constant=_refuse)
        return msgspec.convert(_as_go_reads([] if tree is None else tree), tuple[Result, ...])
    except RecursionError:
        raise ValueError("not a check file: nested too deeply") from None
    except msgspec.ValidationError as error:
        what, _, place = str(error).replace("`", "").partition(" - at $")
        where = f" at {place}" if place else ""
        raise ValueError(f"not a check file: {what[:1].lower()}{what[1:]}{where}") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"not a check file: invalid JSON at {where}") from None
    except ValueError:
        raise ValueError("not a check file: it contains a number that cannot be read") from None


def _as_go_reads(value: Any) -> Any:
    """Leave out keys that are null, and take a null element for an empty one."""
    if isinstance(value, dict):
        return {_text(k): _as_go_reads(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [{} if item is None else _as_go_reads(item) for item in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Replace halves of surrogate pairs."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


# Statistics of a result's round trip times, with the Go program's arithmetic.


class RttStats(Struct, frozen=True, kw_only=True):
    """Nanoseconds over all attempts of one result, failed ones included."""

    total: int = 0
    mean: int = 0
    median: int = 0
    min: int = 0
    max: int = 0


def rtt_stats(attempts: Sequence[Attempt]) -> RttStats:
    """Return the statistics that the Go program prints; all zero without attempts.

    The minimum follows its running scan, in which a 0 (no round trip was measured) means
    "not set yet": ``[5, 0, 7]`` has the minimum 7.
    """
    if not attempts:
        return RttStats()
    rtts = [attempt.rtt for attempt in attempts]
    ordered = sorted(rtts)
    middle, odd = divmod(len(ordered), 2)
    lowest = 0
    for rtt in rtts:
        if lowest == 0 or rtt < lowest:
            lowest = rtt
    return RttStats(
        total=sum(rtts),
        mean=sum(rtts) // len(rtts),
        median=ordered[middle] if odd else (ordered[middle - 1] + ordered[middle]) // 2,
        min=lowest,
        max=ordered[-1],
    )
