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
    def line(self) -> Origin:
        """Where it is to be sent."""
        return Origin(self.address.scheme, self.address.hostname or "", self.address.port)


def send_request(question: HttpRequest, timeout: float, connection: HTTPConnection) -> HttpResponse:
    """Do an exchange on a connection, which is left open if it can be used once more.

    Args:
        timeout: seconds for the whole, name look-up included if it is not connected yet.

    Raises:
        NotDeliveredError: it was certainly not received.
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
        awaited = "connection" if unsent else "response"
        problem = self._problem or f"no {awaited} within {timeout:g} s"
        self._cut()
        if unsent:
            raise NotDeliveredError(problem)
        raise DeliveryUnknownError(f"request sent, but {problem}")

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


MAX_MESSAGE_BODY: Final = 64 * 1024
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
        question = HttpRequest(method, parse_url(url), body, headers, MAX_DOCUMENT_BODY)
        connection = self._taken(question.line, timeout)
        answer = send_request(question, timeout, connection)
        self._give_back(question.line, connection)
        return answer

    def _taken(self, line: Origin, timeout: float) -> HTTPConnection:
        """Return an open connection if there is one, else a new one."""
        with self._lock:
            kept = self._idle.pop(line, None)
        if kept is None:
            return _connection(line, timeout)
        if kept.sock is None or _has_ended(kept):
            kept.close()
            return _connection(line, timeout)
        kept.sock.settimeout(timeout)
        return kept

    def _give_back(self, line: Origin, connection: HTTPConnection) -> None:
        if connection.sock is None:  # the other side wants it closed
            return
        with self._lock:
            other = self._idle.setdefault(line, connection)
        if other is not connection:
            connection.close()


def _once(question: HttpRequest, timeout: float) -> HttpResponse:
    connection = _connection(question.line, timeout)
    try:
        return send_request(question, timeout, connection)
    finally:
        connection.close()


def _connection(line: Origin, timeout: float) -> HTTPConnection:
    if line.scheme == "http":
        return HTTPConnection(line.host, line.port, timeout=timeout)
    return HTTPSConnection(line.host, line.port, timeout=timeout, context=client_tls_context())


def _has_ended(connection: HTTPConnection) -> bool:
    """Say whether there is something to read where nothing was asked: the end, or nonsense."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _close_all(idle: dict[Origin, HTTPConnection]) -> None:
    for connection in idle.values():
        connection.close()


__all__ = ["ConnectionPool", "client_tls_context", "describe_error", "post", "request"]


# Work under a deadline that is kept from outside, with an honest account of how far it came.
#
# A socket's timeout bounds a single wait, and looking up a name has none at all. So the work is
# done on a thread of its own, and the caller's clock decides. What matters then is whether the
# message may have been handed over: until the work has said that it hands over, it certainly has
# not, and once it was called off it never will.


ErrorText = Callable[[Exception], str]
"""Names the kind of a failure; never the library's own words, which may contain a secret."""


class _SendPhase(Enum):
    BEFORE = "before"
    HANDED_OVER = "handed over"
    OVER = "over"


class SendCancelledError(Exception):
    """The caller has given up, so nothing may be handed over any more."""


class SendAttempt:
    """One try to hand a message over."""

    def __init__(self, work: Callable[[SendAttempt], None], reason: ErrorText) -> None:
        self._work = work
        self._reason = reason
        self._phase = _SendPhase.BEFORE
        self._lock = Lock()
        self._is_done = False
        self._error: DeliveryError | None = None
        self._problem = ""

    def mark_sent(self) -> None:
        """Say, from within the work, that from now on the message may be accepted.

        Raises:
            SendCancelledError: it is too late for that.
        """
        if not self._advance(_SendPhase.BEFORE, _SendPhase.HANDED_OVER):
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
        problem = self._problem or f"no response within {seconds:g} s"
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
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = self._reason(error)

    def _advance(self, before: _SendPhase, after: _SendPhase) -> bool:
        with self._lock:
            if self._phase is not before:
                return False
            self._phase = after
            return True
