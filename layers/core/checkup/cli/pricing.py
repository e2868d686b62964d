"""Monthly costs of a stack on AWS: its sizes, what they use, and what that costs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import yaml
from msgspec import Struct

from checkup.cli.output import plural
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.history.store import MAX_LAG as HISTORY_LAG
from checkup.pipeline.run import MAX_LAG
from checkup.times import HOUR, MINUTE

# List prices, and the always-free tier of each account.


REGION: Final = "us-east-1"

AS_OF: Final = "2026-11-22"
"""When the list prices were looked up; other regions cost up to half as much again."""

_MILLION: Final = 1e6


class Price(NamedTuple):
    """The price of one unit.

    Attributes:
        unit: what is counted.
        dollars: for one of it, at list price.
        page: where AWS says so, below https://aws.amazon.com/.
        free: how many of it an account is not charged for in a month.
    """

    unit: str
    dollars: float
    page: str
    free: float = 0

    def list_price(self, quantity: float) -> float:
        """Return the dollars for a quantity at list price."""
        return quantity * self.dollars

    def charged(self, quantity: float) -> float:
        """Return the dollars for a quantity of an account that uses nothing else of it."""
        return max(0, quantity - self.free) * self.dollars


PUT: Final = Price("PUT, LIST", 5 / _MILLION, "s3/pricing")
GET: Final = Price("GET", 0.4 / _MILLION, "s3/pricing")
STORED: Final = Price("GB", 0.023, "s3/pricing")

COMPUTE: Final = {
    "arm64": Price("GB-seconds", 13.3334 / _MILLION, "lambda/pricing", 400_000),
    "x86_64": Price("GB-seconds", 16.6667 / _MILLION, "lambda/pricing", 400_000),
}

INVOKED: Final = Price("invocations", 0.20 / _MILLION, "lambda/pricing", 1 * _MILLION)
SCHEDULED: Final = Price("invocations", 1.00 / _MILLION, "eventbridge/pricing", 14 * _MILLION)
LOGGED: Final = Price("GB", 0.50, "cloudwatch/pricing", 5)
METRIC: Final = Price("metrics", 0.30, "cloudwatch/pricing", 10)
ALARM: Final = Price("alarms", 0.10, "cloudwatch/pricing", 10)
SECRET: Final = Price("secrets", 0.40, "secrets-manager/pricing")
SENT: Final = Price("GB", 0.09, "ec2/pricing/on-demand", 100)
BETWEEN_REGIONS: Final = Price("GB", 0.02, "ec2/pricing/on-demand")


# What a stack uses in an hour. Pure.
#
# The number of S3 requests is verified with an emulator, in an hour without state changes
# (bench/bench_requests.py). The duration of a run is an estimate.


PAGES: Final = 12
"""Pages per hour by their schedule; each state change makes one more."""

WHOLE_PROCESSOR: Final = 1769
"""Megabytes of memory for which Lambda provides one vCPU."""

WAITS: Final = 0.5
"""Seconds that a run waits for the slowest service and for S3."""

_CPU: Final = 0.0025
"""CPU seconds of an attempt over HTTPS (bench/bench_https.py)."""

RESULT_BYTES: Final = 260

ATTEMPT_BYTES: Final = 110
"""Bytes of a stored run for each result and for each attempt."""


class StackSize(Struct, frozen=True, kw_only=True):
    """How large a stack is, and how often it runs.

    Attributes:
        memory: megabytes of each function.
        architecture: of the functions' processor, by Lambda's name for it.
        retention: days for which runs are kept.
        interval: nanoseconds from run to run.
        deadline: longest duration of the checks of a run, in seconds.
        run_seconds: duration of a run; None for an estimate.
        has_page: whether the stack publishes a status page.
        page_memory: megabytes of the publish function; 0 for those of each function.
        config_in_s3: whether the configuration is in S3, where every event checks for a newer one.
    """

    memory: int
    architecture: str
    retention: int
    interval: int
    deadline: float
    has_page: bool
    config_in_s3: bool
    page_memory: int = 0
    run_seconds: float | None = None


class HourlyUsage(Struct, frozen=True, kw_only=True):
    """What a configuration uses in an hour.

    Attributes:
        components: number of checkers.
        attempts, results, runs: per hour and region.
        regions: number of regions with a stack.
        sizes: of each of these stacks.
        alarms, metrics: of all regions.
        secrets: number of secrets in Secrets Manager.
    """

    components: int
    attempts: float
    results: float
    runs: float
    regions: int
    sizes: StackSize
    alarms: int = 0
    metrics: int = 0
    secrets: int = 0

    @property
    def run_seconds(self) -> float:
        """Duration of a run."""
        if self.sizes.run_seconds is not None:
            return self.sizes.run_seconds
        checking = self.attempts / self.runs * _CPU * WHOLE_PROCESSOR / self.sizes.memory
        return WAITS + min(checking, self.sizes.deadline)

    @property
    def slots_per_state_write(self) -> int:
        """Number of slots without a state change after which the state is written."""
        return math.ceil(MAX_LAG / self.regions)

    @property
    def state_writes(self) -> float:
        """Writes of the state per hour."""
        return self.runs / self.slots_per_state_write

    @property
    def page_builds(self) -> float:
        """Pages per hour."""
        return PAGES + self.state_writes if self.sizes.has_page else 0

    @property
    def run_bytes(self) -> float:
        """Bytes of the runs of an hour in one region."""
        return self.results * RESULT_BYTES + self.attempts * ATTEMPT_BYTES


class S3Requests(NamedTuple):
    """Requests to S3 in an hour, by what they cost."""

    puts: float
    gets: float


def s3_requests(usage: HourlyUsage) -> S3Requests:
    """Return the requests of an hour without state changes."""
    # A run is put. The home reads the state each time and writes it now and then; a home of several
    # regions lists the runs each time, and reads those of the others until the state is written.
    puts = usage.runs * usage.regions + usage.state_writes
    puts += usage.runs if usage.regions > 1 else usage.state_writes
    gets = usage.runs * (1 + (usage.regions - 1) * (usage.slots_per_state_write + 1) / 2)
    if usage.sizes.has_page:
        # A page lists the new runs and puts five files; each component has a page an hour. The
        # history, and badges.
        counted = max(1, usage.runs * usage.regions / HISTORY_LAG) + 1
        puts += PAGES * 6 + usage.components + counted + usage.components / 8
        # Each run is read once more. State and announcements; the history's head and this month's
        # days, and once in an hour its other files.
        gets += usage.runs * usage.regions + usage.page_builds * 2 + PAGES * 2 + 7
    if usage.sizes.config_in_s3:
        gets += usage.runs * usage.regions + usage.page_builds
    return S3Requests(puts, gets)


# The monthly bill. Pure.


_HOURS: Final = 730
"""Of a month."""

_GIGABYTE: Final = 1e9

_PAGE_CPU: Final = 0.1
"""CPU seconds of a page."""

_LOG_BYTES: Final = 900

_SENT_BYTES: Final = 1_500
"""Bytes of one attempt over HTTPS, with handshake and packet headers."""


class BillLine(NamedTuple):
    """One line of the bill.

    Attributes:
        quantity: of the price's unit.
        note: an explanation of the quantity.
    """

    what: str
    quantity: float
    price: Price
    note: str = ""

    @property
    def list_price(self) -> float:
        """Dollars at list price."""
        return self.price.list_price(self.quantity)

    @property
    def charged(self) -> float:
        """Dollars after the always-free tier."""
        return self.price.charged(self.quantity)


def monthly_bill(usage: HourlyUsage) -> Iterator[BillLine]:
    """Yield the lines of a month, without CloudFront."""
    yield from _storage(usage)
    yield from _functions(usage)
    yield from _watch(usage)
    yield from _data(usage)


def _storage(usage: HourlyUsage) -> Iterator[BillLine]:
    asked = s3_requests(usage)
    yield BillLine("S3 requests", asked.puts * _HOURS, PUT)
    yield BillLine("S3 requests", asked.gets * _HOURS, GET)
    stored = usage.run_bytes * usage.regions * usage.sizes.retention * 24 / _GIGABYTE
    yield BillLine("S3 storage", stored, STORED, f"runs of {plural(usage.sizes.retention, 'day')}")


def _functions(usage: HourlyUsage) -> Iterator[BillLine]:
    runs, pages = usage.runs * _HOURS * usage.regions, usage.page_builds * _HOURS
    memory = usage.sizes.memory
    page_memory = usage.sizes.page_memory or memory
    page_seconds = WAITS + _PAGE_CPU * WHOLE_PROCESSOR / page_memory
    compute = (runs * usage.run_seconds * memory + pages * page_seconds * page_memory) / 1024
    note = f"{usage.run_seconds:.1f} s a run" + ("" if usage.sizes.run_seconds else ", estimated")
    yield BillLine("Lambda compute", compute, COMPUTE[usage.sizes.architecture], note)
    yield BillLine("Lambda requests", runs + pages, INVOKED)
    scheduled = runs + (PAGES * _HOURS if usage.sizes.has_page else 0)
    yield BillLine("EventBridge Scheduler", scheduled, SCHEDULED)


def _watch(usage: HourlyUsage) -> Iterator[BillLine]:
    events = (usage.runs * usage.regions + usage.page_builds) * _HOURS
    yield BillLine("CloudWatch logs", events * _LOG_BYTES / _GIGABYTE, LOGGED)
    yield BillLine("CloudWatch metrics", usage.metrics, METRIC)
    yield BillLine("CloudWatch alarms", usage.alarms, ALARM)


def _data(usage: HourlyUsage) -> Iterator[BillLine]:
    sent = usage.attempts * usage.regions * _HOURS * _SENT_BYTES / _GIGABYTE
    yield BillLine("Data sent by checks", sent, SENT)
    if usage.regions > 1:
        brought = usage.run_bytes * (usage.regions - 1) * _HOURS / _GIGABYTE
        yield BillLine("Data between regions", brought, BETWEEN_REGIONS)
    if usage.secrets:
        yield BillLine("Secrets Manager", usage.secrets, SECRET)


# How often a schedule of EventBridge Scheduler fires.
#
# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html


_RATE: Final = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON: Final = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) \S+\)")
_RANGE: Final = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?")
_PER_HOUR: Final = {"minute": 60.0, "hour": 1.0, "day": 1 / 24}

_NAMES: Final = {
    name: number
    for names in ("SUN MON TUE WED THU FRI SAT", "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
    for number, name in enumerate(names.split(), 1)
}


def runs_per_hour(expression: str) -> float:
    """Return how often a schedule fires in an hour, on average of a year.

    Raises:
        CheckupError: it is neither ``rate(…)`` nor a ``cron(…)`` of times that come each week or
            month alike.
    """
    try:
        if rate := _RATE.fullmatch(expression):
            return _PER_HOUR[rate[2]] / int(rate[1])
        if cron := _CRON.fullmatch(expression):
            minutes, hours, days, months, weekdays = cron.groups()
            return (
                _count(minutes, 0, 59)
                * _share(hours, 0, 23)
                * _share(days, 1, 31)
                * _share(months, 1, 12)
                * _share(weekdays, 1, 7)
            )
    except (ValueError, ZeroDivisionError):
        pass
    raise CheckupError(
        f"cannot parse the schedule {expression}; use --interval instead, such as --interval 5m"
    )


def _share(field: str, first: int, last: int) -> float:
    return _count(field, first, last) / (last - first + 1)


def _count(field: str, first: int, last: int) -> int:
    """Return how many values a field names."""
    if field == "?":
        return last - first + 1
    return sum(len(_values(part, first, last)) for part in field.split(","))


def _values(part: str, first: int, last: int) -> range:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError(part)
    low, high, step = found.groups()
    start = first if low == "*" else _number(low)
    alone = start if not step and low != "*" else last
    values = range(start, (_number(high) if high else alone) + 1, int(step or 1))
    if not values:  # from the evening to the morning, for one
        raise ValueError(part)
    return values


def _number(word: str) -> int:
    return _NAMES[word.upper()] if word.upper() in _NAMES else int(word)


# The template of the stack: parameters, alarms and metrics.


_TEMPLATE: Final = Path(__file__).with_name("template.yaml")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CloudWatchCounts(NamedTuple):
    """Alarms and metrics of a stack."""

    alarms: int
    metrics: int


def parameter_defaults() -> Mapping[str, str]:
    """Return the defaults of the template's parameters."""
    return {
        name: str(parameter["Default"]) for name, parameter in _template()["Parameters"].items()
    }


