"""One request and the redirects that follow it, each on a new connection."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import SimpleNamespace, TracebackType
from typing import Any, Final, Self
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urljoin, urlsplit, urlunsplit

from msgspec.structs import replace

from checkup import __version__
from checkup.checkers.certificates import Validity, first_validity
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.http_client import (
    ConnectOptions,
    HttpExchange,
    Request,
    Timeouts,
    is_loopback,
    url_credentials,
)
from checkup.checkers.http_parser import Head, decode_text
from checkup.checkers.network import parse_http_url
from checkup.deadline import Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from checkup.text import quote_untrusted

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_INVALID: Final = re.compile(r"[\r\n\x00]")
_WITH_BODY: Final = {"POST", "PUT", "PATCH"}

_PUBLIC: Final = {"Host", "Connection", "User-Agent", "Accept", "Content-Type", "Content-Length"}
"""Headers whose values may be quoted."""

_HARMLESS: Final = {"accept", "accept-language", "accept-encoding", "connection", "user-agent"}
"""Headers that another server may get as well."""

_REDIRECT_STATUSES: Final = {300, 301, 302, 303, 307, 308}
"""curl follows 300 too (RFC 9110, section 15.4.1: its Location is the server's choice)."""

_IN_PATH: Final = "!$&'()*+,;=:@/%~"
_ESCAPE: Final = re.compile("%[0-9A-Fa-f]{2}")
_PLAIN: Final = re.compile("[A-Za-z0-9._~-]")

_AUTHORITY: Final = re.compile(rb"(?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://[^/?#]*)?")
_BAD_AGE: Final = re.compile(r";\s*max-age\s*=(?!\s*-?[0-9]+\s*(?:;|$))[^;]*", re.IGNORECASE)
"""Only http.cookiejar drops a cookie because of it."""

_PERCENT: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ZONE: Final = re.compile(r"(//(?:[^/?#@]*@)?\[[0-9A-Fa-f:.]+%)(?!25)")
"""The zone of an address as the system writes it; curl takes it in URLs too (RFC 6874: %25)."""

_ASCII: Final = "".join(map(chr, range(128)))


def build_request(
    url: str,
    headers: Mapping[str, tuple[str, ...]],
    *,
    method: str = "GET",
    body: str = "",
    authorization: str = "",
) -> Request:
    """Prepare a request.

    Args:
        headers: they override the headers that are derived from other settings.

    Raises:
        CheckUnknownError: it cannot be sent as it is configured.
        CheckFailedError: the URL is not an http or https URL.
    """
    parts = parse_http_url(_ZONE.sub(r"\g<1>25", url))
    sent = _sent_url(parts)
    request = Request(
        method,
        sent,
        {
            "Host": _host(urlsplit(sent)),
            "User-Agent": f"checkup/{__version__}",
            "Connection": "close",
        },
        body.encode(),
    )
    if authorization := authorization or url_credentials(parts):
        request.headers["Authorization"] = authorization
    if body or method in _WITH_BODY:
        request.headers["Content-Length"] = str(len(request.body))
    request.headers.update(_canonical_headers(headers))
    if _HEADER_INVALID.search(request.headers.get("Authorization") or ""):
        raise CheckUnknownError("config", "the credentials contain invalid characters")
    return request


def _sent_url(parts: SplitResult) -> str:
    """Return a URL as browsers ask for it: without user, fragment and dot segments, and quoted.

    Raises:
        CheckUnknownError: it has a host that cannot be.
    """
    host = parts.netloc.rpartition("@")[2]
    if parts.port is not None or host.endswith(":"):
        host = host.rpartition(":")[0]
    if host.startswith(("*", ".")):
        raise CheckUnknownError("config", "invalid URL")
    host = host if host.startswith("[") else host.lower()
    path = _without_dots(parts.path) if "/." in parts.path else parts.path or "/"
    netloc = f"{host}:{parts.port}" if parts.port else host
    query = f"?{_quoted(parts.query, _IN_PATH + '?')}" if parts.query else ""
    return f"{parts.scheme}://{netloc}{_quoted(path, _IN_PATH)}{query}"


def _without_dots(path: str) -> str:
    """Return a path without its segments ``.`` and ``..`` (RFC 3986, section 5.2.4)."""
    kept: list[str] = []
    for segment in path.split("/")[1:]:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if path.endswith(("/.", "/..")):
        kept.append("")
    return "/" + "/".join(kept)


def _quoted(text: str, safe: str) -> str:
    """Quote what a path or a query may not have, and spell escapes in one way (RFC 3986, 6.2.2)."""

    def spell(match: re.Match[str]) -> str:
        letter = chr(int(match[0][1:], 16))
        return letter if _PLAIN.fullmatch(letter) else match[0].upper()

    return quote(_ESCAPE.sub(spell, text), safe=safe)


def request_secrets(request: Request, *urls: str) -> tuple[str, ...]:
    """Return the values of a request that no message may quote from a response.

    Args:
        urls: the configured URLs, whose queries and passwords are such values.
    """
    texts = []
    for parts in (urlsplit(url) for url in urls if "?" in url or "@" in url):
        texts += [value for _, value in parse_qsl(parts.query)]
        texts += [unquote(parts.password or ""), parts.password or ""]
    for name, value in request.headers.items():
        if name not in _PUBLIC:
            texts += [value, *value.split()[1:]]
    texts.append(request.body.decode())
    return tuple(text for text in texts if text)


def _canonical_headers(headers: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for name, values in headers.items():
        spelling = "-".join(part.capitalize() for part in name.split("-"))  # as Go canonicalises
        used = values[:1] if spelling == "Host" else values
        if spelling == "Host" and not any(used):
            continue
        value = ", ".join(used)
        if not _HEADER_NAME.fullmatch(name) or _HEADER_INVALID.search(value):
            raise CheckUnknownError("config", "a header has an invalid name or value")
        yield spelling, value.encode().decode("latin-1")  # goes over the wire as UTF-8


class HttpSession:
    """The exchanges of one attempt.

    Attributes:
        stopwatch: the phases of all exchanges so far; it starts with the first one.
    """

    def __init__(
        self,
        net: Network,
        timeouts: Timeouts,
        connect_options: Callable[[SplitResult, bool], Awaitable[ConnectOptions]],
        secrets: Sequence[str],
    ) -> None:
        """Create a session; nothing is sent yet.

        Args:
            connect_options: returns how to connect for a URL; the second argument is whether it
                has the origin of the first URL.
            secrets: values that no message may quote from a response.
        """
        self._net = net
        self._timeouts = timeouts
        self._connect_options = connect_options
        self._secrets = secrets
        self._exchanges: list[HttpExchange] = []
        self._cookies: Cookies | None = None
        self._open = ExitStack()
        self.stopwatch = Stopwatch(net.clock_ns)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._open.close()

    @property
    def rtt(self) -> int:
        """Nanoseconds until the headers of the last response, or until the failure."""
        return self._exchanges[-1].rtt_ns if self._exchanges else 0

    @property
    def certificates(self) -> Validity:
        """How long the certificates of all exchanges are valid."""
        return first_validity([exchange.certificates for exchange in self._exchanges])

    @property
    def tls_weakness(self) -> str:
        """What is weak about TLS in one of the exchanges; empty if nothing is."""
        return next(filter(None, (exchange.tls_weakness for exchange in self._exchanges)), "")

    async def send(self, request: Request, max_redirects: int) -> Head:
        """Send the request, follow up to ``max_redirects``, and return the last response's head.

        Cookies of the responses are sent on, as by browsers.

        Raises:
            CheckFailedError: no HTTP response came in time, or a redirect must not be followed.
            CheckUnknownError: local resources ran out.
        """
        origin = _origin(request.url)
        head = await self._exchange(request, same_origin=True)
        for _ in range(max_redirects):
            target = _target(request, head)
            if not target:
                return head
            shown = quote_untrusted(target, self._secrets)
            try:
                if head.values("Set-Cookie"):
                    self._cookies = self._cookies or Cookies()
                    self._cookies.store(request, head)
                request = _redirected(request, head, target)
                same_origin = _origin(request.url) == origin
                asked = self._cookies.add_to(request) if self._cookies else request
                head = await self._exchange(asked, same_origin=same_origin)
            except CheckFailedError as failed:
                raise CheckFailedError(
                    failed.failure, f"redirected to {shown}: {failed}"
                ) from failed
        if max_redirects and _target(request, head):
            raise CheckFailedError("redirect_limit", f"redirected more than {max_redirects} times")
        return head

    def iter_content(self, head: Head, max_bytes: int) -> AsyncIterator[bytes]:
        """Yield the body of the last response; see :meth:`HttpExchange.iter_content`."""
        return self._exchanges[-1].iter_content(head, max_bytes)

    async def _exchange(self, request: Request, *, same_origin: bool) -> Head:
        options = await self._connect_options(urlsplit(request.url), same_origin)
        if not self._exchanges:
            self.stopwatch = Stopwatch(self._net.clock_ns)  # preparing a context is no round trip
        exchange = self._open.enter_context(
            HttpExchange(self._net, self._timeouts, options, self.stopwatch)
        )
        self._exchanges.append(exchange)
        try:
            return await exchange.send(request)
        except CheckUnknownError as reason:
            if reason.failure == "address_refused" and len(self._exchanges) > 1:
                raise CheckFailedError(reason.failure, str(reason)) from reason
            raise


class Cookies:
    """The cookies of one attempt, by the rules of http.cookiejar.

    That is slow to import, and few attempts need it.
    """

    def __init__(self) -> None:
        from http.cookiejar import CookieJar

        self._jar = CookieJar()

    def store(self, request: Request, head: Head) -> None:
        """Store the cookies of a response."""
        from http.client import HTTPMessage

        message = HTTPMessage()
        for value in head.values("Set-Cookie"):
            cookie = value.decode("latin-1")  # is sent back byte for byte
            message["Set-Cookie"] = _BAD_AGE.sub("", cookie)
        response: Any = SimpleNamespace(info=lambda: message)
        self._jar.extract_cookies(response, self._asking(request))

    def add_to(self, request: Request) -> Request:
        """Return the request with the cookies for its URL; they replace configured ones."""
        from http.cookiejar import DefaultCookiePolicy

        # Curl and browsers send secure cookies to this machine itself.
        is_own = is_loopback(urlsplit(request.url).hostname or "")
        secure = ("http", "https") if is_own else ("https",)
        self._jar.set_policy(DefaultCookiePolicy(secure_protocols=secure))
        asking = self._asking(request)
        self._jar.add_cookie_header(asking)
        received = asking.unredirected_hdrs.get("Cookie", "")
        names = {pair.partition("=")[0].strip() for pair in received.split(";")}
        pairs = [pair.strip() for pair in request.headers.get("Cookie", "").split(";")]
        kept = [pair for pair in pairs if pair and pair.partition("=")[0] not in names]
        headers = {name: value for name, value in request.headers.items() if name != "Cookie"}
        if cookies := "; ".join([*kept, *filter(None, [received])]):
            headers["Cookie"] = cookies
        return replace(request, headers=headers)

    def _asking(self, request: Request) -> Any:
        """Return the request as http.cookiejar takes it; its host is what the header has."""
        from urllib.request import Request as UrllibRequest

        parts = urlsplit(request.url)
        url = urlunsplit(parts._replace(netloc=request.headers["Host"]))
        return UrllibRequest(url)  # noqa: S310 - nothing is opened


def _target(request: Request, head: Head) -> str:
    """Return the target of a redirect; empty if the response is not a redirect.

    Raises:
        CheckFailedError: the target is not a URL.
    """
    locations = head.values("Location")
    if head.status not in _REDIRECT_STATUSES or not locations or not locations[0]:
        return ""
    # Bytes that are not ASCII stay what they are, whatever their encoding, except in a host name.
    start = _AUTHORITY.match(locations[0])
    authority = start[0] if start else b""
    rest = locations[0].removeprefix(authority)
    location = decode_text(authority) + quote(_PERCENT.sub(b"%25", rest), safe=_ASCII)
    try:
        return urljoin(request.url, location)
    except ValueError as error:
        raise CheckFailedError("redirect_address", "redirected to an invalid URL") from error


def _redirected(request: Request, head: Head, target: str) -> Request:
    """Return the request that follows a redirect (RFC 9110, section 15.4).

    Raises:
        CheckFailedError: the redirect must not be followed.
    """
    try:
        parts = parse_http_url(target)
        url = _sent_url(parts)
    except CheckUnknownError as error:
        raise CheckFailedError("redirect_address", "invalid URL") from error
    if request.url.startswith("https:") and parts.scheme != "https":
        raise CheckFailedError("redirect_insecure", "downgrade from https to http")
    following = replace(request, url=url, headers=dict(request.headers))
    becomes_get = head.status in {302, 303} or (head.status == 301 and request.method == "POST")  # noqa: PLR2004
    if becomes_get and request.method not in {"GET", "HEAD"}:  # as browsers do
        headers = {
            name: value
            for name, value in following.headers.items()
            if name not in {"Content-Length", "Content-Type"}
        }
        following = replace(following, method="GET", body=b"", headers=headers)
    if _origin(url) != _origin(request.url):
        _remove_private_parts(following)
    return following


def _remove_private_parts(request: Request) -> None:
    """Remove the headers that only the first server may get."""
    if request.body:
        raise CheckFailedError("redirect_body", "the request body is not sent to another server")
    for name in list(request.headers):
        if name.lower() not in _HARMLESS:
            del request.headers[name]
    kept = dict(request.headers)
    request.headers.clear()
    request.headers.update({"Host": _host(urlsplit(request.url)), **kept})


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def _host(parts: SplitResult) -> str:
    """Return host and port as they are sent: without user and without the zone of an address."""
    host = parts.netloc.rpartition("@")[2]
    return re.sub(r"%[^\]]*\]", "]", host) if host.startswith("[") else host
