"""Proxies over HTTP, for those who ask for one."""

from __future__ import annotations

import base64
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from msgspec import Struct
from requests.utils import get_environ_proxies, select_proxy

from checkup.checkers.answers import FinalResponse, response_failure
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.sockets import DeadlineSocket
from checkup.errors import CheckUnknownError

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
