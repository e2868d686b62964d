"""One HTTP request and its response, on a new connection, measured and under deadlines.

Responses are read by our own parser, from a stream that waits in an event loop.
"""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address, ip_network
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from msgspec import Struct, field

from checkup.checkers.certificates import Validity
from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.checkers.http_parser import BodyDecoder, Data, Event, Head, ResponseParser
from checkup.checkers.stream import NetworkStream, open_stream
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network

FROM_ENVIRONMENT: Final = "env"

_PORTS: Final = {"http": 80, "https": 443}


def response_failure(error: OSError, late: str) -> CheckFailedError:
    """Translate an error while waiting for a response or reading it.

    Args:
        late: the message for a response that was not complete in time.

    Raises:
        CheckUnknownError: the cause is this machine.
    """
    if isinstance(error, TimeoutError):
        return CheckFailedError("deadline", late)
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    return from_os_error(error)


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
    from urllib.request import getproxies_environment  # slow to import

    parts = urlsplit(url)
    proxies = getproxies_environment()
    if bypasses_proxy(
        socket_host(parts), parts.port or _PORTS[parts.scheme], proxies.get("no", "")
    ):
        return None
    found = proxies.get(parts.scheme) or proxies.get("all")
    return parse_proxy(found if "://" in found else f"http://{found}") if found else None


def bypasses_proxy(host: str, port: int, rules: str) -> bool:
    """Whether NO_PROXY exempts a host, by the rules of curl and Go.

    Args:
        rules: ``*`` for all, or names, which include their subdomains, addresses and networks
            (``10.0.0.0/8``), after commas or spaces, some with a port.
    """
    name = host.rstrip(".").lower()
    if is_loopback(host):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        address = None
    for rule in rules.lower().replace(",", " ").split():
        if rule == "*":
            return True
        if "/" not in rule or rule.rpartition("/")[2].isdecimal():  # no masks such as 255.0.0.0
            with suppress(ValueError):
                network = ip_network(rule.strip("[]"), strict=False)
                if address and address in network:
                    return True
                continue
        exempt, colon, only_port = rule.rpartition(":")
        if not colon or not only_port.isdecimal():
            exempt = rule
        elif int(only_port) != port:
            continue
        exempt = exempt.strip("[]").removeprefix("*").strip(".")
        if exempt and (name == exempt or (not address and name.endswith(f".{exempt}"))):
            return True
    return False


