"""One request and the redirects that it leads to, each a connection of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self
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

# Builds the request that a checker sends, and knows what in it is secret.


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_NEVER = re.compile(r"[\r\n\x00]")
_WITH_BODY = {"POST", "PUT", "PATCH"}
_PUBLIC = {"Host", "Connection", "User-Agent", "Accept", "Content-Type", "Content-Length"}


def build_request(
    url: str,
    headers: Mapping[str, tuple[str, ...]],
    *,
    method: str = "GET",
    body: str = "",
    authorization: str = "",
) -> PreparedRequest:
    """Prepare the request: requests quotes the URL and encodes its host's name.

    Args:
        headers: they win over everything that is derived.

    Raises:
        CheckUnknownError: it cannot be sent as it is configured.
        CheckFailedError: the URL is not that of a web server.
    """
    parts = parse_http_url(url)
    request = PreparedRequest()
    request.prepare_method(method)
    request.prepare_headers({})
    try:
        netloc = parts.netloc.rpartition("@")[2]
        request.prepare_url(urlunsplit(parts._replace(netloc=netloc)), None)
    except (RequestException, ValueError) as error:
        raise CheckUnknownError("config", "the URL cannot be used as it is written") from error
    request.headers["Host"] = urlsplit(str(request.url)).netloc
    request.headers["User-Agent"] = f"checkup/{__version__}"
    request.headers["Connection"] = "close"
    if authorization := authorization or url_credentials(parts):
        request.headers["Authorization"] = authorization
    if body or method in _WITH_BODY:
        request.body = body.encode()
        request.headers["Content-Length"] = str(len(request.body))
    request.headers.update(_configured(headers))
    if _HEADER_NEVER.search(request.headers.get("Authorization") or ""):
        raise CheckUnknownError("config", "the credentials cannot be sent in a header")
    return request


def request_secrets(request: PreparedRequest, *urls: str) -> tuple[str, ...]:
    """Return what a server learns from the request and must not be quoted with.

    Args:
        urls: those of the configuration, with the credentials in them.
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


def _configured(headers: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for name, values in headers.items():
        spelling = "-".join(part.capitalize() for part in name.split("-"))  # as Go canonicalises
        used = values[:1] if spelling == "Host" else values
        if spelling == "Host" and not any(used):
            continue
        value = ", ".join(used)
        if not _HEADER_NAME.fullmatch(name) or _HEADER_NEVER.search(value):
            raise CheckUnknownError("config", "a header has a name or value that cannot be sent")
        yield spelling, value.encode().decode("latin-1")  # goes over the wire as UTF-8


_RULES = SessionRedirectMixin()

_HARMLESS = {"accept", "accept-language", "accept-encoding", "connection", "user-agent"}
"""Headers that another server may see as well."""


class HttpSession:
    """An attempt's way through the web.

    Attributes:
        stopwatch: the phases of all exchanges so far; it runs from the sending of the request.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        connect_options: Callable[[SplitResult, bool], ConnectOptions],
        secrets: Sequence[str],
    ) -> None:
        """Prepare for a visit.

        Args:
            connect_options: returns how to get to a URL; told whether it is on the first URL's
                server.
            secrets: not to be repeated, whatever a server answers.
        """
        self._limits = timeouts
        self._way_to = connect_options
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
        """Nanoseconds until the headers of the last answer, or until the failure."""
        return self._exchanges[-1].rtt_ns if self._exchanges else 0

    @property
    def certificate_expiry(self) -> int:
        """When the first of the certificates on the way ends; 0 if there was none."""
        ends = (exchange.certificate_expiry_ns for exchange in self._exchanges)
        return min((end for end in ends if end), default=0)

    def send(self, request: PreparedRequest, max_redirects: int) -> Response:
        """Send the request, follow at most so many redirects, and return the last answer.

        Raises:
            CheckFailedError: there was no answer in time, or none that is HTTP, or a redirect leads
                where nobody should follow.
            CheckUnknownError: for want of local resources.
        """
        home = _origin(str(request.url))
        response = self._exchange(request, is_home=True)
        for _ in range(max_redirects):
            target = _target(request, response)
            if not target:
                return response
            shown = quote_untrusted(target, self._secrets)
            try:
                request = _next(request, response, target)
                is_home = _origin(str(request.url)) == home
                response = self._exchange(request, is_home=is_home)
            except CheckFailedError as failed:
                raise CheckFailedError(
                    failed.failure, f"redirected to {shown}: {failed}"
                ) from failed
        if max_redirects and _target(request, response):
            raise CheckFailedError("redirect_limit", f"redirected more than {max_redirects} times")
        return response

    def iter_content(self, response: Response, cap: int) -> Iterator[bytes]:
        """Yield the last answer's body; see :meth:`Exchange.body`."""
        return self._exchanges[-1].iter_content(response, cap)

    def _exchange(self, request: PreparedRequest, *, is_home: bool) -> Response:
        way = self._way_to(urlsplit(str(request.url)), is_home)
        if not self._exchanges:
            self.stopwatch = Stopwatch()  # only now: preparing a context is no round trip
        exchange = self._open.enter_context(HttpExchange(self._limits, way, self.stopwatch))
        self._exchanges.append(exchange)
        try:
            return exchange.send(request)
        except CheckUnknownError as reason:
            if reason.failure == "address_refused" and len(self._exchanges) > 1:
                raise CheckFailedError(reason.failure, str(reason)) from reason
            raise


def _target(request: PreparedRequest, response: Response) -> str:
    """Return where a redirect leads, or an empty string if the answer is none.

    Raises:
        CheckFailedError: to what is no URL.
    """
    try:
        target = _RULES.get_redirect_target(response)
        return urljoin(str(request.url), target) if target is not None else ""
    except ValueError as error:
        raise CheckFailedError("redirect_address", "redirected to what is no URL") from error


def _next(request: PreparedRequest, response: Response, target: str) -> PreparedRequest:
    """Return the request that a redirect asks for (RFC 9110, section 15.4).

    Raises:
        CheckFailedError: it is not to be followed.
    """
    before = urlsplit(str(request.url))
    following = request.copy()
    try:
        address = parse_http_url(requote_uri(target))
        following.prepare_url(address._replace(netloc=_host(address)).geturl(), None)
    except (CheckUnknownError, RequestException, ValueError) as error:
        raise CheckFailedError("redirect_address", "not a URL") from error
    if before.scheme == "https" and address.scheme != "https":
        raise CheckFailedError("redirect_insecure", "from https to http")
    _RULES.rebuild_method(following, response)
    if following.method != request.method:
        _drop_body(following)
    if _origin(str(following.url)) != _origin(str(request.url)):
        _become_a_stranger(following)
    return following


def _become_a_stranger(request: PreparedRequest) -> None:
    """Leave out what is meant for the server that redirects to another one."""
    if request.body:
        raise CheckFailedError(
            "redirect_body", "what was to be sent is not meant for another server"
        )
    for name in list(request.headers):
        if name.lower() not in _HARMLESS:
            del request.headers[name]
    host = _host(urlsplit(str(request.url)))
    request.headers = type(request.headers)({"Host": host, **request.headers})


def _drop_body(request: PreparedRequest) -> None:
    request.body = None
    for name in ("Content-Length", "Content-Type"):
        request.headers.pop(name, None)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
