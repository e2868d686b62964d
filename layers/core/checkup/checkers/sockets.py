"""Sockets that keep to a deadline, whatever the library above them does.

A client library's timeout bounds each system call, not the exchange: a server that sends one
byte per second is never late. These sockets give every single call only what is left until
the deadline, so that no sequence of calls can last longer.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from checkup.deadline import Deadline


class _Bounded(socket.socket):
    deadline: Deadline

    def arm(self) -> None:
        """Let the next system call last until the deadline.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left = self.deadline.left()
        if left <= 0:
            raise TimeoutError
        self.settimeout(left)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - handed through
        self.arm()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - handed through
        self.arm()
        return super().send(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - handed through
        self.arm()
        super().sendall(*args, **kwargs)


class DeadlineSocket(_Bounded):
    """A socket of which no call outlasts ``deadline``; set it before the first call."""


class DeadlineTLSSocket(_Bounded, ssl.SSLSocket):
    """The same under TLS; its handshake has to be armed by hand."""
