"""One HTTP exchange: requests' and urllib3's semantics over a connection of our own.

The adapter opens a new connection for each request, measures its phases, and keeps it to its
deadlines from below: whatever requests, urllib3 and http.client do, they do it through a
socket that does not outlast them.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from http.client import (
    BadStatusLine,
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    RemoteDisconnected,
    parse_headers,
)
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from msgspec import Struct
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as DecodingResponse
from urllib3.exceptions import HTTPError

from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.network import DeadlineSocket, DeadlineTLSSocket, open_connection, start_tls
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError

# Reads what a server answers, and says what is wrong with it.


_MOST_INTERIM = 5
"""As in Go's net/http."""

_CHUNK = 65_536


class FinalResponse(HTTPResponse):
    """Passes over every interim answer (RFC 9110, 15.2); the base class knows only 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            if not _is_interim(status):
                return version, status, reason
            parse_headers(self.fp)
        raise CheckFailedError("protocol", "the server sends interim answers and no final one")


def _is_interim(status: int) -> bool:
    return 100 <= status < 200 and status != HTTPStatus.SWITCHING_PROTOCOLS  # noqa: PLR2004 - 1xx


def decoded_response(answer: HTTPResponse, method: str) -> DecodingResponse:
    """Return urllib3's view of the answer, which undoes the encodings of the body.

    Raises:
        urllib3.exceptions.HTTPError: it names two lengths.
    """
    return DecodingResponse(
        answer,
        headers=HTTPHeaderDict(answer.headers.items()),
        status=answer.status,
        reason=answer.reason,
        request_method=method,
        preload_content=False,
        original_response=answer,
    )


def iter_body(raw: DecodingResponse, max_bytes: int) -> Iterator[bytes]:
    """Yield a decoded body, at most ``cap`` bytes of it: a bomb is not unpacked any further.

    Raises:
        urllib3.exceptions.HTTPError: the body is broken, or the socket is.
    """
    left = max_bytes
    while left and (chunk := raw.read(min(_CHUNK, left), decode_content=True)):
        yield chunk
        left -= len(chunk)


def response_failure(error: BaseException, late: str) -> CheckFailedError:
    """Return what an error while an answer was awaited or read says of the target.

    Args:
        late: the sentence for an answer that was not complete in time.

    Raises:
        CheckUnknownError: it says something of this machine, or of the HTTP library's limits.
    """
    if isinstance(error, TimeoutError):
        return CheckFailedError("deadline", late)
    if isinstance(error, HTTPException):
        return _protocol_failure(error)
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    if isinstance(error, OSError):
        return from_os_error(error)
    return CheckFailedError("protocol", "the body is not encoded as its headers say")


def _protocol_failure(error: HTTPException) -> CheckFailedError:
    if isinstance(error, RemoteDisconnected):
        return CheckFailedError("empty_reply", "the server closed the connection without an answer")
    if isinstance(error, BadStatusLine):
        return CheckFailedError("protocol", "the answer is not HTTP")
    if isinstance(error, IncompleteRead):
        return CheckFailedError("short_body", "the body ended early")
    # 100 header lines and 65,536 bytes in one of them; neither can be changed.
    raise CheckUnknownError("client_limit", "the answer has more header lines than can be read")


# Proxies over HTTP, for those who ask for one.


FROM_ENVIRONMENT = "env"


class Proxy(Struct, frozen=True):
    """Where a proxy is, and what it wants to see.

    Attributes:
        authorization: the header's value; empty for none.
    """

    host: str
    port: int
    authorization: str


def proxy_for(url: str, setting: str) -> Proxy | None:
    """Return the proxy on the way to a URL, if there is one.

    Args:
        setting: a proxy's URL; or ``env`` for the one that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
            say, which is never asked for this machine itself, as in Go; or empty.

    Raises:
        CheckUnknownError: it is no proxy over HTTP.
    """
    if setting != FROM_ENVIRONMENT:
        return parse_proxy(setting) if setting else None
    if _is_loopback(urlsplit(url).hostname or ""):
        return None
    found = select_proxy(url, get_environ_proxies(url))
    return parse_proxy(found if "://" in found else f"http://{found}") if found else None


def parse_proxy(url: str) -> Proxy:
    """Take the URL of a proxy apart.

    Raises:
        CheckUnknownError: it is none, or not one over HTTP.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable() from error
    if parts.scheme != "http" or not host:
        raise _unusable()
    return Proxy(host, port or 80, url_credentials(parts))


def url_credentials(parts: SplitResult) -> str:
    """Return the Basic credentials in a URL as a header's value; empty if there are none."""
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at:
        return ""
    user, _, password = userinfo.partition(":")
    return basic_auth(unquote_to_bytes(user), unquote_to_bytes(password))


