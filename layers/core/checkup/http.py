"""HTTP as a client, for messages and for storages.

The standard library's client is used as it is: it follows no redirects and uses neither a proxy nor
a netrc file. Every exchange has one deadline. For a message it matters most whether a failed
request may have been received: until its first byte is sent, it certainly was not. Error texts
never contain the URL, because the URL of a webhook is a secret.
"""

from __future__ import annotations

import http.client
import selectors
import socket
import ssl
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from functools import lru_cache
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple
from urllib.parse import SplitResult, urlsplit

from checkup.errors import DeliveryError, DeliveryUnknownError, NotDeliveredError
from checkup.interfaces import HttpResponse


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
    max_body: int

    @property
    def origin(self) -> Origin:
        """Where it is to be sent."""
        return Origin(self.address.scheme, self.address.hostname or "", self.address.port)


# Work under a deadline that is enforced from outside, and how far it came.
#
# A socket's timeout bounds a single wait, and a name look-up has none at all. So the work is done
# on a thread of its own, and the caller's clock decides. What matters then is whether the message
# may have been sent: until the work calls ``mark_sent`` it certainly was not, and once the caller
# has given up it never will be.


ErrorText = Callable[[Exception], str]
"""Names the kind of a failure; never the library's own words, which may contain a secret."""


class _SendPhase(Enum):
    BEFORE = "before"
    SENT = "sent"
    OVER = "over"


class SendCancelledError(Exception):
    """The caller has given up, so nothing may be sent any more."""


class SendAttempt:
    """One attempt to send a message."""

    def __init__(
        self, work: Callable[[SendAttempt], None], reason: ErrorText, awaited: str = "response"
    ) -> None:
        """Prepare an attempt.

        Args:
            work: runs on a thread of its own.
            reason: for errors of the work.
            awaited: what is missing when time is up before anything was sent.
        """
        self._work = work
        self._reason = reason
        self._awaited = awaited
        self._phase = _SendPhase.BEFORE
        self._lock = Lock()
        self._is_done = False
        self._error: DeliveryError | None = None
        self._problem = ""

    def mark_sent(self) -> None:
        """Record, from within the work, that from now on the message may be accepted.

        Raises:
            SendCancelledError: it is too late for that.
        """
        if not self._advance(_SendPhase.BEFORE, _SendPhase.SENT):
            raise SendCancelledError

    def within(self, seconds: float, cut: Callable[[], object] = bool) -> None:
        """Do the work; returning means that it ended well.

        Args:
            cut: wakes the work up when nobody waits for it any more; may fail.

        Raises:
            NotDeliveredError: the message was certainly not sent.
            DeliveryUnknownError: it was, and no answer came.
            DeliveryError: what the work itself raised.
        """
        worker = Thread(target=self._run, name="attempt", daemon=True)
        worker.start()
        worker.join(seconds)
        unsent = self._advance(_SendPhase.BEFORE, _SendPhase.OVER)
        if self._is_done:
            return
        if self._error is not None:
            raise self._error
        awaited = self._awaited if unsent else "response"
        problem = self._problem or f"no {awaited} within {seconds:g} s"
        with suppress(Exception):
            cut()
        raise (
            NotDeliveredError(problem)
            if unsent
            else DeliveryUnknownError(f"request sent, but {problem}")
        )

    def _run(self) -> None:
        try:
            self._work(self)
            self._is_done = True
        except DeliveryError as error:
            # Without what it came from, which may contain a secret.
            self._error = error.with_traceback(None)
            self._error.__context__ = self._error.__cause__ = None
        except TimeoutError:
            pass  # the socket was a little faster than `within`, which says what is missing
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = self._reason(error)

    def _advance(self, before: _SendPhase, after: _SendPhase) -> bool:
        with self._lock:
            if self._phase is not before:
                return False
            self._phase = after
            return True


def send_request(request: HttpRequest, timeout: float, connection: HTTPConnection) -> HttpResponse:
    """Do an exchange on a connection, which is left open if it can be used once more.

    Args:
        timeout: seconds for the whole, name look-up included if it is not connected yet.

    Raises:
        NotDeliveredError: it was certainly not received.
        DeliveryUnknownError: it was sent, and no whole answer came in time.
    """
    responses: list[HttpResponse] = []

    def exchange(attempt: SendAttempt) -> None:
        try:
            if connection.sock is None:
                connection.connect()
            attempt.mark_sent()
            responses.append(_exchange(request, connection))
        finally:
            if not responses:
                connection.close()

    def cut() -> None:
        if connection.sock is not None:
            connection.sock.shutdown(socket.SHUT_RDWR)

    SendAttempt(exchange, describe_error, "connection").within(timeout, cut)
    return responses[0]


def _exchange(request: HttpRequest, connection: HTTPConnection) -> HttpResponse:
    method, address, body, headers, max_body = request
    path = address.path or "/"
    query = f"?{address.query}" if address.query else ""
    connection.request(method, path + query, body=body or None, headers=dict(headers))
    with connection.getresponse() as response:
        found = {name.lower(): value for name, value in response.getheaders()}
        answer = HttpResponse(response.status, response.read(max_body), found)
        if not response.isclosed():  # the rest of it would be taken for the next response
            connection.close()
    return answer


