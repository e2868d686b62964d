"""One HTTP exchange: requests' and urllib3's semantics over a connection of our own.

The adapter opens a new connection for each request, measures its phases, and keeps it to its
deadlines from below: whatever requests, urllib3 and http.client do, they do it through a
socket that does not outlast them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse as DecodingResponse
from urllib3.exceptions import HTTPError

from checkup.checkers.answers import FinalResponse, decoded_response, iter_body, response_failure
from checkup.checkers.connection import open_connection, start_tls
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.proxies import Proxy, check_proxy_status, open_tunnel
from checkup.checkers.sockets import DeadlineSocket, DeadlineTLSSocket
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError

_PORTS = {"http": 80, "https": 443}


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long an exchange may last: as a whole, and the seconds of three of its phases."""

    whole: Deadline
    connect: float | None = None
    tls: float | None = None
    headers: float | None = None

    def phase(self, seconds: float | None) -> Deadline:
        """Return the deadline of a phase that begins now."""
        return self.whole if seconds is None else self.whole.within(seconds)


class ConnectOptions(Struct, frozen=True, kw_only=True):
    """How to get to a server.

    Attributes:
        context: for TLS; None for a URL that has none.
        family: which addresses to use.
        server_name: to ask and verify for instead of the host's; empty for the host's.
        proxy: to go through; None for none.
    """

    context: ssl.SSLContext | None = None
    family: socket.AddressFamily = socket.AF_UNSPEC
    server_name: str = ""
    proxy: Proxy | None = None


class HttpExchange(HTTPAdapter):
    """An adapter for exactly one request, and what was measured on its way.

    Attributes:
        rtt: nanoseconds on the watch at the headers of the answer, or at the failure.
        certificate_expiry: when the server's certificate ends; 0 if there was none.
    """

    def __init__(self, limits: Timeouts, way: ConnectOptions, watch: Stopwatch) -> None:
        super().__init__()
        self._limits = limits
        self._way = way
        self._watch = watch
        self._sock: DeadlineSocket | DeadlineTLSSocket | None = None
        self._answer: DecodingResponse | None = None
        self.certificate_expiry = 0
        self.rtt = 0

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
            CheckFailedError: there was no answer in time, or none that is HTTP.
            CheckUnknownError: for want of local resources.
        """
        try:
            connection = self._connect(urlsplit(str(request.url)))
            with self._watch.phase("wait"):
                answer = self._ask(connection, request)
        finally:
            self.rtt = self._watch.elapsed()
        if self._is_forwarded:
            check_proxy_status(answer.status)
        return self.build_response(request, answer)

    def body(self, response: Response, cap: int) -> Iterator[bytes]:
        """Yield the decoded body in pieces, at most ``cap`` bytes of it.

        Raises:
            CheckFailedError: it broke off, or was not complete in time.
        """
        assert self._sock  # noqa: S101 - the response came from it
        self._sock.deadline = self._limits.whole
        try:
            with self._watch.phase("transfer"):
                yield from iter_body(response.raw, cap)
        except (HTTPError, ValueError) as error:  # the latter for a chunk of negative size
            late = f"body not finished after {self._watch}"
            failed = response_failure(error.__cause__ or error, late)
            raise CheckFailedError(failed.failure, f"reading response body: {failed}") from error

    def close(self) -> None:
        """Close the connection."""
        for closable in (self._answer, self._sock):
            if closable:
                closable.close()

    @property
    def _is_forwarded(self) -> bool:
        """Whether a proxy reads the request, and does not merely pass bytes on."""
        return self._way.proxy is not None and self._way.context is None

    def _connect(self, url: SplitResult) -> HTTPConnection:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        way, limits = self._way, self._limits
        self._sock = self._open(host, port, limits.phase(limits.connect))
        if way.context:
            self._sock, self.certificate_expiry = start_tls(
                self._sock,
                way.context,
                way.server_name or host,
                limits.phase(limits.tls),
                self._watch,
            )
        self._sock.deadline = limits.phase(limits.headers)
        connection = HTTPConnection(host, port)
        connection.response_class = FinalResponse
        connection.sock = self._sock
        return connection

    def _open(self, host: str, port: int, deadline: Deadline) -> DeadlineSocket:
        proxy, family = self._way.proxy, self._way.family
        if not proxy:
            return open_connection(host, port, deadline, self._watch, family)
        try:
            sock = open_connection(proxy.host, proxy.port, deadline, self._watch, family)
        except CheckFailedError as failed:
            raise CheckUnknownError("proxy", f"the proxy: {failed}") from failed
        if self._way.context:
            self._sock = sock  # to be closed, whatever happens
            with self._watch.phase("connect"):
                open_tunnel(sock, proxy, host, port)
        return sock

    def _ask(self, connection: HTTPConnection, request: PreparedRequest) -> DecodingResponse:
        target = str(request.url) if self._is_forwarded else request.path_url
        body = request.body
        try:
            connection.putrequest(
                str(request.method), target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)
            if self._is_forwarded and self._way.proxy and self._way.proxy.authorization:
                connection.putheader("Proxy-Authorization", self._way.proxy.authorization)
            connection.endheaders(body if isinstance(body, bytes) else None)
            answer = connection.getresponse()
        except (HTTPException, OSError) as error:
            raise response_failure(error, f"no response headers after {self._watch}") from error
        try:
            self._answer = decoded_response(answer, str(request.method))
        except HTTPError as error:
            answer.close()
            raise CheckFailedError(
                "protocol", "the headers of the answer contradict each other"
            ) from error
        return self._answer
