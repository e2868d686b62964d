"""Judges addresses as Go's net/url and net.SplitHostPort do, so that the verdicts agree."""

from __future__ import annotations

import re
import socket
from urllib.parse import SplitResult, urlsplit

from checkup.checkers.failures import CheckFailedError
from checkup.errors import CheckUnknownError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_COLON_FIRST = re.compile(r"[^/?#]*:")
_NEVER = re.compile(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")
_HOST_PORT = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*):([^:\[\]]*)")
_HIGHEST_PORT = 65535


def parse_http_url(url: str) -> SplitResult:
    """Take the URL of a web server apart; the result has a host, and a port or None.

    Raises:
        CheckUnknownError: it is no URL; the Go program refuses to run with it.
        CheckFailedError: it is a URL and not one of a web server.
    """
    scheme = _SCHEME.match(url)
    if _NEVER.search(url) or (not scheme and _COLON_FIRST.match(url)):
        raise _unusable()
    if not scheme or scheme[1].lower() not in {"http", "https"}:
        found = scheme[1].lower() if scheme else ""
        raise CheckFailedError("address", f'unsupported protocol scheme "{found}"')
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable() from error
    if not host:
        raise CheckFailedError("address", "no host in the URL")
    return parts


def split_host_port(address: str) -> tuple[str, int]:
    """Take ``host:port`` apart; an IPv6 host stands in brackets, a service's name is a port.

    Raises:
        CheckFailedError: there is no port, or no such one.
    """
    parts = _HOST_PORT.fullmatch(address)
    if not parts:
        raise CheckFailedError("address", "missing port in address; write it as host:port")
    return parts[1].strip("[]"), _port(parts[2])


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= _HIGHEST_PORT:
        return int(text)
    try:
        return socket.getservbyname(text, "tcp")
    except OSError as error:
        raise CheckFailedError("address", "no such port") from error


def _unusable() -> CheckUnknownError:
    return CheckUnknownError("config", "the URL cannot be read; write it as http://host/path")