def parse_url(url: str) -> SplitResult:
    """Return the parts of an address.

    Raises:
        NotDeliveredError: it is not one that a request can be sent to.
    """
    try:
        found = urlsplit(url)
        usable = found.scheme in {"http", "https"} and found.hostname and found.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or any(character <= " " for character in url):
        raise NotDeliveredError("the address is not an http or https URL")
    return found


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (socket.gaierror, "host name not found"),
    (UnicodeError, "host name not found"),
    (ssl.SSLCertVerificationError, "invalid certificate"),
    (ssl.SSLError, "TLS handshake failed"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection closed"),
    (http.client.HTTPException, "the response is not HTTP"),
    (OSError, "network error"),
)


def describe_error(error: Exception) -> str:
    """Name the kind of failure; the library's words may contain the address."""
    return next((words for kind, words in _REASONS if isinstance(error, kind)), "internal error")


_building = Lock()


def client_tls_context() -> ssl.SSLContext:
    """Return a context that trusts the machine's certificates, or certifi's if it has none.

    It is shared, because creating one takes 22 ms, and must not be changed. A new one is created
    when the machine's certificates have changed.
    """
    paths = ssl.get_default_verify_paths()  # names only what exists
    changed = Path(paths.cafile).stat().st_mtime_ns if paths.cafile else 0
    with _building:
        return _trust(paths.cafile, paths.capath, changed)


@lru_cache(maxsize=1)
def _trust(*_: str | int | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.get_ca_certs():
        import certifi  # only where the machine has no store of its own

        context.load_verify_locations(certifi.where())
    return context


MAX_MESSAGE_BODY: Final = 4 * 1024 * 1024
"""Two hundred messages of a Slack channel, which its bot reads, have up to a mebibyte."""

MAX_DOCUMENT_BODY: Final = 64 * 1024 * 1024


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout: float, method: str = "POST"
) -> HttpResponse:
    """Send ``body`` and return the answer, whatever its status is, and the beginning of its body.

    A message never goes over a kept connection: one that breaks would leave open whether it
    arrived.

    Args:
        timeout: seconds for the whole exchange, name look-up included.

    Raises:
        NotDeliveredError: it was certainly not received.
        DeliveryUnknownError: it was sent, and no whole answer came in time.
    """
    return _once(HttpRequest(method, parse_url(url), body, headers, MAX_MESSAGE_BODY), timeout)


def request(
    method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float
) -> HttpResponse:
    """Do any request and return the answer with its whole body, which may have 64 MiB.

    Args:
        timeout: as for :func:`post`, which raises the same.
    """
    return _once(HttpRequest(method, parse_url(url), body, headers, MAX_DOCUMENT_BODY), timeout)


class ConnectionPool:
    """Keeps one idle connection to each place, for as long as this object lives."""

    def __init__(self) -> None:
        self._idle: dict[Origin, HTTPConnection] = {}
        self._lock = Lock()
        weakref.finalize(self, _close_all, self._idle)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> HttpResponse:
        """Do a request as :func:`request` does, and keep the connection.

        A kept connection may break just as it is used. So what is asked has to be harmless if
        the caller asks once more.
        """
        http_request = HttpRequest(method, parse_url(url), body, headers, MAX_DOCUMENT_BODY)
        connection = self._taken(http_request.origin, timeout)
        answer = send_request(http_request, timeout, connection)
        self._give_back(http_request.origin, connection)
        return answer

    def _taken(self, origin: Origin, timeout: float) -> HTTPConnection:
        """Return an open connection if there is one, else a new one."""
        with self._lock:
            kept = self._idle.pop(origin, None)
        if kept is None:
            return _connection(origin, timeout)
        if kept.sock is None or _has_ended(kept):
            kept.close()
            return _connection(origin, timeout)
        kept.sock.settimeout(timeout)
        return kept

    def _give_back(self, origin: Origin, connection: HTTPConnection) -> None:
        if connection.sock is None:  # the other side wants it closed
            return
        with self._lock:
            other = self._idle.setdefault(origin, connection)
        if other is not connection:
            connection.close()


def _once(http_request: HttpRequest, timeout: float) -> HttpResponse:
    connection = _connection(http_request.origin, timeout)
    try:
        return send_request(http_request, timeout, connection)
    finally:
        connection.close()


def _connection(origin: Origin, timeout: float) -> HTTPConnection:
    if origin.scheme == "http":
        return HTTPConnection(origin.host, origin.port, timeout=timeout)
    return HTTPSConnection(origin.host, origin.port, timeout=timeout, context=client_tls_context())


def _has_ended(connection: HTTPConnection) -> bool:
    """Say whether there is something to read where nothing was asked: the end, or nonsense."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _close_all(idle: dict[Origin, HTTPConnection]) -> None:
    for connection in idle.values():
        connection.close()


__all__ = ["ConnectionPool", "client_tls_context", "describe_error", "post", "request"]
