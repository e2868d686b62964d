"""Streams over TCP and TLS in an event loop, against servers that behave and others."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from checkup.checkers import address_guard
from checkup.checkers.event_loop import EventLoop, run_alone
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.network import SocketAddress
from checkup.checkers.stream import NetworkStream, connect_first, open_stream
from checkup.checkers.tls_context import ca_file_context
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from tests.checkers.results import GENEROUS, closed_port
from tests.servers.certificates import Authority

Serve = Callable[[socket.socket], object]


@contextmanager
def serving(*serve: Serve) -> Iterator[int]:
    """Yield the port of a server that serves each connection in a thread, in these ways in turn."""
    connections: list[socket.socket] = []

    def one(client: socket.socket, way: Serve) -> None:
        with client, suppress(OSError):
            way(client)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                way = serve[min(len(connections), len(serve) - 1)]
                connections.append(client)
                threading.Thread(target=one, args=(client, way), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        thread = threading.Thread(target=accept, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        for client in connections:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


def under_tls(context: ssl.SSLContext, serve: Serve) -> Serve:
    def shake_hands_and_serve(client: socket.socket) -> None:
        with context.wrap_socket(client, server_side=True) as secured:
            serve(secured)

    return shake_hands_and_serve


def echo(client: socket.socket) -> None:
    while received := client.recv(65_536):
        client.sendall(received)


def flood(client: socket.socket) -> None:
    while True:
        client.sendall(b"x" * 65_536)


def trickle(client: socket.socket) -> None:
    while True:
        client.sendall(b"x")
        time.sleep(0.01)


def hold(client: socket.socket) -> None:
    while client.recv(1):
        pass


async def opened(net: Network, port: int, seconds: float = 10.0) -> NetworkStream:
    watch = Stopwatch(net.clock_ns)
    return await open_stream(net, ("127.0.0.1", port), Deadline.after(seconds), watch)


async def read_all(stream: NetworkStream) -> bytes:
    received = b""
    while piece := await stream.read():
        received += piece
    return received


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def assert_no_more_than(before: set[str]) -> None:
    """Wait until the servers' threads have closed what they had."""
    end = time.monotonic() + GENEROUS
    while not descriptors() <= before:
        assert time.monotonic() < end, "a file descriptor was left open"
        time.sleep(0.01)


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


def local(port: int) -> SocketAddress:
    return socket.AF_INET, ("127.0.0.1", port)


def connected_port(*addresses: SocketAddress, seconds: float = 10.0) -> int:
    """Connect to the first address that answers, and return its port."""
    sock = run_alone(lambda net: connect_first(net, addresses, Deadline.after(seconds)))
    with sock:
        port: int = sock.getpeername()[1]
    return port


@pytest.mark.row("25")
def test_silent_address_is_given_up_at_the_deadline(full: int) -> None:
    started = time.monotonic()

    with pytest.raises(CheckFailedError) as raised:
        run_alone(lambda net: opened(net, full, 0.4))

    assert raised.value.failure == "connect_timeout"
    assert 0.4 <= time.monotonic() - started < 0.4 + GENEROUS


@pytest.mark.row("43")
def test_silence_on_a_port_that_the_platform_blocks_is_unknown(
    full: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address_guard, "SMTP_PORT", full)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "check")
    monkeypatch.setenv("ALLOW_ADDRESSES", "127.0.0.0/8")

    with pytest.raises(CheckUnknownError, match="AWS Lambda blocks port"):
        run_alone(lambda net: opened(net, full, 0.3))


@pytest.mark.row("26")
def test_one_deadline_covers_all_addresses(full: int) -> None:
    before = descriptors()
    started = time.monotonic()

    with pytest.raises(CheckFailedError) as raised:
        connected_port(*[local(full)] * 4, seconds=0.6)

    assert raised.value.failure == "connect_timeout"
    assert time.monotonic() - started < 0.6 + GENEROUS
    assert_no_more_than(before)


@pytest.mark.row("30")
def test_silent_address_does_not_hold_up_the_next(full: int) -> None:
    before = descriptors()
    started = time.monotonic()
    with serving(hold) as port:
        assert connected_port(local(full), local(port)) == port

    assert 0.2 < time.monotonic() - started < GENEROUS
    assert_no_more_than(before)


