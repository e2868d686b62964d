"""Proxies over HTTP, for those who ask for one."""

from __future__ import annotations

import base64
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from msgspec import Struct
from requests.utils import get_environ_proxies, select_proxy

from checkup.checkers.answers import Answer, answer_failure
from checkup.checkers.failures import Failed
from checkup.checkers.sockets import BoundedSocket
from checkup.errors import CannotTell

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
        CannotTell: it is no proxy over HTTP.
    """
    if setting != FROM_ENVIRONMENT:
        return read_proxy(setting) if setting else None
    if _is_loopback(urlsplit(url).hostname or ""):
        return None
    found = select_proxy(url, get_environ_proxies(url))
    return read_proxy(found if "://" in found else f"http://{found}") if found else None


def read_proxy(url: str) -> Proxy:
    """Take the URL of a proxy apart.

    Raises:
        CannotTell: it is none, or not one over HTTP.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _unusable() from error
    if parts.scheme != "http" or not host:
        raise _unusable()
    return Proxy(host, port or 80, basic(parts))


def basic(parts: SplitResult) -> str:
    """Return the Basic credentials in a URL as a header's value; empty if there are none."""
    userinfo, at, _ = parts.netloc.rpartition("@")
    if not at:
        return ""
    user, _, password = userinfo.partition(":")
    return basic_authorization(unquote_to_bytes(user), unquote_to_bytes(password))


def basic_authorization(user: bytes, password: bytes) -> str:
    """Return the header's value of RFC 7617."""
    return "Basic " + base64.b64encode(user + b":" + password).decode()


def open_tunnel(sock: BoundedSocket, proxy: Proxy, host: str, port: int) -> None:
    """Ask the proxy at the other end of ``sock`` for a way to a host (RFC 9110, 9.3.6).

    Raises:
        Failed: it has none.
        CannotTell: it does not let us ask.
    """
    name = f"[{host}]" if ":" in host else host
    credentials = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    target = f"{name}:{port}"
    question = f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{credentials}\r\n"
    answer = Answer(sock, method="CONNECT")
    try:
        sock.sendall(question.encode("latin-1"))
        answer.begin()
    except (HTTPException, OSError) as error:
        failed = answer_failure(error, "no answer in time")
        raise CannotTell("proxy", f"the proxy: {failed}") from error
    finally:
        answer.close()
    expect_proxy_lets_us(answer.status)
    if answer.status // 100 != 2:  # noqa: PLR2004 - any success
        raise Failed("proxy_refused", f"the proxy found no way there (status {answer.status})")


def expect_proxy_lets_us(status: int) -> None:
    """See that the proxy does not want other credentials.

    Raises:
        CannotTell: it does.
    """
    if status == 407:  # noqa: PLR2004 - Proxy Authentication Required
        raise CannotTell("proxy", "the proxy wants other credentials")


def _is_loopback(host: str) -> bool:
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable() -> CannotTell:
    return CannotTell("config", "only a proxy at http://host:port can be used")
