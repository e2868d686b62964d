"""One HTTP request and its response, on a new connection, measured and under deadlines.

The semantics of HTTP come from requests, urllib3 and http.client. The deadlines are enforced
below them: whatever they do, they do it through a socket that keeps a deadline.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
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
from typing import Any, Final, Self
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

FROM_ENVIRONMENT: Final = "env"

_PORTS: Final = {"http": 80, "https": 443}
_MAX_INTERIM: Final = 5
"""As in Go's net/http."""

_CHUNK: Final = 65_536


class FinalResponse(HTTPResponse):
    """Skips every interim response (RFC 9110, 15.2); the base class skips only 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            # 101 is a final response to what was never asked for.
            if status // 100 != 1 or status == HTTPStatus.SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self.fp)
        raise CheckFailedError("protocol", "the server sent only interim responses")


def decoded_response(answer: HTTPResponse, method: str) -> DecodingResponse:
    """Return urllib3's view of the response, which decodes the body.

    Raises:
        urllib3.exceptions.HTTPError: its headers give two lengths.
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
    """Yield a decoded body, at most ``max_bytes`` of it: a bomb is not unpacked any further.

    Raises:
        urllib3.exceptions.HTTPError: the body is broken, or the socket is.
    """
    left = max_bytes
    while left and (chunk := raw.read(min(_CHUNK, left), decode_content=True)):
        yield chunk
        left -= len(chunk)


def response_failure(error: BaseException, late: str) -> CheckFailedError:
    """Translate an error while waiting for a response or reading it.

    Args:
        late: the message for a response that was not complete in time.

    Raises:
        CheckUnknownError: the cause is this machine or a limit of the HTTP library.
    """
    if isinstance(error, TimeoutError):
        return CheckFailedError("deadline", late)
    if isinstance(error, HTTPException):
        return _protocol_failure(error)
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    if isinstance(error, OSError):
        return from_os_error(error)
    return CheckFailedError("protocol", "the body cannot be decoded")


def _protocol_failure(error: HTTPException) -> CheckFailedError:
    if isinstance(error, RemoteDisconnected):
        return CheckFailedError(
            "empty_reply", "the server closed the connection without a response"
        )
    if isinstance(error, BadStatusLine):
        return CheckFailedError("protocol", "the response is not HTTP")
    if isinstance(error, IncompleteRead):
        return CheckFailedError("short_body", "the body ended early")
    # 100 header lines and 65,536 bytes in one of them; neither can be changed.
    raise CheckUnknownError("client_limit", "the response has too many or too long headers")


class Proxy(Struct, frozen=True):
    """An HTTP proxy.

    Attributes:
        authorization: the value of the header Proxy-Authorization; empty for none.
    """

    host: str
    port: int
    authorization: str


def proxy_for(url: str, setting: str) -> Proxy | None:
    """Return the proxy for a URL, if there is one.

    Args:
        setting: the URL of a proxy; or ``env`` for HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which do
            not apply to this machine itself, as in Go; or empty for none.

    Raises:
        CheckUnknownError: it is not an HTTP proxy.
    """
    if setting != FROM_ENVIRONMENT:
        return parse_proxy(setting) if setting else None
    host = urlsplit(url).hostname or ""
    if host.rstrip(".").lower() == "localhost":
        return None
    with suppress(ValueError):  # most hosts are names, not addresses
        if ip_address(host).is_loopback:
            return None
    found = select_proxy(url, get_environ_proxies(url))
    return parse_proxy(found if "://" in found else f"http://{found}") if found else None


def parse_proxy(url: str) -> Proxy:
    """Parse the URL of a proxy.

    Raises:
        CheckUnknownError: it is not the URL of an HTTP proxy.
    """
    unusable = CheckUnknownError("config", "invalid proxy; write it as http://host:port")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise unusable from error
    if parts.scheme != "http" or not host:
        raise unusable
    return Proxy(host, port or 80, url_credentials(parts))


def url_credentials(parts: SplitResult) -> str:
    """The Basic credentials in a URL as the value of a header; empty if there are none."""
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at:
        return ""
    user, _, password = userinfo.partition(":")
    return basic_auth(unquote_to_bytes(user), unquote_to_bytes(password))


