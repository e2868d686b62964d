"""A proxy between a machine and a server that can drop all packets, as a broken network does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread


class Partition:
    """Passes bytes both ways while it is ``open``; else they vanish, and nobody is told.

    Attributes:
        port: where to connect in place of the server.
        open: cleared to drop everything; connections made meanwhile lead nowhere.
    """

    def __init__(self, server: int) -> None:
        self.open = Event()
        self.open.set()
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._ends += [client, server]
                for ends in ((client, server), (server, client)):
                    Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.open.is_set():
                    return  # whatever comes later would make no sense without this
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def partition(server: int) -> Iterator[Partition]:
    """Run a proxy before a server's port while the block runs."""
    proxy = Partition(server)
    try:
        yield proxy
    finally:
        proxy.close()
