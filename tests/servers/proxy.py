"""An HTTP proxy on 127.0.0.1 that writes down what it is asked for."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tests.servers.base import SocketServer


class ProxyServer(SocketServer):
    """Forwards requests and connections, wherever they are said to go, to one address.

    Attributes:
        requests: the heads of what it was asked, in order.
    """

    patience = 20.0

    def __init__(self, target: str, *, answer: str = "") -> None:
        """Prepare a proxy.

        Args:
            target: the ``host:port`` that everything goes to.
            answer: a status line to refuse everything with.
        """
        self.requests: list[str] = []
        self._target = target.rsplit(":", 1)
        self._answer = answer
        super().__init__()

    def serve(self, client: socket.socket) -> None:
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
