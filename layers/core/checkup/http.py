"""One HTTP request under one absolute deadline, with an honest account of how it went.

For messages it matters most whether a failed request may have arrived. So connecting and sending
are apart: until the first byte of the request is sent, failing means that it certainly did not.

The standard library's client is used as it is: it follows no redirect, asks no proxy and reads no
netrc. No error text contains the address, for the address of a webhook is a secret.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from checkup.errors import Refused, Unanswered
from checkup.ports import Answer

_LARGEST = 64 * 1024
_LARGEST_DOCUMENT = 64 * 1024 * 1024


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Answer:
    """Send ``body`` and return the answer, whatever its status is, and the beginning of its body.

    Args:
        timeout: seconds for the whole exchange, name look-up included.

    Raises:
        Refused: it certainly did not arrive.
        Unanswered: it was sent, and no whole answer came in time.
    """
    return _exchange(_Request("POST", _address(url), body, headers, _LARGEST), timeout)


def request(
    method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float
) -> Answer:
    """Do any request and return the answer with its whole body, which may have 64 MiB.

    Args:
        timeout: as for :func:`post`, which raises the same.
    """
    return _exchange(_Request(method, _address(url), body, headers, _LARGEST_DOCUMENT), timeout)


class _Request(NamedTuple):
    """What to send, and how much of the answer's body to read."""

    method: str
    address: SplitResult
    body: bytes
    headers: Mapping[str, str]
    largest: int


def _exchange(request: _Request, timeout: float) -> Answer:
    exchange = _Exchange(request, timeout)
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

    def __init__(self, request: _Request, timeout: float) -> None:
        self._request = request
        self._connection = _connection(request.address, timeout)
        self._phase = _Phase.CONNECTING
        self._lock = Lock()
        self._answer: Answer | None = None
        self._problem = ""

    def run(self) -> None:
        """Do the exchange; called on the thread."""
        try:
            self._connection.connect()
            if self._advance(_Phase.CONNECTING, _Phase.SENT):
                self._answer = self._ask()
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = reason(error)
        finally:
            self._connection.close()

    def conclude(self, timeout: float) -> Answer:
        """Return the answer or raise; afterwards nothing more is sent."""
        unsent = self._advance(_Phase.CONNECTING, _Phase.OVER)
        if self._answer is not None:
            return self._answer
        problem = self._problem or f"no answer within {timeout:g} s"
        self._cut()
        if unsent:
            raise Refused(f"not connected: {problem}")
        raise Unanswered(f"sent, but {problem}")

    def _ask(self) -> Answer:
        method, address, body, headers, largest = self._request
        path = address.path or "/"
        query = f"?{address.query}" if address.query else ""
        self._connection.request(method, path + query, body=body or None, headers=dict(headers))
        response = self._connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response.read(largest), found)

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


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        usable = address.scheme in {"http", "https"} and address.hostname and address.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(character <= " " for character in url):
        raise Refused("not connected: the address is no http or https URL")
    return address


def _connection(address: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = address.hostname or ""
    if address.scheme == "http":
        return http.client.HTTPConnection(host, address.port, timeout=timeout)
    return http.client.HTTPSConnection(host, address.port, timeout=timeout, context=trust())


def trust() -> ssl.SSLContext:
    """Trust what this machine trusts, and what requests does if that is nothing."""
    context = ssl.create_default_context()
    if not context.get_ca_certs():
        import certifi  # noqa: PLC0415 - only where the machine has no store of its own

        context.load_verify_locations(certifi.where())
    return context


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


def reason(error: Exception) -> str:
    """Name the kind of failure; the library's words may contain the address."""
    return next((words for kind, words in _REASONS if isinstance(error, kind)), "an internal error")