def basic_auth(user: bytes, password: bytes) -> str:
    """The value of a header for Basic authentication (RFC 7617)."""
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def open_tunnel(sock: DeadlineSocket, proxy: Proxy, host: str, port: int) -> None:
    """Open a tunnel to a host through the proxy that ``sock`` is connected to (RFC 9110, 9.3.6).

    Raises:
        CheckFailedError: the proxy cannot reach the host.
        CheckUnknownError: the proxy failed, or rejects the credentials.
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
        failed = response_failure(error, "no response in time")
        raise CheckUnknownError("proxy", f"proxy: {failed}") from error
    finally:
        answer.close()
    check_proxy_status(answer.status)
    if answer.status // 100 != 2:  # noqa: PLR2004 - any success
        raise CheckFailedError(
            "proxy_refused", f"the proxy cannot reach the server (status {answer.status})"
        )


def check_proxy_status(status: int) -> None:
    """Check whether the proxy rejects the credentials.

    Raises:
        CheckUnknownError: it does.
    """
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        raise CheckUnknownError("proxy", "the proxy rejected the credentials")


class Timeouts(Struct, frozen=True, kw_only=True):
    """How long an exchange may take: in total, and the seconds of three phases."""

    total: Deadline
    connect: float | None = None
    tls: float | None = None
    headers: float | None = None

    def phase_deadline(self, seconds: float | None) -> Deadline:
        """The deadline of a phase that begins now."""
        return self.total if seconds is None else self.total.within(seconds)


class ConnectOptions(Struct, frozen=True, kw_only=True):
    """How to connect to a server.

    Attributes:
        tls_context: None for plain HTTP.
        address_family: which addresses to use.
        server_name: for SNI and verification; empty for the host of the URL.
        proxy: None for a direct connection.
    """

    tls_context: ssl.SSLContext | None = None
    address_family: socket.AddressFamily = socket.AF_UNSPEC
    server_name: str = ""
    proxy: Proxy | None = None


class HttpExchange(HTTPAdapter):
    """One request and its response, with its measurements.

    Attributes:
        rtt_ns: nanoseconds on the watch at the headers of the response, or at the failure.
        certificate_expiry_ns: when the first certificate of the chain expires; 0 without TLS.
    """

    def __init__(self, timeouts: Timeouts, options: ConnectOptions, watch: Stopwatch) -> None:
        super().__init__()
        self._timeouts = timeouts
        self._options = options
        self._watch = watch
        self._sock: DeadlineSocket | DeadlineTLSSocket | None = None
        self._response: DecodingResponse | None = None
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
        """Send the request and return the response as soon as its headers are there.

        What a session adds (verification, proxies, time limits, certificates) is not used.

        Raises:
            CheckFailedError: there was no response in time, or none that is HTTP.
            CheckUnknownError: local resources ran out.
        """
        try:
            connection = self._connect(urlsplit(str(request.url)))
            with self._watch.phase("wait"):
                response = self._request(connection, request)
        finally:
            self.rtt_ns = self._watch.elapsed_ns()
        if self._is_forwarded:
            check_proxy_status(response.status)
        return self.build_response(request, response)

    def iter_content(self, response: Response, max_bytes: int) -> Iterator[bytes]:
        """Yield the decoded body in pieces, at most ``max_bytes`` of it.

        Raises:
            CheckFailedError: it broke off, or was not complete in time.
        """
        assert self._sock  # noqa: S101 - the response came from it
        self._sock.deadline = self._timeouts.total
        try:
            with self._watch.phase("transfer"):
                yield from iter_body(response.raw, max_bytes)
        except (HTTPError, ValueError) as error:  # the latter for a chunk of negative size
            late = f"body not finished after {self._watch}"
            failed = response_failure(error.__cause__ or error, late)
            raise CheckFailedError(failed.failure, f"reading response body: {failed}") from error

    def close(self) -> None:
        """Close the connection."""
        for closable in (self._response, self._sock):
            if closable:
                closable.close()

    @property
    def _is_forwarded(self) -> bool:
        """Whether a proxy reads the request, and does not merely pass bytes on."""
        return self._options.proxy is not None and self._options.tls_context is None

    def _connect(self, url: SplitResult) -> HTTPConnection:
        host, port = url.hostname or "", url.port or _PORTS[url.scheme]
        options, timeouts = self._options, self._timeouts
        self._sock = self._open(host, port, timeouts.phase_deadline(timeouts.connect))
        if options.tls_context:
            self._sock, self.certificate_expiry_ns = start_tls(
                self._sock,
                options.tls_context,
                options.server_name or host,
                timeouts.phase_deadline(timeouts.tls),
                self._watch,
            )
        self._sock.deadline = timeouts.phase_deadline(timeouts.headers)
        connection = HTTPConnection(host, port)
        connection.response_class = FinalResponse
        connection.sock = self._sock
        return connection

    def _open(self, host: str, port: int, deadline: Deadline) -> DeadlineSocket:
        proxy, family = self._options.proxy, self._options.address_family
        if not proxy:
            return open_connection(host, port, deadline, self._watch, family)
        try:
            sock = open_connection(proxy.host, proxy.port, deadline, self._watch, family)
        except CheckFailedError as failed:
            raise CheckUnknownError("proxy", f"proxy: {failed}") from failed
        if self._options.tls_context:
            self._sock = sock  # to be closed, whatever happens
            with self._watch.phase("connect"):
                open_tunnel(sock, proxy, host, port)
        return sock

    def _request(self, connection: HTTPConnection, request: PreparedRequest) -> DecodingResponse:
        target = str(request.url) if self._is_forwarded else request.path_url
        body = request.body
        try:
            connection.putrequest(
                str(request.method), target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)
            if self._is_forwarded and self._options.proxy and self._options.proxy.authorization:
                connection.putheader("Proxy-Authorization", self._options.proxy.authorization)
            connection.endheaders(body if isinstance(body, bytes) else None)
            response = connection.getresponse()
        except (HTTPException, OSError) as error:
            raise response_failure(error, f"no response headers after {self._watch}") from error
        try:
            self._response = decoded_response(response, str(request.method))
        except HTTPError as error:
            response.close()
            raise CheckFailedError("protocol", "the response has contradictory headers") from error
        return self._response