def is_loopback(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    name = host.rstrip(".").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def socket_host(parts: SplitResult) -> str:
    """The host of a URL as the system takes it: the zone of an address is not escaped there.

    RFC 6874 has ``[fe80::1%25eth0]`` in URLs.
    """
    host = parts.hostname or ""
    return host.replace("%25", "%", 1) if ":" in host else host


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


async def open_tunnel(stream: NetworkStream, proxy: Proxy, host: str, port: int) -> None:
    """Open a tunnel to a host through the proxy that ``stream`` leads to (RFC 9110, 9.3.6).

    Raises:
        CheckFailedError: the proxy cannot reach the host.
        CheckUnknownError: the proxy failed, or rejects the credentials.
    """
    name = f"[{host}]" if ":" in host else host
    credentials = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    target = f"{name}:{port}"
    question = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n"
    reader = _Reader(stream, "CONNECT")
    try:
        await stream.write(question.encode("latin-1"))
        head = await reader.head()
    except OSError as error:
        failed = response_failure(error, "no response in time")
        raise CheckUnknownError("proxy", f"proxy: {failed}") from error
    except CheckFailedError as failed:
        raise CheckUnknownError("proxy", f"proxy: {failed}") from failed
    check_proxy_status(head.status)
    if head.status // 100 != 2:  # noqa: PLR2004 - any success
        raise CheckFailedError(
            "proxy_refused", f"the proxy cannot reach the server (status {head.status})"
        )
    if reader.parser.unread:  # under TLS the client speaks first
        raise CheckUnknownError("proxy", "proxy: the response to CONNECT has a body")


class _Reader:
    """Reads the events of a response from a stream."""

    def __init__(self, stream: NetworkStream, method: str) -> None:
        self.stream = stream
        self.parser = ResponseParser(method)

    async def event(self) -> Event:
        while (event := self.parser.next_event()) is None:
            self.parser.feed(await self.stream.read())
        return event

    async def head(self) -> Head:
        head = await self.event()
        assert isinstance(head, Head)  # noqa: S101 - it is always the first
        return head


def check_proxy_status(status: int) -> None:
    """Check whether the proxy rejects the credentials.

    Raises:
        CheckUnknownError: it does.
    """
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        raise CheckUnknownError("proxy", "the proxy rejected the credentials")


class Request(Struct, frozen=True):
    """A request as it is sent.

    Attributes:
        url: quoted, and without user and fragment.
        headers: by their usual spelling, in order.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


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


class HttpExchange:
    """One request and its response, with its measurements.

    Attributes:
        rtt_ns: nanoseconds on the watch at the headers of the response, or at the failure.
        certificates: how long those of the server are valid.
    """

    def __init__(
        self, net: Network, timeouts: Timeouts, options: ConnectOptions, watch: Stopwatch
    ) -> None:
        self._net = net
        self._timeouts = timeouts
        self._options = options
        self._watch = watch
        self._stream: NetworkStream | None = None
        self._reader: _Reader | None = None
        self.certificates = Validity()
        self.tls_weakness = ""
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

    async def send(self, request: Request) -> Head:
        """Send the request and return the head of the response as soon as it is there.

        Raises:
            CheckFailedError: there was no response in time, or none that is HTTP.
            CheckUnknownError: local resources ran out.
        """
        try:
            stream = await self._connect(urlsplit(request.url))
            self._reader = _Reader(stream, request.method)
            with self._watch.phase("wait"):
                with suppress(ConnectionError):  # it may have answered before it had all
                    await stream.write(self._request_bytes(request))
                head = await self._reader.head()
        except OSError as error:
            raise response_failure(error, f"no response headers after {self._watch}") from error
        finally:
            self.rtt_ns = self._watch.elapsed_ns()
        if self._is_forwarded:
            check_proxy_status(head.status)
        return head

    async def iter_content(self, head: Head, max_bytes: int) -> AsyncIterator[bytes]:
        """Yield the decoded body in pieces, at most ``max_bytes`` of it.

        Raises:
            CheckFailedError: it broke off, or was not complete in time.
            CheckUnknownError: it has a coding that is not supported here.
        """
        assert self._reader  # noqa: S101 - the head came from it
        self._reader.stream.deadline = self._timeouts.total
        try:
            with self._watch.phase("transfer"):
                decoder = BodyDecoder(head.codings, max_bytes)
                while not decoder.is_full and isinstance(event := await self._reader.event(), Data):
                    for piece in decoder.decode(event.content):
                        yield piece
                        await self._net.turn()
                if not decoder.is_full:
                    decoder.finish()
        except OSError as error:
            failed = response_failure(error, f"body not finished after {self._watch}")
            raise CheckFailedError(failed.failure, f"reading response body: {failed}") from error
        except CheckFailedError as failed:
            raise CheckFailedError(failed.failure, f"reading response body: {failed}") from failed

    def close(self) -> None:
        """Close the connection."""
        if self._stream:
            self._stream.close()

    @property
    def _is_forwarded(self) -> bool:
        """Whether a proxy reads the request, and does not merely pass bytes on."""
        return self._options.proxy is not None and self._options.tls_context is None

    async def _connect(self, url: SplitResult) -> NetworkStream:
        host, port = socket_host(url), url.port or _PORTS[url.scheme]
        options, timeouts = self._options, self._timeouts
        stream = await self._open(host, port, timeouts.phase_deadline(timeouts.connect))
        if options.tls_context:
            stream.deadline = timeouts.phase_deadline(timeouts.tls)
            name = options.server_name or host.partition("%")[0]
            self.certificates = await stream.start_tls(
                options.tls_context, name, is_write_next=True
            )
            self.tls_weakness = stream.tls_weakness()
        stream.deadline = timeouts.phase_deadline(timeouts.headers)
        return stream

    async def _open(self, host: str, port: int, deadline: Deadline) -> NetworkStream:
        proxy, family = self._options.proxy, self._options.address_family
        address = (proxy.host, proxy.port) if proxy else (host, port)
        try:
            stream = await open_stream(self._net, address, deadline, self._watch, family)
        except CheckFailedError as failed:
            if proxy:
                raise CheckUnknownError("proxy", f"proxy: {failed}") from failed
            raise
        self._stream = stream  # to be closed, whatever happens
        if proxy and self._options.tls_context:
            with self._watch.phase("connect"):
                await open_tunnel(stream, proxy, host, port)
        return stream

    def _request_bytes(self, request: Request) -> bytes:
        target = request.url
        if not self._is_forwarded:
            parts = urlsplit(target)
            target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        lines = [f"{request.method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if self._is_forwarded and self._options.proxy and self._options.proxy.authorization:
            lines.append(f"Proxy-Authorization: {self._options.proxy.authorization}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
