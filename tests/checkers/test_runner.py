from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial
from textwrap import dedent

import pytest

from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError, CheckupError
from checkup.interfaces import Checker
from checkup.interfaces.checker import Assessment
from checkup.model import Attempt, Result, Status
from checkup.times import SECOND
from tests.checkers.scripted import BAD, GOOD, ScriptedChecker, hanging, in_turn, playing

GENEROUS = 3.0


@pytest.fixture
def forever() -> Iterator[threading.Event]:
    """Never set while a test runs; lets what hangs go afterwards."""
    event = threading.Event()
    yield event
    event.set()


def run(*checkers: Checker, seconds: float = 20.0, concurrency: int = 5) -> tuple[Result, ...]:
    return run_checks(checkers, deadline=Deadline.after(seconds), concurrency=concurrency)


def test_no_checkers_give_no_results() -> None:
    assert run() == ()


@pytest.mark.row("B49")
def test_results_come_in_the_order_of_the_checkers() -> None:
    def slow_first(number: int, _: Deadline) -> Attempt:
        time.sleep(0.2 if number % 7 == 0 else 0)
        return GOOD

    checkers = [ScriptedChecker(id=str(n), act=partial(slow_first, n)) for n in range(40)]

    results = run(*checkers, concurrency=8)

    assert [result.id for result in results] == [str(n) for n in range(40)]


@pytest.mark.row("58", "B01", "B02", "B03", "B04", "B05")
@pytest.mark.parametrize(
    ("attempts", "threshold", "status", "notice"),
    [
        pytest.param([GOOD, GOOD, BAD, GOOD, GOOD], 0, Status.DOWN, ""),
        pytest.param([GOOD], GOOD.rtt, Status.HEALTHY, ""),
        pytest.param(
            [GOOD],
            GOOD.rtt - 1,
            Status.DEGRADED,
            "median round trip time exceeded threshold (999.999µs)",
        ),
        pytest.param([BAD], 1, Status.DOWN, ""),
        pytest.param(
            [Attempt(rtt=n) for n in (1, 9, 3, 5)], 4, Status.HEALTHY, "", id="even-number"
        ),
    ],
)
def test_attempts_are_weighed(
    attempts: list[Attempt], threshold: int, status: Status, notice: str
) -> None:
    checker = ScriptedChecker(
        act=playing(*attempts), attempts=len(attempts), threshold_rtt=threshold
    )

    (result,) = run(checker)

    assert result.attempts == tuple(attempts)
    assert (result.status, result.notice, result.threshold) == (status, notice, threshold)


@pytest.mark.parametrize("attempts", [-1, 0, 1])
def test_there_is_at_least_one_attempt(attempts: int) -> None:
    (result,) = run(ScriptedChecker(attempts=attempts))

    assert len(result.attempts) == 1