def test_address_that_answers_late_wins_over_one_that_does_not(full: int) -> None:
    """The first address answers while the second one, which was tried meanwhile, is silent."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with ExitStack() as sockets:
            for _ in range(2):
                waiting = sockets.enter_context(socket.socket())
                waiting.settimeout(0)
                waiting.connect_ex(("127.0.0.1", port))

            def accept() -> None:
                for _ in range(2):
                    listener.accept()[0].close()

            timer = threading.Timer(0.5, accept)
            timer.start()
            assert connected_port(local(port), local(full)) == port
            timer.join()


@pytest.mark.row("24")
def test_closed_address_leads_to_the_next_at_once() -> None:
    started = time.monotonic()
    with serving(hold) as port:
        assert connected_port(local(closed_port()), local(port)) == port

    assert time.monotonic() - started < 0.2


def test_refusal_says_more_than_a_missing_route() -> None:
    # No connection can be made to the broadcast address: it fails at once.
    nowhere: SocketAddress = (socket.AF_INET, ("255.255.255.255", 80))

    with pytest.raises(CheckFailedError) as raised:
        connected_port(nowhere, local(closed_port()), nowhere, seconds=2)

    assert raised.value.failure == "connect_refused"


def test_bytes_go_out_and_come_back() -> None:
    sent = bytes(range(256)) * 4096

    async def exchange(net: Network) -> bytes:
        with await opened(net, port) as stream:
            received = bytearray()
            for start in range(0, len(sent), 65_536):
                await stream.write(sent[start : start + 65_536])
                while len(received) < start + 65_536:
                    received += await stream.read(100_000)
            stream.shutdown_write()
            assert await stream.read() == b""
            return bytes(received)

    with serving(echo) as port:
        assert run_alone(exchange) == sent


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_bytes_inside_openssl_are_not_missed(authority: Authority, version: ssl.TLSVersion) -> None:
    """A record is read in pieces: the socket has nothing more, and the stream has."""
    context = authority.good()
    context.maximum_version = version

    def send_a_record(client: socket.socket) -> None:
        client.recv(1)
        client.sendall(bytes(16_000))
        client.recv(1)  # nothing more comes, and no end

    async def read(net: Network) -> list[int]:
        with await opened(net, port) as stream:
            await stream.start_tls(ca_file_context(str(authority.roots)), "localhost")
            await stream.write(b"x")
            return [len(await stream.read(1_000)) for _ in range(16)]

    with serving(under_tls(context, send_a_record)) as port:
        assert run_alone(read) == [1_000] * 16


def test_first_bytes_go_out_with_the_end_of_the_handshake(authority: Authority) -> None:
    async def ask(net: Network) -> tuple[bytes, str, bool]:
        with await opened(net, port) as stream:
            context = ca_file_context(str(authority.roots))
            validity = await stream.start_tls(context, "localhost", is_write_next=True)
            await stream.write(b"hello")
            version = stream.tls_version()
            return await stream.read(), version, validity.expiry_ns > time.time_ns()

    with serving(under_tls(authority.good(), echo)) as port:
        assert run_alone(ask) == (b"hello", "1.3", True)


@pytest.mark.parametrize("is_tls", [False, True], ids=["tcp", "tls"])
@pytest.mark.parametrize("serve", [flood, trickle, hold])
def test_server_that_never_ends_is_late(authority: Authority, serve: Serve, is_tls: bool) -> None:
    before = descriptors()

    async def read(net: Network) -> float:
        with await opened(net, port) as stream:
            if is_tls:
                await stream.start_tls(ca_file_context(str(authority.roots)), "localhost")
            stream.deadline = Deadline.after(0.3)
            started = time.monotonic()
            with suppress(TimeoutError):
                while True:
                    assert await stream.read()
            return time.monotonic() - started

    with serving(under_tls(authority.good(), serve) if is_tls else serve) as port:
        assert 0.3 <= run_alone(read) < 0.3 + GENEROUS
    assert_no_more_than(before)


def test_server_that_does_not_read_is_late() -> None:
    async def write(net: Network) -> None:
        with await opened(net, port) as stream:
            stream.deadline = Deadline.after(0.3)
            await stream.write(bytes(64 * 1024 * 1024))

    def sleep(_: socket.socket) -> None:
        time.sleep(1)

    with serving(sleep) as port, pytest.raises(TimeoutError):
        run_alone(write)


def test_deadline_that_has_passed_allows_nothing() -> None:
    async def use(net: Network) -> None:
        with await opened(net, port) as stream:
            stream.deadline = Deadline.after(-1)
            with pytest.raises(TimeoutError):
                await stream.read()
            with pytest.raises(TimeoutError):
                await stream.write(b"x")

    with serving(flood) as port:
        run_alone(use)


def test_floods_do_not_slow_down_a_good_server(authority: Authority) -> None:
    """Fifty servers that flood and one that answers: its round trip time stays what it is."""
    context = ca_file_context(str(authority.roots))

    async def drain(net: Network, port: int) -> None:
        with await opened(net, port, 2.0) as stream, suppress(TimeoutError):
            while await stream.read():
                pass

    async def ask(net: Network, port: int) -> float:
        await net.sleep(0.5)
        watch = Stopwatch(net.clock_ns)
        with await open_stream(net, ("127.0.0.1", port), Deadline.after(20), watch) as stream:
            await stream.start_tls(context, "localhost")
            await stream.write(b"hello")
            assert await stream.read() == b"hello"
        return watch.elapsed_ns() / 1e9

    with (
        serving(flood) as floods,
        serving(under_tls(authority.good(), echo)) as port,
        EventLoop() as loop,
    ):
        for _ in range(50):
            loop.spawn(drain(loop, floods))
        task = loop.spawn(ask(loop, port))
        while not task.is_done:
            loop.run_once()

    # The servers here share Python's lock with the loop, so this is far from the milliseconds that
    # it takes elsewhere; without turns it would be the two seconds of the floods.
    assert task.result() < 1.0


def test_small_records_give_the_others_their_turn() -> None:
    turns: list[int] = []

    async def count_turns(net: Network) -> None:
        while True:
            turns.append(0)
            await net.turn()

    async def read(net: Network) -> None:
        with await opened(net, port) as stream:
            await net.sleep(0.3)  # until a megabyte is here
            turns.clear()
            for _ in range(1000):
                await stream.read(10)

    with serving(flood) as port, EventLoop() as loop:
        task = loop.spawn(read(loop))
        loop.spawn(count_turns(loop))
        while not task.is_done:
            loop.run_once()
        task.result()

    assert len(turns) >= 1000 // 64 - 1


def test_end_of_a_connection_is_no_error(authority: Authority) -> None:
    def send_and_close(client: socket.socket) -> None:
        client.sendall(b"bye")

    def send_and_break_off(client: socket.socket) -> None:
        secured = authority.good().wrap_socket(client, server_side=True)
        secured.sendall(b"bye")
        time.sleep(0.1)
        socket.socket.close(secured)  # without TLS's own goodbye

    async def read(net: Network, port: int, is_tls: bool) -> bytes:
        with await opened(net, port) as stream:
            if is_tls:
                await stream.start_tls(ca_file_context(str(authority.roots)), "localhost")
            return await read_all(stream)

    with serving(send_and_close) as port:
        assert run_alone(lambda net: read(net, port, is_tls=False)) == b"bye"
    for serve in (under_tls(authority.good(), send_and_close), send_and_break_off):
        with serving(serve) as port:
            assert run_alone(lambda net: read(net, port, is_tls=True)) == b"bye"


def test_server_hears_why_its_certificate_is_not_accepted(authority: Authority) -> None:
    heard: list[str] = []
    context = authority.expired()

    def shake_hands(client: socket.socket) -> None:
        try:
            context.wrap_socket(client, server_side=True).recv(1)
        except ssl.SSLError as error:
            heard.append(str(error.reason))

    async def connect(net: Network) -> None:
        with await opened(net, port) as stream:
            await stream.start_tls(ca_file_context(str(authority.roots)), "localhost")

    with serving(shake_hands) as port:
        with pytest.raises(CheckFailedError) as raised:
            run_alone(connect)
        end = time.monotonic() + GENEROUS
        while not heard and time.monotonic() < end:
            time.sleep(0.01)

    assert raised.value.failure == "tls_expired"
    assert len(heard) == 1
    assert "ALERT" in heard[0]


@pytest.mark.parametrize("phase", ["connect", "tls", "read", "write"])
def test_cancelled_check_closes_its_socket(phase: str, full: int, authority: Authority) -> None:
    async def work(net: Network) -> None:
        with await opened(net, full if phase == "connect" else port, 60) as stream:
            if phase == "tls":
                await stream.start_tls(ca_file_context(str(authority.roots)), "localhost")
            elif phase == "read":
                await stream.read()
            else:
                await stream.write(bytes(64 * 1024 * 1024))

    with serving(lambda _: time.sleep(2)) as port, EventLoop() as loop:
        task = loop.spawn(work(loop))
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            loop.run_once(end)
        with_it = descriptors()
        loop.cancel(task)

        assert len(with_it - descriptors()) == 1
