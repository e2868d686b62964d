"""What a configuration holds once it has been read.

What a key is called in the file, a field is called here, and its description is the
documentation. Keys that the Go program did not have are typed here once; what uses them is
found by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct, field

from checkup.config.page import PageSettings, unknown_time_zone
from checkup.errors import ConfigError, Problem
from checkup.evaluation import MAJORITY, EvaluationRules
from checkup.incidents.model import IncidentDocument
from checkup.interfaces import Checker, NotifierSettings, PublisherSettings, StorageSettings
from checkup.interfaces.kinds import (
    Duration,
    Registry,
    Secret,
    SettingProblem,
    Settings,
    Strings,
    Timestamp,
)
from checkup.maintenance import MaintenanceWindow, parse_rrule
from checkup.times import MINUTE, is_time_zone

MIN_CONCURRENCY: Final = 5
"""The Go program's number, which is enough where checkers answer."""

MAX_CONCURRENCY: Final = 256
"""A function of Lambda has 1,024 descriptors, and a checker may need three."""


def default_concurrency(checkers: Sequence[Checker], run_deadline: int) -> int:
    """Return the number with which each checker has its verdict even if all of them hang.

    With less, a mass failure would leave those at the end of the file without a look, in every
    run again: unknown, and so never announced.

    Args:
        run_deadline: how long a run may take, in nanoseconds.
    """
    times = [min(checker.max_duration_ns, run_deadline) for checker in checkers]
    # The last one to start still needs its own time; where there is none, some will be cut short.
    room = max(run_deadline - max(times, default=0), run_deadline // 4)
    return max(MIN_CONCURRENCY, min(MAX_CONCURRENCY, -(-sum(times) // room)))


CHECKER_DEFAULT_KEYS: Final[tuple[str, ...]] = (
    "tags",
    "hidden",
    "timeout",
    "recheck",
    "failure_threshold",
    "success_threshold",
    "degraded_threshold",
    "flapping",
    "remind_every",
)
"""The keys of a checker that may stand at the top level, for all checkers, and in a group."""

GROUP_DEFAULT_KEYS: Final[tuple[str, ...]] = (*CHECKER_DEFAULT_KEYS, "interval")
"""A group may also slow its checkers down; at the top level ``interval`` is that of the runs."""


class Kinds(Struct, frozen=True):
    """The kinds that a configuration can name.

    Attributes:
        publishers: empty where the page is not installed: then nothing is said of its section.
    """

    checkers: Registry[Checker]
    storages: Registry[StorageSettings]
    notifiers: Registry[NotifierSettings]
    publishers: Registry[PublisherSettings] = Registry({})


class GroupSettings(Struct, frozen=True, kw_only=True):
    """Checkers that the page shows together and that share defaults."""

    name: Annotated[str, Meta(min_length=1, description="The name that checkers use in `group`.")]
    description: Annotated[str, Meta(description="One line below the name on the page.")] = ""
    collapsed: Annotated[bool, Meta(description="Collapsed on the page while all is healthy.")] = (
        False
    )


class MaintenanceSettings(Settings, frozen=True, kw_only=True):
    """A maintenance window: checkers run and results are stored, but no alerts are sent."""

    title: Annotated[str, Meta(description="The title on the page and in alerts.")] = ""
    description: Annotated[str, Meta(description="More about it, for readers of the page.")] = ""
    start: Annotated[Timestamp, Meta(description="Start (of the first occurrence).")]
    end: Annotated[Timestamp, Meta(description="End; or set `duration`.")] = 0
    duration: Annotated[Duration, Meta(ge=0, description="Length of the window.")] = 0
    repeat: Annotated[str, Meta(description="RRULE of RFC 5545, for a recurring window.")] = ""
    timezone: Annotated[str, Meta(description="Time zone of the recurrence.")] = "UTC"
    checkers: Annotated[
        Strings, Meta(description="Ids or titles of the affected checkers; by default all.")
    ] = ()
    groups: Annotated[Strings, Meta(description="Names of the affected groups.")] = ()

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        if bool(self.end) == bool(self.duration):
            yield SettingProblem("", "must have either end or duration")
        if self.end and self.end <= self.start:
            yield SettingProblem("end", "end must be after start")
        if self.repeat:
            try:
                parse_rrule(self.repeat)
            except ValueError as error:
                fix = "write it like FREQ=WEEKLY;BYDAY=SA"
                yield SettingProblem("repeat", str(error), fix)
        if not is_time_zone(self.timezone):
            yield SettingProblem("timezone", *unknown_time_zone(self.timezone))

    @property
    def window(self) -> MaintenanceWindow:
        """What alerting knows of it."""
        return MaintenanceWindow(
            start=self.start,
            duration=self.duration or self.end - self.start,
            title=self.title,
            rule=parse_rrule(self.repeat) if self.repeat else None,
            timezone=self.timezone,
            checkers=frozenset(self.checkers),
            groups=frozenset(self.groups),
        )


class Config(Struct, frozen=True, kw_only=True):
    """Everything that a configuration says, with all defaults filled in.

    Attributes:
        checkers: with their groups' and the file's defaults, and unique ids.
        concurrent_checks: as configured; see :attr:`concurrency`.
        timestamp: nanoseconds that replace the time of every result; 0 for unset.
        digest: of all that it says, but of nothing secret.
        checker_digests: digests of what each checker looks at, by its id, where several regions do.
        warnings: what is probably not meant, in the order of the file.
        masked_values: values that came from the environment and must not be shown.
        path: the file's name.
    """

    checkers: Annotated[tuple[Checker, ...], Meta(description="What to check.")] = ()
    storage: Annotated[
        StorageSettings | None, Meta(description="Where results and state are stored.")
    ] = None
    notifiers: Annotated[
        tuple[NotifierSettings, ...], Meta(description="Where alerts are sent.")
    ] = ()
    publish: Annotated[
        tuple[PublisherSettings, ...],
        Meta(description="Where the status page is published: one place, or a list of places."),
    ] = ()
    concurrent_checks: Annotated[
        int,
        Meta(
            description="Checkers that run at the same time; 0 to choose automatically, at least 5."
        ),
    ] = 0
    timestamp: Annotated[Timestamp, Meta(description="Fixed timestamp for every result.")] = 0
    groups: Annotated[
        tuple[GroupSettings, ...], Meta(description="Groups of the page, in order.")
    ] = ()
    regions: Annotated[
        Strings,
        Meta(
            description="Regions, or machines by their CHECKUP_REGION, that run checks and vote;"
            " append only, never reorder."
        ),
    ] = ()
    quorum: Annotated[
        str,
        Meta(description="Regions that must agree on an outage: majority, all, any or a number."),
    ] = MAJORITY
    reference_targets: Annotated[
        Strings,
        Meta(description="Ids of checkers that fail only if the monitor's own network fails."),
    ] = ()
    maintenance: Annotated[
        tuple[MaintenanceSettings, ...], Meta(description="Maintenance windows.")
    ] = ()
    interval: Annotated[Duration, Meta(gt=0, description="Time between runs.")] = MINUTE
    run_deadline: Annotated[Duration, Meta(gt=0, description="Time limit of a run.")] = MINUTE
    heartbeat_url: Annotated[
        Secret,
        Meta(
            description="URL to request after each complete run, such as one of healthchecks.io.",
            extra={"url": True},
        ),
    ] = ""
    page: Annotated[PageSettings, Meta(description="The status page.")] = PageSettings()
    digest: str = ""
    checker_digests: dict[str, str] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    masked_values: tuple[str, ...] = ()
    path: str = ""

    @property
    def concurrency(self) -> int:
        """How many checkers run at once.

        A negative number is refused where checks run and nowhere else, as the Go program
        does: the page of such a file can still be looked at.

        Raises:
            ConfigError: the configured number is negative.
        """
        if self.concurrent_checks > 0:
            return self.concurrent_checks
        if self.concurrent_checks == 0:
            return default_concurrency(self.checkers, self.run_deadline)
        text, fix = invalid_concurrency(self.concurrent_checks)
        raise ConfigError([Problem(file=self.path, key="concurrent_checks", text=text, fix=fix)])


def invalid_concurrency(number: int) -> tuple[str, str]:
    """Return what is wrong with a negative number, in the Go program's words, and the fix."""
    return f"invalid value for ConcurrentChecks: {number} (must be set > 0)", "remove it"


def evaluation_rules(config: Config, announced: IncidentDocument | None = None) -> EvaluationRules:
    """Return the rules by which the runs of a configuration are evaluated.

    Args:
        config: checkers, regions, and the maintenance windows of the file.
        announced: where the other maintenance is.
    """
    others = announced.maintenance.values() if announced else ()
    return EvaluationRules(
        checkers=config.checkers,
        regions=config.regions,
        quorum=config.quorum,
        references=frozenset(config.reference_targets),
        windows=(
            *(planned.window for planned in config.maintenance),
            *(maintenance.scheduled.window for maintenance in others),
        ),
    )


SIMPLE_KEYS = (
    "regions",
    "reference_targets",
    "maintenance",
    "interval",
    "run_deadline",
    "heartbeat_url",
    "page",
)
