"""The event loop, with real sockets, threads and signals."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from selectors import EVENT_READ, EVENT_WRITE
from types import FrameType
from typing import Any

import pytest

from checkup.checkers.event_loop import EventLoop, Task, run_alone
from checkup.deadline import Deadline, Stopwatch
from checkup.interfaces import Network
from tests.checkers.results import GENEROUS

LATER = Deadline.after(3600)


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    with EventLoop() as loop:
        yield loop


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ends = socket.socketpair()
    for end in ends:
        end.settimeout(0)
    yield ends
    for end in ends:
        end.close()


def run(loop: EventLoop, *tasks: Task[Any], seconds: float = 30.0) -> list[Any]:
    """Run until these tasks have ended, and return their results."""
    end = time.monotonic() + seconds
    while not all(task.is_done for task in tasks):
        assert time.monotonic() < end, "the tasks do not end"
        loop.run_once(end)
    return [task.result() for task in tasks]


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_result_and_error_of_a_task(loop: EventLoop) -> None:
    ended: list[Task[int]] = []

    async def give(number: int) -> int:
        await loop.turn()
        return 10 // number

    good, bad = (loop.spawn(give(number), ended.append) for number in (5, 0))
    while len(ended) < 2:
        loop.run_once()

    assert good.result() == 2
    with pytest.raises(ZeroDivisionError):
        bad.result()


def test_socket_that_can_be_read_is_returned(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair

    async def read() -> bytes:
        (ready,) = await loop.ready({here: EVENT_READ}, LATER)
        assert ready is here
        return here.recv(10)

    task = loop.spawn(read())
    loop.run_once()
    there.send(b"hello")

    assert run(loop, task) == [b"hello"]


def test_nothing_by_the_deadline_is_a_timeout(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def read() -> float:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await loop.ready({pair[0]: EVENT_READ}, Deadline.after(0.1))
        return time.monotonic() - started

    (waited,) = run(loop, loop.spawn(read()))

    assert 0.1 <= waited < 0.1 + GENEROUS


def test_timers_do_not_pile_up_under_a_trickle(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    deadline = Deadline.after(60)

    async def read() -> None:
        for _ in range(500):
            await loop.ready({here: EVENT_READ}, deadline)
            here.recv(1)

    task = loop.spawn(read())
    while not task.is_done:
        there.send(b"x")
        loop.run_once()

    assert len(loop._timers) <= 1


def test_what_has_arrived_is_not_late_although_the_process_was(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair

    async def read() -> bytes:
        await loop.ready({here: EVENT_READ}, Deadline.after(0.05))
        return here.recv(10)

    task = loop.spawn(read())
    loop.run_once()
    there.send(b"in time")
    time.sleep(0.1)  # as when the machine was suspended

    assert run(loop, task) == [b"in time"]


def test_many_sleep_at_the_same_time(loop: EventLoop) -> None:
    started = time.monotonic()

    run(loop, *(loop.spawn(loop.sleep(0.2)) for _ in range(100)))

    assert 0.2 <= time.monotonic() - started < 0.2 + GENEROUS


def test_wait_for_the_others_is_not_on_the_clock(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair

    async def hog() -> None:
        for _ in range(5):
            busy(0.04)
            await loop.turn()

    async def measured() -> float:
        watch = Stopwatch(loop.clock_ns)
        await loop.ready({here: EVENT_READ}, LATER)
        return watch.elapsed_ns() / 1e9

    task = loop.spawn(measured())
    loop.run_once()
    hogs = [loop.spawn(hog()) for _ in range(5)]
    there.send(b"x")
    (elapsed, *_) = run(loop, task, *hogs)

    assert elapsed < 0.3  # one turn of the others at most, and not the second that they took


def test_turn_lets_all_others_go_first(loop: EventLoop) -> None:
    order: list[str] = []

    async def two_turns(name: str) -> None:
        order.append(name)
        await loop.turn()
        order.append(name)

    run(loop, *(loop.spawn(two_turns(name)) for name in "abc"))

    assert "".join(order) == "abcabc"


def test_work_in_a_thread_returns_or_raises(loop: EventLoop) -> None:
    def fail() -> None:
        raise LookupError

    async def both() -> int:
        with pytest.raises(LookupError):
            await loop.in_thread(fail, LATER)
        return await loop.in_thread(lambda: 42, LATER)

    assert run(loop, loop.spawn(both())) == [42]


def test_work_that_hangs_is_abandoned() -> None:
    never = threading.Event()

    async def wait(net: Network) -> float:
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await net.in_thread(lambda: never.wait(60), Deadline.after(0.1))
        return time.monotonic() - started

    assert run_alone(wait) < 0.1 + GENEROUS
    never.set()  # its loop is closed by now, which harms nobody


def test_work_of_the_same_name_is_done_once_a_second(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def work() -> int:
        time.sleep(0.05)
        done.append(0)
        return len(done)

    async def ask() -> int:
        return await loop.in_thread(work, LATER, share="work")

    def ask_thrice() -> list[int]:
        together = run(loop, loop.spawn(ask()), loop.spawn(ask()))
        return together + run(loop, loop.spawn(ask()))

    assert ask_thrice() == [1, 1, 1]
    monkeypatch.setattr("checkup.checkers.event_loop._SHARED_SECONDS", 0.0)
    assert run(loop, loop.spawn(ask())) == [2]


def test_cancelled_task_cleans_up_where_it_waits(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    ended: list[Task[None]] = []

    async def hold() -> None:
        with here:
            await loop.ready({here: EVENT_READ}, LATER)

    task = loop.spawn(hold(), ended.append)
    loop.run_once()
    loop.cancel(task)

    assert here.fileno() == -1
    assert there.recv(1) == b""
    assert ended == []
    loop.run_once(time.monotonic())


@pytest.mark.parametrize("waiting", ["ready", "sleep", "in_thread", "turn"])
def test_closing_leaves_no_descriptor(waiting: str) -> None:
    before = open_descriptors()
    let_go = threading.Event()
    with EventLoop() as loop:

        async def wait() -> None:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                waits: dict[str, Callable[[], Any]] = {
                    "ready": lambda: loop.ready({listener: EVENT_READ}, LATER),
                    "sleep": lambda: loop.sleep(3600),
                    "in_thread": lambda: loop.in_thread(lambda: let_go.wait(60), LATER),
                    "turn": loop.turn,
                }
                await waits[waiting]()

        for _ in range(20):
            loop.spawn(wait())
        for _ in range(20):
            loop.run_once()
        assert open_descriptors() > before
    let_go.set()

    assert open_descriptors() == before


def test_first_of_several_sockets_that_is_ready_ends_the_wait(loop: EventLoop) -> None:
    quiet, writable = socket.socketpair()
    with quiet, writable:

        async def wait() -> list[socket.socket]:
            return await loop.ready({quiet: EVENT_READ, writable: EVENT_WRITE}, LATER)

        assert run(loop, loop.spawn(wait())) == [[writable]]
        assert run(loop, loop.spawn(wait())) == [[writable]]  # and neither is left registered


class Interrupted(BaseException):
    pass


@pytest.mark.parametrize("when", ["while it waits", "during a turn"])
def test_signal_ends_the_run_and_not_the_task(when: str) -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    closed = []

    async def work(net: Network) -> None:
        try:
            if when == "while it waits":
                await net.sleep(30)
            try:
                busy(30)
            except Exception:  # noqa: BLE001 - as careless checkers do
                closed.append("wrong")
        finally:
            closed.append("right")

    started = time.monotonic()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Interrupted):
            run_alone(work)
    finally:
        signal.signal(signal.SIGALRM, before)

    assert closed == ["right"]
    assert time.monotonic() - started < GENEROUS


def test_signal_that_only_sets_a_flag_does_not_end_the_wait() -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: seen.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        started = time.monotonic()
        run_alone(lambda net: net.sleep(0.3))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert seen == [signal.SIGALRM]
    assert time.monotonic() - started >= 0.3
