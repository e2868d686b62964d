from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from checkup.checkers import address_guard
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import (
    SocketAddress,
    connect_happy_eyeballs,
    open_connection,
    resolve,
    resolve_in_thread,
)
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from tests.checkers.looking import GENEROUS, closed_port


@pytest.fixture
def full() -> Iterator[int]:
    """A port of this machine that does not answer: its queue of connections is full."""
    with ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = sockets.enter_context(socket.socket())
            waiting.settimeout(0)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.row("25")
@pytest.mark.parametrize("seconds", [pytest.param(0.4, id="no-answer")])
def test_silent_address_is_given_up_at_the_deadline(full: int, seconds: float) -> None:
    started = time.monotonic()

    with pytest.raises(CheckFailedError) as raised:
        open_connection("127.0.0.1", full, Deadline.after(seconds), Stopwatch())

    assert raised.value.failure == "connect_timeout"
    assert seconds <= time.monotonic() - started < seconds + GENEROUS


@pytest.mark.row("43")
def test_silence_on_a_port_that_the_platform_closes_says_nothing_of_the_target(
    full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_guard, "SMTP_PORT", full)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "check")
    monkeypatch.setenv("ALLOW_ADDRESSES", "127.0.0.0/8")

    with pytest.raises(CheckUnknownError, match="AWS Lambda blocks port"):
        open_connection("127.0.0.1", full, Deadline.after(0.3), Stopwatch())


@pytest.mark.row("27")
@pytest.mark.parametrize("seconds", [pytest.param(0.3, id="resolver-hangs")])
def test_look_up_that_hangs_is_abandoned(seconds: float) -> None:
    never = threading.Event()

    def hang() -> list[SocketAddress]:
        never.wait(60)
        return []

    started = time.monotonic()
    with pytest.raises(CheckFailedError) as raised:
        resolve_in_thread(hang, Deadline.after(seconds))
    never.set()

    assert raised.value.failure == "dns_timeout"
    assert time.monotonic() - started < seconds + GENEROUS


def local(port: int) -> SocketAddress:
    return socket.AF_INET, ("127.0.0.1", port)


@pytest.mark.row("26")
@pytest.mark.parametrize("count", [pytest.param(4, id="many-dead-addresses")])
def test_one_deadline_covers_all_addresses(full: int, count: int) -> None:
    started = time.monotonic()

    with pytest.raises(CheckFailedError) as raised:
        connect_happy_eyeballs([local(full)] * count, Deadline.after(0.5))

    assert raised.value.failure == "connect_timeout"
    assert time.monotonic() - started < 0.5 + GENEROUS


@pytest.mark.row("30")
@pytest.mark.parametrize("deadline", [pytest.param(10, id="first-address-dead")])
def test_silent_address_does_not_hold_up_the_next(full: int, deadline: float) -> None:
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with connect_happy_eyeballs([local(full), local(port)], Deadline.after(deadline)) as winner:
            assert winner.getpeername() == ("127.0.0.1", port)

    assert time.monotonic() - started < GENEROUS


def test_closed_address_leads_to_the_next_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with connect_happy_eyeballs(
            [local(closed_port()), local(port)], Deadline.after(5)
        ) as winner:
            assert winner.getpeername() == ("127.0.0.1", port)


def test_name_is_looked_up() -> None:
    found = resolve("localhost", 80, Deadline.after(5))

    assert all(address[1] == 80 for _, address in found)
    assert {address[0] for _, address in found} <= {"127.0.0.1", "::1"}
