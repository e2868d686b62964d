"""An HTTP proxy on 127.0.0.1 that writes down what it is asked for."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class ProxyServer:
    """Forwards requests and connections, wherever they are said to go, to one address.

    Attributes:
        requests: the heads of what it was asked, in order.
    """

    def __init__(self, target: str, *, answer: str = "") -> None:
        """Prepare a proxy.

        Args:
            target: the ``host:port`` that everything goes to.
            answer: a status line to refuse everything with.
        """
        self.requests: list[str] = []
        self._target = target.rsplit(":", 1)
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    client.settimeout(20)
                    self._handle(client)

    def _handle(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.requests.append(head.decode("latin-1"))
        if self._answer:
            client.sendall(f"HTTP/1.1 {self._answer}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, port = self._target
        with socket.create_connection((host, int(port)), 20) as server:
            method, url, _ = self.requests[-1].split(" ", 2)
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = urlsplit(url)._replace(scheme="", netloc="").geturl()
                server.sendall(head.replace(url.encode(), path.encode(), 1))
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(20)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
