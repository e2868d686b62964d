"""Connections that are kept: one for many requests to a place, and never a dead one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from checkup.errors import DeliveryUnknownError
from checkup.http import ConnectionPool

LARGE = b"x" * 100_000


class Shop(ThreadingHTTPServer):
    """A server that counts its connections.

    Attributes:
        opened: connections so far.
        lasts: requests that it answers on one of them before it hangs up without a word.
    """

    opened = 0
    lasts = 100

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def setup(self) -> None:
        super().setup()
        self.server.opened += 1
        self.left = self.server.lasts

    def do_GET(self) -> None:
        if self.path == "/broken":
            self.close_connection = True
            return
        self.left -= 1
        body = LARGE if self.path == "/large" else self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/last":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.close_connection or self.left == 0

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def shop() -> Iterator[tuple[Shop, ConnectionPool]]:
    """Run a server and the client's lines to it."""
    with Shop(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server, ConnectionPool()
        finally:
            server.shutdown()
            thread.join()


def ask(lines: ConnectionPool, server: Shop, path: str) -> bytes:
    return lines.request("GET", server.url + path, b"", {}, 5).body


def test_requests_to_one_place_share_a_connection() -> None:
    with shop() as (server, lines):
        assert [ask(lines, server, path) for path in ("/a", "/large", "/b")] == [
            b"/a",
            LARGE,
            b"/b",
        ]
    assert server.opened == 1


def test_connection_that_the_server_wants_closed_is_not_kept() -> None:
    with shop() as (server, lines):
        assert [ask(lines, server, path) for path in ("/last", "/b")] == [b"/last", b"/b"]
    assert server.opened == 2


def test_connection_that_was_closed_meanwhile_is_replaced_unnoticed() -> None:
    with shop() as (server, lines):
        server.lasts = 1
        for number in range(3):
            assert ask(lines, server, f"/{number}") == b"/%d" % number
            wait_for_the_end(lines)
    assert server.opened == 3


def test_connection_on_which_a_request_failed_is_not_used_again() -> None:
    with shop() as (server, lines):
        ask(lines, server, "/a")
        with pytest.raises(DeliveryUnknownError):
            ask(lines, server, "/broken")
        assert ask(lines, server, "/b") == b"/b"
    assert server.opened == 2


def wait_for_the_end(lines: ConnectionPool) -> None:
    """Wait until the other side has hung up."""
    (connection,) = lines._idle.values()
    assert connection.sock is not None
    connection.sock.settimeout(10)
    assert connection.sock.recv(1) == b""
