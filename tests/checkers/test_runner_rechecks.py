from __future__ import annotations

import threading
import time

import pytest

from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Result, Status
from tests.checkers.scripted import BAD, GOOD, ScriptedChecker, hanging, in_turn, playing

SLOW = Attempt(rtt=5_000_000)


def stored(
    checker: ScriptedChecker, known: dict[str, Status] | None, seconds: float = 20
) -> tuple[Result, float]:
    """Look as a storing run does; return the result and the seconds that it took."""
    started = time.monotonic()
    (result,) = run_checks(
        [checker], deadline=Deadline.after(seconds), concurrency=1, previous_statuses=known
    )
    return result, time.monotonic() - started


@pytest.mark.row("44")
@pytest.mark.parametrize("known", [{"a": Status.HEALTHY}, {"a": Status.UNKNOWN}, {}])
def test_lost_packet_is_not_an_outage(known: dict[str, Status]) -> None:
    result, seconds = stored(ScriptedChecker(id="a", act=playing(BAD, GOOD)), known)

    assert (result.status, result.rechecks, result.attempts) == (Status.HEALTHY, 1, (GOOD,))
    assert seconds >= 1


def test_outage_is_rechecked_twice_by_default() -> None:
    result, seconds = stored(ScriptedChecker(id="a", act=playing(BAD)), {"a": Status.HEALTHY})

    assert (result.status, result.rechecks) == (Status.DOWN, 2)
    assert seconds >= 4


def test_rechecks_come_one_second_and_three_seconds_later() -> None:
    starts: list[float] = []

    def act(_: Deadline) -> Attempt:
        starts.append(time.monotonic())
        return BAD

    stored(ScriptedChecker(id="a", act=act), {"a": Status.HEALTHY})

    first, second, third = starts
    assert 1 <= second - first < 2
    assert 3 <= third - second < 4


def test_slowness_is_rechecked() -> None:
    checker = ScriptedChecker(id="a", act=playing(SLOW, GOOD), threshold_rtt=GOOD.rtt)

    result, _ = stored(checker, {"a": Status.HEALTHY})

    assert (result.status, result.rechecks) == (Status.HEALTHY, 1)


@pytest.mark.parametrize(
    ("known", "recheck"),
    [
        pytest.param(None, 2, id="run-is-not-stored"),
        pytest.param({"a": Status.DOWN}, 2, id="already-down"),
        pytest.param({"a": Status.DEGRADED}, 2, id="already-degraded"),
        pytest.param({"a": Status.HEALTHY}, 0, id="switched-off"),
    ],
)
def test_first_round_counts(known: dict[str, Status] | None, recheck: int) -> None:
    result, seconds = stored(
        ScriptedChecker(id="a", act=playing(BAD, GOOD), recheck=recheck), known
    )

    assert (result.status, result.rechecks) == (Status.DOWN, 0)
    assert seconds < 1


@pytest.mark.parametrize(
    ("failure", "status"), [("config", Status.UNKNOWN), ("resource", Status.HEALTHY)]
)
def test_only_failures_that_may_pass_are_rechecked(failure: str, status: Status) -> None:
    tries = iter([CheckUnknownError(failure, "cannot look")])

    def act(_: Deadline) -> Attempt:
        for trouble in tries:
            raise trouble
        return GOOD

    result, _ = stored(ScriptedChecker(id="a", act=act), {"a": Status.HEALTHY})

    assert result.status is status


def test_recheck_never_goes_past_the_runs_end() -> None:
    result, seconds = stored(ScriptedChecker(id="a", act=playing(BAD)), {}, seconds=2.5)

    assert (result.status, result.rechecks) == (Status.DOWN, 1)
    assert seconds < 2.5


def test_recheck_that_is_cut_off_leaves_the_result_before_it() -> None:
    forever = threading.Event()
    act = in_turn(playing(BAD), hanging(forever))

    result, _ = stored(ScriptedChecker(id="a", act=act), {}, seconds=1.5)
    forever.set()

    assert (result.status, result.rechecks) == (Status.DOWN, 0)


def test_waiting_for_a_recheck_keeps_no_other_from_its_turn() -> None:
    sick = [ScriptedChecker(id=f"sick-{n}", act=playing(BAD, GOOD)) for n in range(8)]
    started = time.monotonic()

    results = run_checks(sick, deadline=Deadline.after(20), concurrency=1, previous_statuses={})

    assert all(result.healthy for result in results)
    assert time.monotonic() - started < 6