def test_attempts_are_spaced() -> None:
    started = time.monotonic()

    run(ScriptedChecker(attempts=3, attempt_spacing=SECOND // 5))

    assert 0.4 <= time.monotonic() - started < 0.4 + GENEROUS


def test_each_attempt_is_given_its_own_limit() -> None:
    left: list[float] = []

    def act(deadline: Deadline) -> Attempt:
        left.append(deadline.remaining())
        return GOOD

    run(
        ScriptedChecker(act=act),
        ScriptedChecker(act=act, timeout=2 * SECOND),
        seconds=60,
        concurrency=1,
    )
    run(ScriptedChecker(act=act, timeout=2 * SECOND), seconds=1)

    assert [round(seconds) for seconds in left] == [20, 2, 1]


def test_checkers_run_at_the_same_time_and_never_more_than_allowed() -> None:
    together = threading.Barrier(4)
    lock, flying, peak = threading.Lock(), 0, 0

    def act(_: Deadline) -> Attempt:
        nonlocal flying, peak
        with lock:
            flying += 1
            peak = max(peak, flying)
        together.wait(10)  # nobody goes on before four are here
        with lock:
            flying -= 1
        return GOOD

    results = run(*[ScriptedChecker(act=act)] * 12, concurrency=4)

    assert all(result.healthy for result in results)
    assert peak == 4


@pytest.mark.parametrize("concurrency", [0, -3])
def test_concurrency_below_1_is_refused_with_gos_words(concurrency: int) -> None:
    with pytest.raises(CheckupError) as raised:
        run(ScriptedChecker(), concurrency=concurrency)

    expected = f"invalid value for ConcurrentChecks: {concurrency} (must be set > 0)"
    assert str(raised.value) == expected


@pytest.mark.row("B48")
def test_checker_that_cannot_check_is_unknown_and_harms_no_other() -> None:
    def act(_: Deadline) -> Attempt:
        raise CheckUnknownError("config", "setting cannot be read")

    broken, fine = run(ScriptedChecker(act=act, attempts=3), ScriptedChecker())

    assert broken.status is Status.UNKNOWN
    assert broken.attempts == (Attempt(error="setting cannot be read", failure="config"),)
    assert fine.healthy


@pytest.mark.parametrize("error", [ValueError, MemoryError, SystemExit, KeyboardInterrupt])
def test_exception_in_a_checker_is_unknown_and_its_text_is_not_shown(
    error: type[BaseException],
) -> None:
    def act(_: Deadline) -> Attempt:
        raise error("hunter2")

    broken, fine = run(ScriptedChecker(act=act), ScriptedChecker())

    assert (broken.status, broken.failure) == (Status.UNKNOWN, "internal")
    assert broken.error.startswith(f"the checker failed: {error.__name__} at test_runner.py:")
    assert fine.healthy


def test_exception_while_weighing_is_unknown() -> None:
    class Weighing(ScriptedChecker, frozen=True, kw_only=True):
        def evaluate(self, attempts: Sequence[Attempt]) -> Assessment:
            raise ZeroDivisionError(len(attempts))

    (result,) = run(Weighing())

    assert (result.status, result.failure) == (Status.UNKNOWN, "internal")


def test_one_that_hangs_among_fifty_is_unknown_at_the_deadline(forever: threading.Event) -> None:
    checkers = [ScriptedChecker(id=str(n)) for n in range(50)]
    checkers[20] = ScriptedChecker(id="20", act=hanging(forever))
    started = time.monotonic()

    results = run(*checkers, seconds=2)

    assert 2 <= time.monotonic() - started < 2.5 + GENEROUS
    assert [r.id for r in results if not r.healthy] == ["20"]
    assert (results[20].status, results[20].failure) == (Status.UNKNOWN, "run_deadline")
    assert results[20].error == "not finished before the run deadline"


def test_what_was_not_begun_is_unknown(forever: threading.Event) -> None:
    checkers = [ScriptedChecker(act=hanging(forever)), ScriptedChecker(), ScriptedChecker()]

    results = run(*checkers, seconds=0.5, concurrency=1)

    assert [result.failure for result in results] == ["run_deadline"] * 3
    assert results[2].error == "not started before the run deadline"


def test_run_without_time_checks_nothing() -> None:
    (result,) = run(ScriptedChecker(), seconds=-1)

    assert (result.status, result.failure) == (Status.UNKNOWN, "run_deadline")


def test_one_that_ignores_its_limit_does_not_keep_its_place(forever: threading.Event) -> None:
    stuck = ScriptedChecker(act=hanging(forever), timeout=SECOND // 10)

    overdue, after = run(stuck, ScriptedChecker(), concurrency=1)

    assert (overdue.status, overdue.failure) == (Status.UNKNOWN, "overdue")
    assert after.healthy


def test_attempt_that_failed_before_the_deadline_decides(forever: threading.Event) -> None:
    checker = ScriptedChecker(act=in_turn(playing(BAD), hanging(forever)), attempts=2)

    (result,) = run(checker, seconds=0.5)

    assert result.down
    assert result.attempts == (BAD,)


def test_failure_that_only_the_runs_end_caused_is_unknown() -> None:
    def act(deadline: Deadline) -> Attempt:
        time.sleep(max(0.0, deadline.remaining()))
        return BAD

    (result,) = run(ScriptedChecker(act=act), seconds=0.3)

    assert (result.status, result.failure) == (Status.UNKNOWN, "run_deadline")


def test_spacing_that_leads_past_the_deadline_is_not_waited_for() -> None:
    started = time.monotonic()

    (result,) = run(ScriptedChecker(attempts=2, attempt_spacing=3600 * SECOND), seconds=30)

    assert time.monotonic() - started < GENEROUS
    assert (result.status, result.failure) == (Status.UNKNOWN, "run_deadline")


def test_result_is_dressed_for_storage() -> None:
    def mask(text: str) -> str:
        return text.replace("hunter2", "***")

    failed = Attempt(error="response does not contain 'hunter2'", failure="body_mismatch")
    checker = ScriptedChecker(
        id="a", endpoint_name="A", endpoint_url="http://x/?t=hunter2", act=playing(failed)
    )

    (result,) = run_checks(
        [checker], deadline=Deadline.after(5), concurrency=1, mask=mask, region="eu", timestamp=42
    )

    assert result == Result(
        title="A",
        endpoint="http://x/?t=***",
        timestamp=42,
        attempts=(Attempt(error="response does not contain '***'", failure="body_mismatch"),),
        down=True,
        id="a",
        kind="acting",
        region="eu",
    )


def test_progress_gets_each_result_once() -> None:
    reported: list[Result] = []

    results = run_checks(
        [ScriptedChecker(id=str(n)) for n in range(9)],
        deadline=Deadline.after(5),
        concurrency=3,
        progress=reported.append,
    )

    assert sorted(reported, key=lambda result: result.id) == list(results)


def test_process_ends_although_a_checker_hangs() -> None:
    script = """
        import time
        from typing import ClassVar
        from checkup.deadline import Deadline
        from checkup.checkers.runner import run_checks
        from checkup.interfaces import Checker

        class Hanging(Checker, frozen=True, kw_only=True):
            kind: ClassVar[str] = "hanging"
            def attempt(self, deadline):
                time.sleep(60)

        print(run_checks([Hanging()], deadline=Deadline.after(0.2), concurrency=1)[0].failure)
    """

    ended = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert ended.stdout == "run_deadline\n"


@pytest.mark.row("23")
@pytest.mark.parametrize("limit", [pytest.param(64, id="descriptors-run-out")])
def test_want_of_descriptors_is_no_outage(limit: int) -> None:
    script = f"""
        import resource, socket
        from checkup.checkers.http import HttpChecker
        from checkup.deadline import Deadline
        from checkup.checkers.runner import run_checks

        listener = socket.create_server(("127.0.0.1", 0), backlog=512)  # it never answers
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, hard))
        checkers = [HttpChecker(endpoint_url=f"http://{{address}}/")] * 200
        results = run_checks(checkers, deadline=Deadline.after(3), concurrency=200)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))  # leaving takes some
        print(*sorted({{(r.status.value, r.failure) for r in results}}))
    """

    ended = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert ended.stdout == "('unknown', 'resource') ('unknown', 'run_deadline')\n"
