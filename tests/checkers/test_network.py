"""Names are looked up in threads, for all who want to know."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from checkup.checkers.event_loop import EventLoop, run_alone
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import SocketAddress, resolve
from checkup.deadline import Deadline
from tests.checkers.results import GENEROUS

ADDRESS: SocketAddress = (socket.AF_INET, ("127.0.0.1", 80))
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]


@contextmanager
def name_server(answer: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Answer for all names; addresses are parsed as ever."""
    real = socket.getaddrinfo

    def look_up(*args: Any, **more: Any) -> Any:
        return real(*args, **more) if more["flags"] else answer()

    with monkeypatch.context() as patch:
        patch.setattr("socket.getaddrinfo", look_up)
        yield


@pytest.mark.row("27")
def test_look_up_that_hangs_is_abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    started = time.monotonic()

    with name_server(lambda: [never.wait(60)], monkeypatch):
        with pytest.raises(CheckFailedError) as raised:
            run_alone(lambda net: resolve(net, "a.test", 80, Deadline.after(0.3)))
        never.set()

    assert raised.value.failure == "dns_timeout"
    assert 0.3 <= time.monotonic() - started < 0.3 + GENEROUS


def test_many_look_ups_that_hang_do_not_hold_up_another(monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    asked: list[int] = []

    def answer() -> list[Any]:
        asked.append(0)
        if len(asked) <= 200:
            never.wait(60)
        return FOUND

    started = time.monotonic()
    with name_server(answer, monkeypatch), EventLoop() as loop:
        for number in range(200):
            loop.spawn(resolve(loop, f"{number}.test", 80, Deadline.after(60)))
        for _ in range(200):
            loop.run_once()
        task = loop.spawn(resolve(loop, "fine.test", 80, Deadline.after(60)))
        while not task.is_done:
            loop.run_once()
        never.set()

    assert task.result() == [ADDRESS]
    assert time.monotonic() - started < GENEROUS


def test_name_that_many_want_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def answer() -> list[Any]:
        asked.append(0)
        time.sleep(0.05)
        return FOUND

    with name_server(answer, monkeypatch), EventLoop() as loop:
        tasks = [loop.spawn(resolve(loop, "a.test", 80, Deadline.after(5))) for _ in range(50)]
        while not all(task.is_done for task in tasks):
            loop.run_once()

    assert [task.result() for task in tasks] == [[ADDRESS]] * 50
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("number", "failure"),
    [
        pytest.param(socket.EAI_NONAME, "dns_nxdomain"),
        pytest.param(socket.EAI_AGAIN, "dns_failed"),
    ],
)
def test_failure_is_that_of_all_who_waited(
    number: int, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer() -> list[Any]:
        time.sleep(0.05)
        raise socket.gaierror(number, "no")

    with name_server(answer, monkeypatch), EventLoop() as loop:
        tasks = [loop.spawn(resolve(loop, "a.test", 80, Deadline.after(5))) for _ in range(3)]
        while not all(task.is_done for task in tasks):
            loop.run_once()

    for task in tasks:
        with pytest.raises(CheckFailedError) as raised:
            task.result()
        assert raised.value.failure == failure


def test_name_of_this_machine_is_found() -> None:
    found = run_alone(lambda net: resolve(net, "localhost", 80, Deadline.after(5)))

    assert all(address[1] == 80 for _, address in found)
    assert {address[0] for _, address in found} <= {"127.0.0.1", "::1"}
