"""One HTTP exchange: requests' and urllib3's semantics over a connection of our own.

The adapter opens a new connection for each request, measures its phases, and keeps it to its
deadlines from below: whatever requests, urllib3 and http.client do, they do it through a
socket that does not outlast them.
"""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as DecodingResponse
from urllib3.exceptions import HTTPError

from checkup.checkers.answers import Answer, answer_failure, read_body
from checkup.checkers.connection import open_connection, start_tls
from checkup.checkers.failures import Failed
from checkup.checkers.sockets import BoundedSocket, BoundedTLSSocket
from checkup.checkers.stopwatch import Stopwatch
from checkup.checkers.trust import system_context
from checkup.deadline import Deadline

_PORTS = {"http": 80, "https": 443}


class Limits(Struct, frozen=True, kw_only=True):
    """How long an exchange may last: as a whole, and the seconds of three of its phases."""

    whole: Deadline
    connect: float | None = None
    tls: float | None = None
    headers: float | None = None

    def phase(self, seconds: float | None) -> Deadline:
        """Return the deadline of a phase that begins now."""
        return self.whole if seconds is None else self.whole.within(seconds)


class Exchange(HTTPAdapter):
    """An adapter for exactly one request, and what was measured on its way.

    Attributes:
        watch: the phases so far; it runs from the sending of the request.
        rtt: nanoseconds until the headers of the answer, or until the failure.
        certificate_expiry: when the server's certificate ends; 0 if there was none.
    """

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._sock: BoundedSocket | BoundedTLSSocket | None = None
        self._answer: DecodingResponse | None = None
        self.certificate_expiry = 0
        self.rtt = 0
        self.watch = Stopwatch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def init_poolmanager(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - handed through
        """Keep no pool: a connection that is used again tests neither name, network nor TLS."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:  # noqa: ANN401
        """Send the request and return the answer as soon as its headers are there.

        What a session adds (verification, proxies, time limits, certificates) is not used.

        Raises:
            Failed: there was no answer in time, or none that is HTTP.
            CannotTell: for want of local resources.
        """
        url = urlsplit(str(request.url))
        # Prepared before the time is taken: the first one of a process costs milliseconds.
        context = system_context() if url.scheme == "https" else None
        self.watch = Stopwatch()
        try:
            connection = self._connect(url, context)
            with self.watch.phase("wait"):
                answer = self._ask(connection, request)
        finally:
            self.rtt = self.watch.elapsed()
        return self.build_response(request, answer)

    def body(self, response: Response, cap: int) -> bytes:
        """Read the decoded body, at most ``cap`` bytes of it.

        Raises:
            Failed: it broke off, or was not complete in time.
        """
        assert self._sock  # noqa: S101 - the response came from it
        self._sock.deadline = self._limits.whole
        try:
            with self.watch.phase("transfer"):
                return read_body(response.raw, cap)
        except HTTPError as error:
            late = f"body not finished after {self.watch}"
            failed = answer_failure(error.__cause__ or error, late)
            raise Failed(failed.failure, f"reading response body: {failed}") from error

    def close(self) -> None:
        """Close the connection."""
        for closable in (self._answer, self._sock):
            if closable:
                closable.close()

    def _connect(self, url: SplitResult, context: ssl.SSLContext | None) -> HTTPConnection:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        limits = self._limits
        self._sock = open_connection(host, port, limits.phase(limits.connect), self.watch)
        if context:
            self._sock, self.certificate_expiry = start_tls(
                self._sock, context, host, limits.phase(limits.tls), self.watch
            )
        self._sock.deadline = limits.phase(limits.headers)
        connection = HTTPConnection(host, port)
        connection.response_class = Answer
        connection.sock = self._sock
        return connection

    def _ask(self, connection: HTTPConnection, request: PreparedRequest) -> DecodingResponse:
        try:
            connection.putrequest(
                str(request.method), request.path_url, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            answer = connection.getresponse()
        except (HTTPException, OSError) as error:
            raise answer_failure(error, f"no response headers after {self.watch}") from error
        self._answer = DecodingResponse(
            answer,
            headers=HTTPHeaderDict(answer.headers.items()),
            status=answer.status,
            reason=answer.reason,
            request_method=request.method,
            preload_content=False,
            original_response=answer,
        )
        return self._answer
