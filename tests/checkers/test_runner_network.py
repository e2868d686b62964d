"""Checkers that wait in the runner's event loop, beside others in threads."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from selectors import EVENT_READ
from textwrap import dedent
from types import FrameType

import pytest

from checkup.checkers.runner import run_checks
from checkup.checkers.tls import TlsChecker
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from checkup.model import Attempt, Result, Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS
from tests.checkers.scripted import BAD, GOOD, ScriptedChecker, Waiting, hanging
from tests.servers.certificates import Authority
from tests.servers.web import WebServer

Act = Callable[[Network, Deadline], Awaitable[Attempt]]
TENTH = SECOND // 10


def run(*checkers: ScriptedChecker | Waiting, seconds: float = 20.0) -> tuple[Result, ...]:
    return run_checks(checkers, deadline=Deadline.after(seconds), concurrency=50)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection; the checker has the first one."""
    here, there = socket.socketpair()
    there.settimeout(GENEROUS)
    with here, there:
        yield here, there


def waiting_for(sock: socket.socket) -> Act:
    """Return an act that waits for what never comes, and ignores its deadline."""

    async def act(net: Network, _: Deadline) -> Attempt:
        with sock:
            await net.ready({sock: EVENT_READ}, Deadline.after(3600))
        return GOOD

    return act


async def good(net: Network, _: Deadline) -> Attempt:
    await net.sleep(0.01)
    return GOOD


def test_both_sorts_run_side_by_side() -> None:
    started = time.monotonic()

    def sleep(_: Deadline) -> Attempt:
        time.sleep(0.3)
        return GOOD

    async def wait(net: Network, _: Deadline) -> Attempt:
        await net.sleep(0.3)
        return BAD

    results = run(*[ScriptedChecker(act=sleep)] * 10, *[Waiting(act=wait, attempts=2)] * 10)

    assert [result.status for result in results] == [Status.HEALTHY] * 10 + [Status.DOWN] * 10
    assert [len(result.attempts) for result in results] == [1] * 10 + [2] * 10
    assert time.monotonic() - started < GENEROUS


def test_overdue_check_is_cancelled_and_its_socket_closed(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    here, there = ends
    closed_at: list[float] = []

    def watch(_: Deadline) -> Attempt:
        assert there.recv(1) == b""
        closed_at.append(time.monotonic())
        return GOOD

    started = time.monotonic()
    overdue, watching = run(
        Waiting(act=waiting_for(here), timeout=TENTH),
        ScriptedChecker(act=watch, timeout=10 * SECOND),
    )

    assert (overdue.status, overdue.failure) == (Status.UNKNOWN, "overdue")
    assert watching.healthy
    assert 1.1 <= closed_at[0] - started < 1.1 + GENEROUS


def test_end_of_the_run_closes_the_sockets_of_what_is_left(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    here, there = ends

    (result,) = run(Waiting(act=waiting_for(here)), seconds=0.3)

    assert (result.status, result.failure) == (Status.UNKNOWN, "run_deadline")
    assert there.recv(1) == b""


@pytest.mark.parametrize(
    ("error", "failure", "text"),
    [
        pytest.param(CheckUnknownError("config", "no such file"), "config", "no such file"),
        pytest.param(
            ValueError("hunter2"), "internal", "the checker failed: ValueError at test_runner_"
        ),
    ],
)
def test_exception_is_unknown_and_harms_no_other(error: Exception, failure: str, text: str) -> None:
    async def fail(net: Network, _: Deadline) -> Attempt:
        await net.turn()
        raise error

    broken, fine = run(Waiting(act=fail), Waiting(act=good))

    assert (broken.status, broken.failure) == (Status.UNKNOWN, failure)
    assert broken.error.startswith(text)
    assert fine.healthy


def test_signal_ends_the_run_and_closes_the_sockets(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    class Interrupted(BaseException):
        pass

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    here, there = ends
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Interrupted):
            run(Waiting(act=waiting_for(here)))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert there.recv(1) == b""


def test_hundreds_that_hang_have_no_threads() -> None:
    threads: list[int] = []

    async def hang(net: Network, deadline: Deadline) -> Attempt:
        await net.sleep(deadline.remaining())
        threads.append(threading.active_count())
        return BAD

    checkers = [Waiting(act=hang, timeout=5 * TENTH)] * 300
    results = run_checks(checkers, deadline=Deadline.after(30), concurrency=300)

    assert all(result.down for result in results)
    assert max(threads) < 20


def test_files_are_read_before_the_first_check_starts(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts first finds the context there, and so is not measured while it is made."""
    order: list[str] = []
    real = TlsChecker.tls_context

    def load(self: TlsChecker, *, same_origin: bool = True) -> object:
        order.append("load")
        time.sleep(0.05)
        return real(self, same_origin=same_origin)

    def start(_: Deadline) -> Attempt:
        order.append("start")
        return GOOD

    monkeypatch.setattr(TlsChecker, "tls_context", load)
    with WebServer(authority.good()) as server:
        tls = [
            TlsChecker(endpoint_url=server.address, trusted_roots=(str(authority.roots),))
            for _ in range(10)
        ]
        results = run_checks(
            [ScriptedChecker(act=start), *tls], deadline=Deadline.after(20), concurrency=20
        )

    assert all(result.healthy for result in results)
    assert order == ["load", "start"]


def test_preparation_that_hangs_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = threading.Event()

    def load(_: TlsChecker, *, same_origin: bool = True) -> object:
        never.wait(60)
        return same_origin

    monkeypatch.setattr(TlsChecker, "tls_context", load)
    started = time.monotonic()
    stuck, fine = run_checks(
        [TlsChecker(endpoint_url="127.0.0.1:1"), Waiting(act=good)],
        deadline=Deadline.after(3),
        concurrency=5,
    )
    never.set()

    assert (stuck.status, stuck.failure) == (Status.UNKNOWN, "run_deadline")
    assert fine.healthy
    assert time.monotonic() - started < 3 + GENEROUS


def test_one_that_hangs_in_a_thread_does_not_hold_up_the_loop() -> None:
    forever = threading.Event()

    stuck, *fine = run(
        ScriptedChecker(act=hanging(forever), timeout=TENTH), *[Waiting(act=good)] * 5
    )
    forever.set()

    assert stuck.failure == "overdue"
    assert all(result.healthy for result in fine)


@pytest.mark.parametrize("most", [pytest.param(64 * 1024, id="KiB")])
def test_a_thousand_that_hang_take_little_memory(authority: Authority, most: int) -> None:
    script = f"""
        import resource, socket, sys
        from checkup.checkers.runner import run_checks
        from checkup.checkers.tls import TlsChecker
        from checkup.deadline import Deadline

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)  # it never answers
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        checkers = [TlsChecker(endpoint_url=address, trusted_roots=({str(authority.roots)!r},))]
        run_checks(checkers, deadline=Deadline.after(0.5), concurrency=1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        results = run_checks(checkers * 1000, deadline=Deadline.after(6), concurrency=1000)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
        print(sum(result.failure == "run_deadline" for result in results), len(results))
    """

    ended = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    more, counts = ended.stdout.splitlines()
    assert int(more) < most
    assert counts == "1000 1000"
