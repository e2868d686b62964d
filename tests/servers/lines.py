"""A server on 127.0.0.1 that follows a script of lines, as mail servers do."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Self

TLS = "<tls>"
"""A step at which the server completes a TLS handshake."""

WAIT = "<wait>"
"""A step at which it waits for a line."""

HOLD = "<hold>"
"""A step at which it keeps quiet until the other side hangs up."""


class LineServer:
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
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

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
                client.settimeout(10)
                with suppress(OSError), ExitStack() as sockets:
                    self._follow(sockets.enter_context(client), sockets)

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
