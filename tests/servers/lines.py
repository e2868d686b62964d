"""A server on 127.0.0.1 that follows a script of lines, as mail servers do."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import ExitStack

from tests.servers.base import SocketServer

TLS = "<tls>"
"""A step at which the server completes a TLS handshake."""

WAIT = "<wait>"
"""A step at which it waits for a line."""

HOLD = "<hold>"
"""A step at which it keeps quiet until the other side hangs up."""


class LineServer(SocketServer):
    """Serves one connection after the other by the same script.

    Attributes:
        heard: the lines that came, in order.
    """

    def __init__(self, script: Sequence[str | bytes], tls: ssl.SSLContext | None = None) -> None:
        """Prepare a server.

        Args:
            script: steps, and texts that are sent in pieces of three bytes.
        """
        self.heard: list[bytes] = []
        self._script = script
        self._tls = tls
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        with ExitStack() as sockets:
            self._follow(client, sockets)

    def _follow(self, client: socket.socket, sockets: ExitStack) -> None:
        for step in self._script:
            if step == TLS and self._tls:
                wrapped = self._tls.wrap_socket(client, server_side=True)
                client = sockets.enter_context(wrapped)
            elif step == WAIT:
                self.heard.append(_line(client))
            elif step == HOLD:
                client.recv(1)
            else:
                _send_in_pieces(client, step.encode() if isinstance(step, str) else step)


def _line(client: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += client.recv(1)
    return line


def _send_in_pieces(client: socket.socket, text: bytes) -> None:
    if len(text) > 1_000:
        client.sendall(text)
        return
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for start in range(0, len(text), 3):
        client.sendall(text[start : start + 3])
        time.sleep(0.0005)
