"""What a client sends, within limits of time."""

from __future__ import annotations

import socket
from io import RawIOBase
from typing import TYPE_CHECKING, Final

from checkup.deadline import Deadline

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IDLE_TIMEOUT_SECONDS: Final = 10.0
"""A connection on which nothing moves for so long is closed."""

REQUEST_TIMEOUT_SECONDS: Final = 30.0
"""Who takes longer to say what is wanted, letter by letter, is not waited for."""


class RequestReader(RawIOBase):
    """What a client sends, for as long as one request may take."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.begin()

    def begin(self) -> None:
        """Wait for the next request from now on."""
        self._deadline = Deadline.after(REQUEST_TIMEOUT_SECONDS)

    def readable(self) -> bool:
        """Say that it is."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what is there; see :meth:`io.RawIOBase.readinto`.

        Raises:
            TimeoutError: nothing came, or all of it took too long.
        """
        left = self._deadline.left()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(min(IDLE_TIMEOUT_SECONDS, left))
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(IDLE_TIMEOUT_SECONDS)