def basic_auth(user: bytes, password: bytes) -> str:
    """Return the header's value of RFC 7617."""
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def open_tunnel(sock: DeadlineSocket, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy at the other end of ``sock`` for a way to a host (RFC 9110, 9.3.6).

    Raises:
        CheckFailedError: it has none.
        CheckUnknownError: it does not let us ask.
    """
    name = f"[{host}]" if ":" in host else host
    credentials = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    target = f"{name}:{port}"
    question = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n"
    answer = FinalResponse(sock, method="CONNECT")
    try:
        sock.sendall(question.encode("latin-1"))
        answer.begin()
    except (HTTPException, OSError) as error:
        failed = response_failure(error, "no answer in time")
        raise CheckUnknownError("proxy", f"the proxy: {failed}") from error
    finally:
        answer.close()
    check_proxy_status(answer.status)
    if answer.status // 100 != 2:  # noqa: PLR2004 - any success
        raise CheckFailedError(
            "proxy_refused", f"the proxy found no way there (status {answer.status})"
        )


def check_proxy_status(status: int) -> None:
    """See that the proxy does not want other credentials.

    Raises:
        CheckUnknownError: it does.
    """
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        raise CheckUnknownError("proxy", "the proxy wants other credentials")


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable() -> CheckUnknownError:
    return CheckUnknownError("config", "only a proxy at http://host:port can be used")


_PORTS = {"http": 80, "https": 443}


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long an exchange may last: as a whole, and the seconds of three of its phases."""

    total: Deadline
    connect: float | None = None
    tls: float | None = None
    headers: float | None = None

    def phase_deadline(self, seconds: float | None) -> Deadline:
        """Return the deadline of a phase that begins now."""
        return self.total if seconds is None else self.total.within(seconds)


class ConnectOptions(Struct, frozen=True, kw_only=True):
    """How to get to a server.

    Attributes:
        tls_context: for TLS; None for a URL that has none.
        address_family: which addresses to use.
        server_name: to ask and verify for instead of the host's; empty for the host's.
        proxy: to go through; None for none.
    """

    tls_context: ssl.SSLContext | None = None
    address_family: socket.AddressFamily = socket.AF_UNSPEC
    server_name: str = ""
    proxy: Proxy | None = None


class HttpExchange(HTTPAdapter):
    """An adapter for exactly one request, and what was measured on its way.

    Attributes:
        rtt_ns: nanoseconds on the watch at the headers of the answer, or at the failure.
        certificate_expiry_ns: when the server's certificate ends; 0 if there was none.
    """

    def __init__(self, limits: Timeouts, way: ConnectOptions, watch: Stopwatch) -> None:
        super().__init__()
        self._limits = limits
        self._way = way
        self._watch = watch
        self._sock: DeadlineSocket | DeadlineTLSSocket | None = None
        self._answer: DecodingResponse | None = None
        self.certificate_expiry_ns = 0
        self.rtt_ns = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def init_poolmanager(self, *_: Any, **__: Any) -> None:
        """Keep no pool: a connection that is used again tests neither name, network nor TLS."""

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
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
            self.rtt_ns = self._watch.elapsed_ns()
        if self._is_forwarded:
            check_proxy_status(answer.status)
        return self.build_response(request, answer)

    def iter_content(self, response: Response, max_bytes: int) -> Iterator[bytes]:
        """Yield the decoded body in pieces, at most ``cap`` bytes of it.

        Raises:
            CheckFailedError: it broke off, or was not complete in time.
        """
        assert self._sock  # noqa: S101 - the response came from it
        self._sock.deadline = self._limits.total
        try:
            with self._watch.phase("transfer"):
                yield from iter_body(response.raw, max_bytes)
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
        return self._way.proxy is not None and self._way.tls_context is None

    def _connect(self, url: SplitResult) -> HTTPConnection:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        way, limits = self._way, self._limits
        self._sock = self._open(host, port, limits.phase_deadline(limits.connect))
        if way.tls_context:
            self._sock, self.certificate_expiry_ns = start_tls(
                self._sock,
                way.tls_context,
                way.server_name or host,
                limits.phase_deadline(limits.tls),
                self._watch,
            )
        self._sock.deadline = limits.phase_deadline(limits.headers)
        connection = HTTPConnection(host, port)
        connection.response_class = FinalResponse
        connection.sock = self._sock
        return connection

    def _open(self, host: str, port: int, deadline: Deadline) -> DeadlineSocket:
        proxy, family = self._way.proxy, self._way.address_family
        if not proxy:
            return open_connection(host, port, deadline, self._watch, family)
        try:
            sock = open_connection(proxy.host, proxy.port, deadline, self._watch, family)
        except CheckFailedError as failed:
            raise CheckUnknownError("proxy", f"the proxy: {failed}") from failed
        if self._way.tls_context:
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
