from __future__ import annotations

import time

import pytest

from checkup.checkers.runner import StartPacer, run_checks
from checkup.deadline import Deadline
from checkup.model import Attempt
from tests.checkers.scripted import GOOD, ScriptedChecker


def gap(pace: StartPacer) -> float:
    pace.started()
    return pace.next_start - time.monotonic()


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_first_start_need_not_wait() -> None:
    assert StartPacer().next_start <= time.monotonic()


@pytest.mark.row("20")
def test_checks_start_apart_by_what_one_costs() -> None:
    cheap, dear = StartPacer(), StartPacer()
    for _ in range(20):
        cheap.finished()
    for _ in range(20):
        busy(0.004)
        dear.finished()

    assert 0.004 < gap(dear) <= 0.05
    assert gap(cheap) < gap(dear)


@pytest.mark.row("20")
def test_run_spreads_its_checks_by_what_it_has_learned_that_they_cost() -> None:
    starts: list[float] = []

    def costly(_: Deadline) -> Attempt:
        busy(0.06)
        return GOOD

    def cheap(_: Deadline) -> Attempt:
        starts.append(time.monotonic())
        return GOOD

    acts = [costly] * 10 + [cheap] * 20
    checkers = [ScriptedChecker(id=f"c{number}", act=act) for number, act in enumerate(acts)]
    run_checks(checkers, deadline=Deadline.after(60), concurrency=1)

    # One after the other without a pause they would take some milliseconds.
    assert starts[-1] - starts[0] > 0.4


def test_gap_grows_while_starts_are_late_and_shrinks_again() -> None:
    pace = StartPacer()
    before = gap(pace)
    for _ in range(4):
        pace.started_late(late_by=0.05)
    strained = gap(pace)
    for _ in range(100):
        pace.started_late(late_by=0.0)

    assert strained > before * 2
    assert gap(pace) < strained / 2


def test_gap_has_a_bound() -> None:
    pace = StartPacer()
    busy(1.0)
    pace.finished()
    for _ in range(50):
        pace.started_late(late_by=1.0)

    assert gap(pace) <= 0.05
