"""One request and the redirects that follow it, each on a new connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self
from urllib.parse import SplitResult, parse_qsl, unquote, urljoin, urlsplit, urlunsplit

from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from requests.sessions import SessionRedirectMixin
from requests.utils import requote_uri

from checkup import __version__
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.http_client import ConnectOptions, HttpExchange, Timeouts, url_credentials
from checkup.checkers.network import parse_http_url
from checkup.deadline import Stopwatch
from checkup.errors import CheckUnknownError
from checkup.text import quote_untrusted

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_INVALID: Final = re.compile(r"[\r\n\x00]")
_WITH_BODY: Final = {"POST", "PUT", "PATCH"}

_PUBLIC: Final = {"Host", "Connection", "User-Agent", "Accept", "Content-Type", "Content-Length"}
"""Headers whose values may be quoted."""

_HARMLESS: Final = {"accept", "accept-language", "accept-encoding", "connection", "user-agent"}
"""Headers that another server may get as well."""

_REDIRECTS: Final = SessionRedirectMixin()


def build_request(
    url: str,
    headers: Mapping[str, tuple[str, ...]],
    *,
    method: str = "GET",
    body: str = "",
    authorization: str = "",
) -> PreparedRequest:
    """Prepare a request; requests quotes the URL and encodes its host name.

    Args:
        headers: they override the headers that are derived from other settings.

    Raises:
        CheckUnknownError: it cannot be sent as it is configured.
        CheckFailedError: the URL is not an http or https URL.
    """
    parts = parse_http_url(url)
    request = PreparedRequest()
    request.prepare_method(method)
    request.prepare_headers({})
    try:
        netloc = parts.netloc.rpartition("@")[2]
        request.prepare_url(urlunsplit(parts._replace(netloc=netloc)), None)
    except (RequestException, ValueError) as error:
        raise CheckUnknownError("config", "invalid URL") from error
    request.headers["Host"] = urlsplit(str(request.url)).netloc
    request.headers["User-Agent"] = f"checkup/{__version__}"
    request.headers["Connection"] = "close"
    if authorization := authorization or url_credentials(parts):
        request.headers["Authorization"] = authorization
    if body or method in _WITH_BODY:
        request.body = body.encode()
        request.headers["Content-Length"] = str(len(request.body))
    request.headers.update(_canonical_headers(headers))
    if _HEADER_INVALID.search(request.headers.get("Authorization") or ""):
        raise CheckUnknownError("config", "the credentials contain invalid characters")
    return request


def request_secrets(request: PreparedRequest, *urls: str) -> tuple[str, ...]:
    """Return the values of a request that no message may quote from a response.

    Args:
        urls: the configured URLs, whose queries and passwords are such values.
    """
    texts = []
    for parts in map(urlsplit, urls):
        texts += [value for _, value in parse_qsl(parts.query)]
        texts += [unquote(parts.password or ""), parts.password or ""]
    for name, value in request.headers.items():
        if name not in _PUBLIC:
            texts += [value, *value.split()[1:]]
    if isinstance(request.body, bytes):
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
        timeouts: Timeouts,
        connect_options: Callable[[SplitResult, bool], ConnectOptions],
        secrets: Sequence[str],
    ) -> None:
        """Create a session; nothing is sent yet.

        Args:
            connect_options: returns how to connect for a URL; the second argument is whether it
                has the origin of the first URL.
            secrets: values that no message may quote from a response.
        """
        self._timeouts = timeouts
        self._connect_options = connect_options
        self._secrets = secrets
        self._exchanges: list[HttpExchange] = []
        self._open = ExitStack()
        self.stopwatch = Stopwatch()

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
    def certificate_expiry(self) -> int:
        """When the first certificate of all exchanges expires; 0 without TLS."""
        ends = (exchange.certificate_expiry_ns for exchange in self._exchanges)
        return min((end for end in ends if end), default=0)

    def send(self, request: PreparedRequest, max_redirects: int) -> Response:
        """Send the request, follow up to ``max_redirects``, and return the last response.

        Raises:
            CheckFailedError: no HTTP response came in time, or a redirect must not be followed.
            CheckUnknownError: local resources ran out.
        """
        origin = _origin(str(request.url))
        response = self._exchange(request, same_origin=True)
        for _ in range(max_redirects):
            target = _target(request, response)
            if not target:
                return response
            shown = quote_untrusted(target, self._secrets)
            try:
                request = _redirected(request, response, target)
                same_origin = _origin(str(request.url)) == origin
                response = self._exchange(request, same_origin=same_origin)
            except CheckFailedError as failed:
                raise CheckFailedError(
                    failed.failure, f"redirected to {shown}: {failed}"
                ) from failed
        if max_redirects and _target(request, response):
            raise CheckFailedError("redirect_limit", f"redirected more than {max_redirects} times")
        return response

    def iter_content(self, response: Response, max_bytes: int) -> Iterator[bytes]:
        """Yield the body of the last response; see :meth:`HttpExchange.iter_content`."""
        return self._exchanges[-1].iter_content(response, max_bytes)

    def _exchange(self, request: PreparedRequest, *, same_origin: bool) -> Response:
        options = self._connect_options(urlsplit(str(request.url)), same_origin)
        if not self._exchanges:
            self.stopwatch = Stopwatch()  # only now: preparing a context is no round trip
        exchange = self._open.enter_context(HttpExchange(self._timeouts, options, self.stopwatch))
        self._exchanges.append(exchange)
        try:
            return exchange.send(request)
        except CheckUnknownError as reason:
            if reason.failure == "address_refused" and len(self._exchanges) > 1:
                raise CheckFailedError(reason.failure, str(reason)) from reason
            raise


def _target(request: PreparedRequest, response: Response) -> str:
    """Return the target of a redirect; empty if the response is not a redirect.

    Raises:
        CheckFailedError: the target is not a URL.
    """
    try:
        target = _REDIRECTS.get_redirect_target(response)
        return urljoin(str(request.url), target) if target is not None else ""
    except ValueError as error:
        raise CheckFailedError("redirect_address", "redirected to an invalid URL") from error


def _redirected(request: PreparedRequest, response: Response, target: str) -> PreparedRequest:
    """Return the request that follows a redirect (RFC 9110, section 15.4).

    Raises:
        CheckFailedError: the redirect must not be followed.
    """
    before = urlsplit(str(request.url))
    following = request.copy()
    try:
        address = parse_http_url(requote_uri(target))
        following.prepare_url(address._replace(netloc=_host(address)).geturl(), None)
    except (CheckUnknownError, RequestException, ValueError) as error:
        raise CheckFailedError("redirect_address", "invalid URL") from error
    if before.scheme == "https" and address.scheme != "https":
        raise CheckFailedError("redirect_insecure", "downgrade from https to http")
    _REDIRECTS.rebuild_method(following, response)
    if following.method != request.method:
        following.body = None
        for name in ("Content-Length", "Content-Type"):
            following.headers.pop(name, None)
    if _origin(str(following.url)) != _origin(str(request.url)):
        _remove_private_parts(following)
    return following


def _remove_private_parts(request: PreparedRequest) -> None:
    """Remove the headers that only the first server may get."""
    if request.body:
        raise CheckFailedError("redirect_body", "the request body is not sent to another server")
    for name in list(request.headers):
        if name.lower() not in _HARMLESS:
            del request.headers[name]
    host = _host(urlsplit(str(request.url)))
    request.headers = type(request.headers)({"Host": host, **request.headers})


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
