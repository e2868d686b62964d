"""An HTTPS server that answers exactly so many milliseconds after it was asked.

It costs half a millisecond of CPU per request, nearly all of it in OpenSSL: one thread and epoll,
for what measures has to be quicker than what is measured.
"""

from __future__ import annotations

import heapq
import select
import socket
import ssl
import sys
import time
from contextlib import suppress

ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1200\r\n\r\n" + b"x" * 1200
)


def main(certificate: str, latency: float) -> None:
    """Serve until killed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.num_tickets = 0
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.settimeout(0)
    print(listener.getsockname()[1], flush=True)
    Server(context, listener, latency).serve()


class Server:
    """The connections, and when each is to be answered."""

    def __init__(self, context: ssl.SSLContext, listener: socket.socket, latency: float) -> None:
        self._context = context
        self._listener = listener
        self._latency = latency
        self._epoll = select.epoll()
        self._epoll.register(listener.fileno(), select.EPOLLIN)
        self._shaking: dict[int, ssl.SSLSocket] = {}
        self._asking: dict[int, ssl.SSLSocket] = {}
        self._due: list[tuple[float, int, ssl.SSLSocket]] = []

    def serve(self) -> None:
        """Serve until killed."""
        while True:
            left = self._due[0][0] - time.monotonic() if self._due else -1.0
            for number, _ in self._epoll.poll(max(0.0, left) if self._due else -1):
                if self._due and self._due[0][0] <= time.monotonic():
                    self._answer()
                if number == self._listener.fileno():
                    self._accept()
                else:
                    self._advance(number)
            self._answer()

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.settimeout(0)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured = self._context.wrap_socket(
                client, server_side=True, do_handshake_on_connect=False
            )
            self._shaking[secured.fileno()] = secured
            self._epoll.register(secured.fileno(), select.EPOLLIN)

    def _advance(self, number: int) -> None:
        try:
            if number in self._shaking:
                self._shaking[number].do_handshake()
                self._asking[number] = self._shaking.pop(number)
            secured = self._asking[number]
            if secured.recv(65_536):
                heapq.heappush(self._due, (time.monotonic() + self._latency, number, secured))
            self._forget(number)
        except ssl.SSLWantReadError:
            return
        except (OSError, KeyError):
            self._forget(number)

    def _answer(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            secured = heapq.heappop(self._due)[2]
            with suppress(OSError):
                secured.send(ANSWER)
            secured.close()

    def _forget(self, number: int) -> None:
        self._shaking.pop(number, None)
        self._asking.pop(number, None)
        with suppress(OSError):
            self._epoll.unregister(number)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
