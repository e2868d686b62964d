"""One exchange on one connection, under one absolute deadline, with an honest account of it.

For messages it matters most whether a failed request may have arrived. So connecting and sending
are apart: until the first byte of the request is sent, failing means that it certainly did not.

No error text contains the address, for the address of a webhook is a secret.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from http.client import HTTPConnection
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from checkup.errors import DeliveryUnknownError, NotDeliveredError
from checkup.ports import HttpResponse


class Origin(NamedTuple):
    """Where a connection leads."""

    scheme: str
    host: str
    port: int | None


class HttpRequest(NamedTuple):
    """What to send, and how much of the answer's body to read."""

    method: str
    address: SplitResult
    body: bytes
    headers: Mapping[str, str]
    largest: int

    @property
    def line(self) -> Origin:
        """Where it is to be sent."""
        return Origin(self.address.scheme, self.address.hostname or "", self.address.port)


def send_request(question: HttpRequest, timeout: float, connection: HTTPConnection) -> HttpResponse:
    """Do an exchange on a connection, which is left open if it can be used once more.

    Args:
        timeout: seconds for the whole, name look-up included if it is not connected yet.

    Raises:
        Refused: it certainly did not arrive.
        DeliveryUnknownError: it was sent, and no whole answer came in time.
    """
    exchange = _Exchange(question, connection)
    worker = Thread(target=exchange.run, name="request", daemon=True)
    worker.start()
    worker.join(timeout)
    return exchange.conclude(timeout)


class _Phase(Enum):
    CONNECTING = "connecting"
    SENT = "sent"
    OVER = "over"


class _Exchange:
    """A request on a thread of its own, which can be called off at any moment.

    A socket's timeout bounds a single wait and not the whole, and looking up a name has none at
    all; so the caller's clock decides, and closes the connection under the thread.
    """

    def __init__(self, question: HttpRequest, connection: HTTPConnection) -> None:
        self._question = question
        self._connection = connection
        self._phase = _Phase.CONNECTING
        self._lock = Lock()
        self._answer: HttpResponse | None = None
        self._problem = ""

    def run(self) -> None:
        """Do the exchange; called on the thread."""
        try:
            if self._connection.sock is None:
                self._connection.connect()
            if self._advance(_Phase.CONNECTING, _Phase.SENT):
                self._answer = self._ask()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = describe_error(error)
        finally:
            if self._answer is None:
                self._connection.close()

    def conclude(self, timeout: float) -> HttpResponse:
        """Return the answer or raise; afterwards nothing more is sent."""
        unsent = self._advance(_Phase.CONNECTING, _Phase.OVER)
        if self._answer is not None:
            return self._answer
        problem = self._problem or f"no answer within {timeout:g} s"
        self._cut()
        if unsent:
            raise NotDeliveredError(f"not connected: {problem}")
        raise DeliveryUnknownError(f"sent, but {problem}")

    def _ask(self) -> HttpResponse:
        method, address, body, headers, largest = self._question
        path = address.path or "/"
        query = f"?{address.query}" if address.query else ""
        self._connection.request(method, path + query, body=body or None, headers=dict(headers))
        with self._connection.getresponse() as response:
            found = {name.lower(): value for name, value in response.getheaders()}
            answer = HttpResponse(response.status, response.read(largest), found)
            if not response.isclosed():  # what is left of it would be taken for the next answer
                self._connection.close()
        return answer

    def _advance(self, before: _Phase, after: _Phase) -> bool:
        with self._lock:
            if self._phase is not before:
                return False
            self._phase = after
            return True

    def _cut(self) -> None:
        """Wake up a thread that waits for the other side."""
        connected = self._connection.sock
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)


def parse_url(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        Refused: it is none that a request can be sent to.
    """
    try:
        found = urlsplit(url)
        usable = found.scheme in {"http", "https"} and found.hostname and found.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(character <= " " for character in url):
        raise NotDeliveredError("not connected: the address is no http or https URL")
    return found


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no answer in time"),
    (socket.gaierror, "the name could not be resolved"),
    (ssl.SSLCertVerificationError, "the certificate is not valid"),
    (ssl.SSLError, "TLS could not be agreed on"),
    (ConnectionRefusedError, "the connection was refused"),
    (ConnectionError, "the connection was closed"),
    (http.client.HTTPException, "the answer is not HTTP"),
    (OSError, "the network failed"),
)


def describe_error(error: Exception) -> str:
    """Name the kind of failure; the library's words may contain the address."""
    return next((words for kind, words in _REASONS if isinstance(error, kind)), "an internal error")
