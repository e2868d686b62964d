"""Small words for the tests of alerting: checkers, results and runs out of letters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState
from checkup.deadline import Deadline
from checkup.interfaces import Checker
from checkup.model import Alert, Attempt, Result, Run
from checkup.times import SECOND

MINUTE = 60 * SECOND
EPOCH = 1_700_000_000 * SECOND

LETTERS = {"h": "healthy", "g": "degraded", "d": "down", "u": ""}


class Toy(Checker, frozen=True, kw_only=True):
    """A checker whose results come from the test."""

    kind: ClassVar[str] = "toy"

    def attempt(self, deadline: Deadline) -> Attempt:
        return Attempt(rtt=1, error="" if deadline.remaining() > 0 else "too late")


def toy(name: str, failure: int = 1, success: int = 1, degraded: int = 3, **more: Any) -> Toy:
    """Return a checker of which each change is announced; ``more`` are further keys."""
    return Toy(
        id=name,
        endpoint_name=name.upper(),
        endpoint_url=f"http://{name}.example/",
        failure_threshold=failure,
        success_threshold=success,
        degraded_threshold=degraded,
        **{"flapping": False, "remind_every": 0, **more},
    )


def result(name: str, letter: str, region: str = "") -> Result:
    failed = letter in "du"
    attempt = Attempt(rtt=1, error="it broke" if failed else "", failure="oops" if failed else "")
    return Result(
        id=name,
        title=name.upper(),
        endpoint=f"http://{name}.example/",
        attempts=(attempt,),
        notice="it is slow" if letter == "g" else "",
        region=region,
        healthy=letter == "h",
        degraded=letter == "g",
        down=letter == "d",
    )


def slot(number: float) -> int:
    return EPOCH + int(number * MINUTE)


def run(number: float, letters: Mapping[str, str], region: str = "", position: int = 0) -> Run:
    results = tuple(result(name, letter, region) for name, letter in letters.items())
    return Run(slot=slot(number), results=results, region=region, region_index=position)


def script(letters: str, name: str = "a") -> list[Run]:
    """Return one run per letter for one checker; a dot is a slot without a run."""
    return [run(n, {name: letter}) for n, letter in enumerate(letters) if letter != "."]


def alerts_of_script(
    letters: str, *, failure: int = 1, success: int = 1, degraded: int = 3
) -> list[str]:
    """Return the alerts of a script, as ``kind:status@slot``."""
    return alerts(script(letters), AlertRules(checkers=[toy("a", failure, success, degraded)]))


def alerts(runs: Iterable[Run], rules: AlertRules) -> list[str]:
    applied = apply_runs(AlertState(), runs, rules, now=slot(10**6))
    return [short(alert) for alert in applied.alerts]


def alerts_by_checker(runs: Sequence[Run], *checkers: Toy, **more: Any) -> list[str]:
    """Return the alerts of these checkers, as ``checker/kind:status@slot``."""
    rules = AlertRules(checkers=checkers, **more)
    applied = apply_runs(AlertState(), runs, rules, now=slot(10**6))
    return [f"{alert.checker}/{short(alert)}" for alert in applied.alerts]


def short(alert: Alert) -> str:
    return f"{alert.kind}:{alert.status}@{(alert.slot - EPOCH) // MINUTE}"
