"""A wire before a database's server that breaks when a transaction is to be committed."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from enum import Enum, auto
from threading import Event, Thread

_COMMIT = b"COMMIT"


class Lost(Enum):
    """What does not arrive."""

    QUESTION = auto()
    ANSWER = auto()


class Wire:
    """Passes bytes both ways, unencrypted.

    Attributes:
        port: where to connect instead of to the server.
        lose: what to lose of the next commit, after which the connection breaks; once only.
        broken: how many connections broke.
    """

    def __init__(self, server: int) -> None:
        self.lose: Lost | None = None
        self.broken = 0
        self._server = server
        self._threads: list[Thread] = []
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._begin(self._accept)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        _hang_up(*self._ends)
        for thread in self._threads:
            thread.join(10)

    def _begin(self, target: object, *arguments: object) -> None:
        thread = Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._begin(self._pass_on, client)

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            self._ends += [client, server]
            deaf = Event()
            back = Thread(target=self._answers, args=(server, client, deaf), daemon=True)
            back.start()
            self._questions(client, server, deaf)
            back.join(10)

    def _questions(self, client: socket.socket, server: socket.socket, deaf: Event) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                lost = self.lose if _COMMIT in data.upper() else None
                if lost is not None:
                    self.lose = None
                    self.broken += 1
                if lost is Lost.QUESTION:
                    break
                if lost is Lost.ANSWER:
                    deaf.set()
                server.sendall(data)
        _hang_up(client, server)

    def _answers(self, server: socket.socket, client: socket.socket, deaf: Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if deaf.is_set():
                    break
                client.sendall(data)
        _hang_up(client, server)


def _hang_up(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire(server: int) -> Iterator[Wire]:
    """Run a wire to the server's port while the block does."""
    with closing(Wire(server)) as made:
        yield made
