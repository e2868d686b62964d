"""What the servers of the tests share: a port of the loopback, a thread, and an end of both."""

from __future__ import annotations

import socket
import struct
from abc import abstractmethod
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

JOIN_SECONDS = 10


class SocketServer:
    """Serves one connection after the other while the block runs."""

    patience = 10.0
    """Seconds for which it waits for a client to say something."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._thread = Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(JOIN_SECONDS)
        self._listener.close()

    @abstractmethod
    def serve(self, client: socket.socket) -> None:
        """Serve one connection, which is closed afterwards; a client may hang up at any time."""

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.settimeout(self.patience)
                    self.serve(client)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests to a server.

    Attributes:
        owner: that server.
    """

    owner: Any

    @abstractmethod
    def serve(self, method: str) -> None:
        """Serve one request."""

    def do_GET(self) -> None:
        self.serve("GET")

    def do_POST(self) -> None:
        self.serve("POST")

    def do_PUT(self) -> None:
        self.serve("PUT")

    def body(self) -> bytes:
        """Read the request's body."""
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer the request."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Close the connection hard."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


class HttpServer:
    """Speaks HTTP while the block runs, on a thread for each connection.

    Args:
        handler: answers the requests.
    """

    def __init__(self, handler: type[Handler]) -> None:
        self._handler = type("Handler", (handler,), {"owner": self})
        self._listen(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def down(self) -> None:
        """Refuse connections."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def up(self) -> None:
        """Listen again, on the same port."""
        self._listen(self._server.server_port)
        self._thread.start()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _listen(self, port: int) -> None:
        self._server = _Listening(("127.0.0.1", port), self._handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)


class _Listening(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 50

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""
