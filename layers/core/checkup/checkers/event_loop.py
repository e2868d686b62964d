"""An event loop for checks: many connections in one thread, one turn at a time.

A task is a coroutine. It has its turn until it awaits something that is not there yet, and turns
are short: what would block goes to a thread of its own (:meth:`EventLoop.in_thread`). Between any
two turns the loop looks for sockets that have become ready, so that it knows to a turn's length
since when each task could go on: :meth:`EventLoop.clock_ns` leaves out what a task waited for the
others, and a busy neighbour does not look like a slow server.

Cancelling a task closes its coroutine: GeneratorExit is raised where it waits. What a task opens it
closes in a ``finally`` or ``with`` block, which must not await.
"""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Hashable, Mapping
from contextlib import suppress
from heapq import heappop, heappush
from itertools import count
from math import inf
from queue import Empty, SimpleQueue
from selectors import EVENT_READ, BaseSelector, DefaultSelector, PollSelector
from threading import Lock, Thread
from types import TracebackType, coroutine
from typing import Any, Final, Generic, Self, TypeVar

from checkup.checkers.failures import from_os_error
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces.checker import Descriptor

T = TypeVar("T")
D = TypeVar("D", bound=Descriptor)

_MAX_WAIT: Final = 1.0
"""Seconds after which a wait is interrupted. A signal that arrives just before the wait, or in
another thread, does not end it and is handled only afterwards."""

_SHARED_SECONDS: Final = 1.0
"""How long the result of work in a thread is shared with those who want the same."""


@coroutine
def _pause() -> Generator[None, None, None]:
    """Give the thread back to the loop, which resumes the task or raises an exception in it."""
    yield


class Task(Generic[T]):
    """A coroutine that a loop runs; its attributes belong to the loop.

    Attributes:
        is_done: whether it has ended or was cancelled.
        waited_ns: how long it could go on and waited for others' turns, in total.
    """

    def __init__(
        self, coroutine: Coroutine[Any, None, T], on_done: Callable[[Task[T]], None]
    ) -> None:
        self.coroutine = coroutine
        self.on_done = on_done
        self.is_done = False
        self.waited_ns = 0
        self.is_able = False  # to go on
        self.able_since_ns = 0
        self.wake_at = inf
        self.timer_at = inf  # of its next timer in the loop's heap
        self.registered: set[Any] = set()
        self.found_ready: list[Any] = []
        self.throw: BaseException | None = None
        self.value: T | None = None
        self.error: BaseException | None = None

    def result(self) -> T:
        """Return what the coroutine returned, once it has ended, or raise what it raised."""
        if self.error:
            raise self.error
        return self.value  # type: ignore[return-value] # None only if T is


