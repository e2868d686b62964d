"""A server on loopback that plays any provider's HTTP interface, well or badly."""

from __future__ import annotations

import json
import socket
import struct
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit


class Request(NamedTuple):
    """What was asked: ``headers`` by their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, each of which is there once."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)


class Say(NamedTuple):
    """An answer: its status and body."""

    status: int
    body: bytes | str = b""


HANG, RESET, DROP, REDIRECT = "hang", "reset", "drop", "redirect"
"""Read and say nothing; close hard before reading; close after reading; send elsewhere."""

Behaviour = Say | str


class Provider:
    """Plays a provider while the block runs: one behaviour per request, the last for ever.

    Attributes:
        requests: what was asked, in order.
    """

    def __init__(self, *behaviours: Behaviour) -> None:
        self.requests: list[Request] = []
        self._behaviours = list(behaviours) or [Say(200)]
        self._lock = Lock()
        self.closing = Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def behave(self, *behaviours: Behaviour) -> None:
        with self._lock:
            self._behaviours = list(behaviours)

    def next_behaviour(self) -> Behaviour:
        with self._lock:
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def heard(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 50
    provider: Provider

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self._serve("POST")

    def do_PUT(self) -> None:
        self._serve("PUT")

    def _serve(self, method: str) -> None:
        provider = self.server.provider
        behaviour = provider.next_behaviour()
        if behaviour == RESET:
            self._reset()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        provider.heard(Request(self.path, headers, body, method))
        match behaviour:
            case Say(status=status, body=said):
                self._answer(status, said.encode() if isinstance(said, str) else said)
            case "redirect":
                self._answer(307, b"", location=f"{provider.url}/stolen")
            case "hang":
                provider.closing.wait(60)
            case _:
                self.close_connection = True

    def log_message(self, *words: object) -> None:
        """Stay quiet."""

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
        self.close_connection = True