def cloudwatch_counts(*, is_home: bool, has_page: bool) -> CloudWatchCounts:
    """Count alarms and metrics of a stack; one that only checks for another region has fewer."""
    there = {None} | ({"IsHome"} if is_home else set()) | ({"HasPage"} if has_page else set())
    kinds = [
        resource["Type"]
        for resource in _template()["Resources"].values()
        if resource.get("Condition") in there
    ]
    return CloudWatchCounts(
        kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::Logs::MetricFilter")
    )


@cache
def _template() -> Any:
    loader = _Functionless(_TEMPLATE.read_text(encoding="utf-8"))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Functionless(_LOADER):  # type: ignore[misc] # one of two classes
    """Reads a template; the values of its functions (``!Ref``, ``!If``) become None."""


_Functionless.add_multi_constructor("!", lambda *_: None)


# From a configuration and a stack's parameters to its usage.


MIN_INTERVAL: Final = MINUTE
"""The shortest interval of EventBridge Scheduler."""

_SECRET: Final = re.compile(r'"secretsmanager:([^"#]+)')


def stack_size(config: Config, parameters: Mapping[str, str] | None) -> StackSize:
    """Return the sizes of a stack.

    Args:
        parameters: of a deployed stack; None for the defaults of the template and the interval of
            the configuration.

    Raises:
        CheckupError: the schedule cannot be parsed.
    """
    given = {**parameter_defaults(), **(parameters or {})}
    interval = HOUR / runs_per_hour(given["Schedule"]) if parameters else config.interval
    return StackSize(
        memory=int(given["MemorySize"]),
        architecture=given["Architecture"],
        retention=int(given["RunRetentionDays"]),
        interval=max(round(interval), MIN_INTERVAL),
        deadline=float(given["RunDeadline"]),
        has_page=given["Page"] != "none",
        config_in_s3=bool(given["ConfigBucket"]),
        page_memory=int(given["PublishMemorySize"]),
    )


def hourly_usage(config: Config, sizes: StackSize) -> HourlyUsage:
    """Return what a configuration uses; a checker may have a longer interval than the stack."""
    per_hour = [
        (HOUR / max(sizes.interval, checker.interval), max(1, checker.attempts))
        for checker in config.checkers
    ]
    regions = max(1, len(config.regions))
    home = cloudwatch_counts(is_home=True, has_page=sizes.has_page)
    further = cloudwatch_counts(is_home=False, has_page=False)
    # A heartbeat checker holds the functions that read its storage; these name no secret.
    encoded = msgspec.json.encode(config, enc_hook=lambda _: None).decode()
    return HourlyUsage(
        components=len(config.checkers),
        attempts=sum(times * attempts for times, attempts in per_hour),
        results=sum(times for times, _ in per_hour),
        runs=HOUR / sizes.interval,
        regions=regions,
        sizes=sizes,
        alarms=home.alarms + (regions - 1) * further.alarms,
        metrics=home.metrics + (regions - 1) * further.metrics,
        secrets=len(set(_SECRET.findall(encoded))),
    )
