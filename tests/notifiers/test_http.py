"""One POST under one deadline: whether it arrived is never guessed."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest
import trustme

from checkup.errors import DeliveryUnknownError, NotDeliveredError
from checkup.http import MAX_MESSAGE_BODY, post

LIMIT = 0.4
ANSWER = b"HTTP/1.1 200 OK\r\nX-Name: one\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """A server that does with its first connection what the test says.

    Attributes:
        received: what the client has sent.
        done: set when the test is over.
    """

    def __init__(self, play: Callable[[Peer, socket.socket], None]) -> None:
        self.received = b""
        self.done = Event()
        self._play = play
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = Thread(target=self._serve)

    def _serve(self) -> None:
        with suppress(OSError):
            connection, _ = self._server.accept()
            with connection:
                connection.settimeout(10)
                self._play(self, connection)

    def read(self, connection: socket.socket) -> None:
        """Read one whole request."""
        while not self.received.endswith(b"{}"):
            chunk = connection.recv(65_536)
            if not chunk:
                return
            self.received += chunk

    @contextmanager
    def serving(self) -> Iterator[str]:
        self._thread.start()
        try:
            yield f"http://127.0.0.1:{self.port}/hook?x=1"
        finally:
            self.done.set()
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            self._thread.join()
            self._server.close()


def answer(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(ANSWER)


def trickle_body(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not peer.done.wait(0.02):
        connection.sendall(b"x")


def trickle_headers(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not peer.done.wait(0.02):
        connection.sendall(b"X: y\r\n" if peer.received else b"")


def say_nothing(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    peer.done.wait(10)


def talk_nonsense(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(b"220 smtp.example ESMTP\r\n\r\n")


def flood(peer: Peer, connection: socket.socket) -> None:
    peer.read(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000)


def send(url: str, timeout: float = 5.0) -> tuple[int, bytes, str]:
    found = post(url, b"{}", {"content-type": "application/json"}, timeout)
    return found.status, found.body, found.headers.get("x-name", "")


def test_answer_comes_back_with_lower_case_header_names() -> None:
    peer = Peer(answer)
    with peer.serving() as url:
        assert send(url) == (200, b"ok", "one")

    assert peer.received.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"content-type: application/json\r\n" in peer.received


@pytest.mark.row("85")
@pytest.mark.parametrize("play", [trickle_body, trickle_headers, say_nothing])
def test_deadline_is_for_the_whole_exchange(play: Callable[[Peer, socket.socket], None]) -> None:
    began = time.monotonic()
    with (
        Peer(play).serving() as url,
        pytest.raises(DeliveryUnknownError, match=r"^request sent, but no response"),
    ):
        send(url, LIMIT)

    assert time.monotonic() - began < 5


def test_nonsense_is_no_answer() -> None:
    with (
        Peer(talk_nonsense).serving() as url,
        pytest.raises(DeliveryUnknownError, match=r"is not HTTP"),
    ):
        send(url)


def test_long_answer_is_cut() -> None:
    with Peer(flood).serving() as url:
        assert len(send(url, 10)[1]) == MAX_MESSAGE_BODY


def test_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
    with Peer(answer).serving() as url:
        assert send(url)[0] == 200


def test_refused_connection_certainly_carried_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(NotDeliveredError, match=r"^connection refused$"):
        send(f"http://127.0.0.1:{port}/")


def test_name_that_does_not_resolve_certainly_carried_nothing() -> None:
    with pytest.raises(NotDeliveredError, match="host name not found"):
        send("http://a..b/")


def test_handshake_that_never_ends_certainly_carried_nothing() -> None:
    def listen(peer: Peer, connection: socket.socket) -> None:
        connection.recv(1)
        peer.done.wait(10)

    with (
        Peer(listen).serving() as url,
        pytest.raises(NotDeliveredError, match=r"^(no connection within|timeout)"),
    ):
        send(url.replace("http:", "https:"), LIMIT)


def test_certificate_of_a_stranger_is_refused() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    def greet(peer: Peer, connection: socket.socket) -> None:
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            peer.read(secure)

    peer = Peer(greet)
    with (
        peer.serving() as url,
        pytest.raises(NotDeliveredError, match=r"^invalid certificate$"),
    ):
        send(url.replace("http:", "https:"))
    assert peer.received == b""


@pytest.mark.parametrize(
    "url", ["", "hook", "ftp://h/", "http://", "http://h:99999/", "http://h/\n", "http://h/é"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(NotDeliveredError, match=r"^the address is not an http or https URL$"):
        send(url)
