"""Builds the request that a checker sends, and knows what in it is secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from requests import PreparedRequest
from requests.exceptions import RequestException

from checkup import __version__
from checkup.checkers.address import parse_http_url
from checkup.checkers.proxies import url_credentials
from checkup.errors import CheckUnknownError

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
