"""The services that the deployed stack watches: real ones, on the loopback."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

REACHABLE = {"ALLOW_ADDRESSES": "127.0.0.0/8"}
"""What a function's environment needs to look at them: by itself it refuses its own loopback."""


class Service:
    """A web server that is well or not, as told.

    Attributes:
        well: whether it answers 200 or 503.
        asked: how many requests it has seen.
        meanwhile: called while a request waits for its answer.
    """

    def __init__(self) -> None:
        self.well = True
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.service = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    service: Service


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        service = self.server.service
        service.asked += 1
        status = 200 if service.well else 503
        service.meanwhile()
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
