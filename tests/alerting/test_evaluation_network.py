"""Runs in which our own network failed."""

from __future__ import annotations

import pytest

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState
from checkup.evaluation import MAX_INCONCLUSIVE_RUNS
from checkup.model import AlertKind, Run
from checkup.times import HOUR, SECOND
from tests.alerting.worlds import alerts_by_checker, run, slot, toy

REFERENCES = frozenset("rs")
CHECKERS = [toy(name) for name in "abrs"]


def runs(*rows: str, region: str = "") -> list[Run]:
    return [run(n, dict(zip("abrs", row, strict=True)), region) for n, row in enumerate(rows)]


def alerts(*rows: str) -> list[str]:
    return alerts_by_checker(runs(*rows), *CHECKERS, references=REFERENCES)


@pytest.mark.row("28", "46")
def test_failures_together_with_all_references_do_not_count() -> None:
    assert alerts("hhhh", "dddd", "hhhh") == ["/inconclusive:unknown@1"]


def test_notice_says_what_does_not_count() -> None:
    rules = AlertRules(checkers=CHECKERS, references=REFERENCES)

    (alert,) = apply_runs(AlertState(), runs("hhhh", "dhdd"), rules, slot(9)).alerts

    assert alert.reason == (
        "R, S failed too, so this may be our own network: 1 failure does not count for now"
    )
    assert (alert.kind, alert.title, alert.checker) == (AlertKind.INCONCLUSIVE, "Checkup", "")


@pytest.mark.row("28")
def test_what_lasts_is_announced() -> None:
    assert MAX_INCONCLUSIVE_RUNS == 3
    assert alerts("hhhh", "dddd", "dddd", "dddd", "dddd") == [
        "/inconclusive:unknown@1",
        *(f"{name}/blind:unknown@3" for name in "abrs"),
        *(each for name in "abrs" for each in (f"{name}/sighted:down@4", f"{name}/open:down@4")),
    ]


def test_references_that_disagree_excuse_nothing() -> None:
    assert alerts("hhhh", "dddh") == ["a/open:down@1", "b/open:down@1", "r/open:down@1"]


def test_references_that_fail_alone_are_down() -> None:
    assert alerts("hhhh", "hhdd") == ["r/open:down@1", "s/open:down@1"]


def test_what_was_reached_all_the_same_is_healthy() -> None:
    assert alerts("dhhh", "hddd") == [
        "a/open:down@0",
        "/inconclusive:unknown@1",
        "a/resolve:healthy@1",
    ]


def test_each_phase_has_its_notice() -> None:
    assert alerts("dddd", "hhhh", "dddd") == ["/inconclusive:unknown@0", "/inconclusive:unknown@2"]


def test_run_without_the_references_tells_nothing_of_the_network() -> None:
    alone = [*runs("hhhh", "dddd"), run(2, {"a": "d"})]

    assert alerts_by_checker(alone, *CHECKERS, references=REFERENCES) == [
        "/inconclusive:unknown@1",
        "a/open:down@2",
    ]


class TestGap:
    """A schedule that stood still is one notice."""

    def alerts(self, *numbers: int, interval: int = 60) -> list[str]:
        return alerts_by_checker(
            [run(n, {"a": "d"}) for n in numbers], toy("a"), interval=interval * SECOND
        )

    @pytest.mark.row("5", "22")
    def test_days_without_a_run_are_one_notice(self) -> None:
        minutes = 3 * 24 * 60
        assert self.alerts(0, minutes) == ["a/open:down@0", f"/gap:unknown@{minutes}"]

    @pytest.mark.row("4")
    def test_an_hour_is_no_gap(self) -> None:
        assert HOUR == 60 * 60 * 10**9
        assert self.alerts(0, 61) == ["a/open:down@0"]
        assert self.alerts(0, 62) == ["a/open:down@0", "/gap:unknown@62"]

    def test_rare_runs_are_no_gap(self) -> None:
        assert self.alerts(0, 1440, interval=86_400) == ["a/open:down@0"]

    def test_runs_without_a_schedule_have_no_gaps(self) -> None:
        assert self.alerts(0, 4320, interval=0) == ["a/open:down@0"]