class _Work:
    """Work in a thread, and the tasks that wait for it."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.is_over = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.waiting: list[Task[Any]] = []


class EventLoop:
    """Runs tasks until it is closed, which cancels those that are left; for use in one thread."""

    def __init__(self) -> None:
        self._selector = _selector()
        self._tasks: set[Task[Any]] = set()
        self._able: deque[Task[Any]] = deque()
        self._current: Task[Any] | None = None
        self._timers: list[tuple[float, int, Task[Any]]] = []
        self._numbers = count()
        self._shared: dict[Hashable, _Work] = {}
        self._ended_work: SimpleQueue[_Work] = SimpleQueue()
        self._wakeup: tuple[socket.socket, socket.socket] | None = None
        self._wakeup_lock = Lock()  # a thread must not write to a descriptor that was closed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Cancel all tasks and abandon all threads."""
        for task in list(self._tasks):
            self.cancel(task)
        with self._wakeup_lock:
            for end in self._wakeup or ():
                end.close()
            self._wakeup = None
        self._selector.close()

    def spawn(
        self,
        coroutine: Coroutine[Any, None, T],
        on_done: Callable[[Task[T]], None] = lambda _: None,
    ) -> Task[T]:
        """Start a coroutine; it has its first turn in :meth:`run_once`.

        Args:
            on_done: called when it has ended, but not when it was cancelled.
        """
        task = Task(coroutine, on_done)
        self._tasks.add(task)
        self._make_able(task)
        return task

    def cancel(self, task: Task[Any]) -> None:
        """End a task where it waits; not from within itself."""
        if task.is_done:
            return
        task.is_done = True
        self._tasks.discard(task)
        with suppress(Exception):  # its result is not wanted any more
            task.coroutine.close()

    def run_once(self, until: float = inf) -> None:
        """Wait until a task can go on, at most to a time on the monotonic clock; give it a turn.

        It may return earlier. An exception that is not an Exception, as signal handlers raise them,
        is not the task's result: it is raised here.
        """
        self._find_able(until)
        while self._able:
            task = self._able.popleft()
            if not task.is_done:
                self._give_turn(task)
                return

    def run(self, until: float) -> None:
        """Give turns until a task has ended, or until a time on the monotonic clock."""
        count = len(self._tasks)
        while len(self._tasks) == count and time.monotonic() < until:
            self.run_once(until)

    async def ready(self, interest: Mapping[D, int], deadline: Deadline) -> list[D]:
        """Wait until one of the sockets can be read or written.

        Args:
            interest: ``selectors.EVENT_READ`` or ``EVENT_WRITE`` by socket. A socket that is not
                blocking may turn out not to be ready after all.

        Returns:
            Those that are ready; at least one.

        Raises:
            TimeoutError: none was ready by the deadline.
        """
        task = self._running()
        try:
            for descriptor, events in interest.items():
                self._selector.register(descriptor, events, task)
                task.registered.add(descriptor)
            await self._wait(task, deadline.at)
            return task.found_ready
        finally:
            task.found_ready = []
            while task.registered:
                self._selector.unregister(task.registered.pop())

    async def sleep(self, seconds: float) -> None:
        """Wait for some seconds."""
        with suppress(TimeoutError):
            await self._wait(self._running(), time.monotonic() + seconds)

    async def turn(self) -> None:
        """Let all others that can go on have a turn first."""
        task = self._running()
        self._make_able(task)
        await _pause()

    async def in_thread(
        self, work: Callable[[], T], deadline: Deadline, *, share: Hashable = None
    ) -> T:
        """Call ``work`` in a thread and return its result, or raise what it raises.

        The thread is abandoned at the deadline, and does not keep the process from exiting.

        Args:
            share: names the work: calls with the same name within a second share one thread and
                its result.

        Raises:
            TimeoutError: it has not ended by the deadline.
            CheckUnknownError: this machine has no thread for it.
        """
        shared = self._shared.get(share) if share is not None else None
        if shared and time.monotonic() - shared.started < _SHARED_SECONDS:
            started = shared
        else:
            started = self._start_thread(work)
            if share is not None:
                self._shared[share] = started
        if not started.is_over:
            task = self._running()
            started.waiting.append(task)
            try:
                await self._wait(task, deadline.at)
            finally:
                started.waiting.remove(task)
        if started.error:
            raise started.error
        result: T = started.value
        return result

    def clock_ns(self) -> int:
        """Nanoseconds on a clock that stands still while the running task waits for its turn."""
        waited_ns = self._current.waited_ns if self._current else 0
        return time.perf_counter_ns() - waited_ns

    def _running(self) -> Task[Any]:
        assert self._current  # noqa: S101 - only tasks of this loop may wait for it
        return self._current

    def _make_able(self, task: Task[Any], since_ns: int = 0) -> None:
        if not task.is_able:
            task.is_able = True
            task.able_since_ns = since_ns or time.perf_counter_ns()
            self._able.append(task)

    def _give_turn(self, task: Task[Any]) -> None:
        task.waited_ns += time.perf_counter_ns() - task.able_since_ns
        task.is_able = False
        throw, task.throw = task.throw, None
        self._current = task
        try:
            if throw:
                task.coroutine.throw(throw)
            else:
                task.coroutine.send(None)
        except StopIteration as stop:
            task.value = stop.value
        except Exception as error:  # noqa: BLE001 - it is the task's result
            task.error = error
        else:
            return
        finally:
            self._current = None
        task.is_done = True
        self._tasks.discard(task)
        task.on_done(task)

    async def _wait(self, task: Task[Any], until: float) -> None:
        """Wait until the loop makes the task able to go on.

        Raises:
            TimeoutError: that was not so at this time on the monotonic clock.
        """
        task.wake_at = until
        if until < task.timer_at:
            self._add_timer(task)
        try:
            await _pause()
        finally:
            task.wake_at = inf

    def _add_timer(self, task: Task[Any]) -> None:
        """Put a timer of the task into the heap.

        A task has one timer that counts. It stays when a wait ends early, because the next one
        mostly has the same deadline: a server that sends a byte at a time adds no timers.
        """
        task.timer_at = task.wake_at
        heappush(self._timers, (task.timer_at, next(self._numbers), task))

    def _find_able(self, until: float) -> None:
        """Find the tasks that can go on; wait for the first one if there is none yet."""
        timeout = 0.0
        if not self._able:
            if self._timers:
                until = min(until, self._timers[0][0])
            timeout = max(0.0, min(until - time.monotonic(), _MAX_WAIT))
        found = self._selector.select(timeout)
        now_ns = time.perf_counter_ns()
        for key, _ in found:
            task = key.data
            if task is None:
                self._collect_ended_work()
                continue
            self._selector.unregister(key.fileobj)
            task.registered.discard(key.fileobj)
            task.found_ready.append(key.fileobj)
            task.throw = None  # what has arrived is not late, though the turn for it may be
            self._make_able(task, now_ns)
        # Sockets first: after a pause of this process, what has arrived meanwhile is not late.
        if self._timers:
            self._fire_timers(time.monotonic())

    def _fire_timers(self, now: float) -> None:
        while self._timers and self._timers[0][0] <= now:
            at, _, task = heappop(self._timers)
            if at != task.timer_at or task.is_done:
                continue  # an earlier one was added later
            task.timer_at = inf
            if task.is_able:
                continue
            if task.wake_at <= now:
                task.throw = TimeoutError()
                self._make_able(task)
            elif task.wake_at < inf:
                self._add_timer(task)

    def _start_thread(self, work: Callable[[], Any]) -> _Work:
        started = _Work()

        def run() -> None:
            try:
                started.value = work()
            except BaseException as error:  # noqa: BLE001 - raised in the task
                started.error = error
            self._ended_work.put(started)
            with self._wakeup_lock, suppress(BlockingIOError):
                if self._wakeup:
                    self._wakeup[1].send(b"\0")

        if not self._wakeup:
            try:
                self._wakeup = socket.socketpair()
            except OSError as error:
                raise from_os_error(error) from error
            for end in self._wakeup:
                end.settimeout(0)
            self._selector.register(self._wakeup[0], EVENT_READ, None)
        try:
            Thread(target=run, name="checkup-work", daemon=True).start()
        except RuntimeError as error:
            raise CheckUnknownError("resource", "this machine has no free thread") from error
        return started

    def _collect_ended_work(self) -> None:
        """Make the tasks able whose threads have ended."""
        assert self._wakeup  # noqa: S101 - a thread has written to it
        with suppress(BlockingIOError):
            self._wakeup[0].recv(4096)
        with suppress(Empty):
            while True:
                ended = self._ended_work.get_nowait()
                ended.is_over = True
                for task in ended.waiting:
                    task.throw = None
                    self._make_able(task)


def _selector() -> BaseSelector:
    try:
        return DefaultSelector()
    except OSError:  # no free file descriptor; this one needs none
        return PollSelector()


def run_alone(start: Callable[[EventLoop], Coroutine[Any, None, T]]) -> T:
    """Run one coroutine to its end in a loop of its own, and return its result."""
    with EventLoop() as loop:
        task = loop.spawn(start(loop))
        while not task.is_done:
            loop.run_once()
        return task.result()
