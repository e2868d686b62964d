"""Internationalised names: the host that curl connects to is the host that every checker uses."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from checkup.checkers.certificates import check_names
from checkup.checkers.dns import canonical_rdata, query_name
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.host_names import ascii_host
from checkup.checkers.http import HttpChecker
from checkup.checkers.network import parse_http_url, split_host_port
from checkup.checkers.tcp import TcpChecker
from checkup.checkers.tls import TlsChecker
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker
from tests.checkers.results import attempt_of
from tests.servers.certificates import Authority
from tests.servers.forge import leaf
from tests.servers.web import WebServer

LOOPBACK = "\uff11\uff12\uff17.0.0.1"
"""In fullwidth digits."""

NAMES = {
    "straße.test": "xn--strae-oqa.test",
    "faß.test": "xn--fa-hia.test",
    "σς.test": "xn--3xab.test",
    "BÜCHER.test": "xn--bcher-kva.test",
    "bücher.test.": "xn--bcher-kva.test.",
    "bü\u00adcher.test": "xn--bcher-kva.test",
    "u\u0308.test": "xn--tda.test",
    "💩.test": "xn--ls8h.test",
    "☃.test": "xn--n3h.test",
    "I♥NY.test": "xn--iny-zx5a.test",
    "√.test": "xn--19g.test",
    "👩\u200d🚀.test": "xn--rq8ho7a.test",
    "_dmarc.bücher.test": "_dmarc.xn--bcher-kva.test",
    "a_b.test": "a_b.test",
    "xn--bcher-kva.test": "xn--bcher-kva.test",
    "xn--zzzzzzzzz.test": "xn--zzzzzzzzz.test",
    "r3---sn-a.test": "r3---sn-a.test",
    "日本語\u3002\uff2a\uff30": "xn--wgv71a119e.jp",
    "א1ב.test": "xn--1-zhce.test",
    "1א.test": "xn--1-0hc.test",
    "\u0646\u200c\u0647.test": "xn--ihbc409q.test",
    "a\u200cb.test": "ab.test",
    "\u210c.test": "h.test",
    LOOPBACK: "127.0.0.1",
}
"""What is written, and the host that is meant; curl 7.88 with libidn2 2.3 agrees with all."""

NO_NAMES = ("\u202ea.test", "ü⒈.test", "ü" * 60 + ".test", "a℀b.test", "ü\ufffd.test")


@pytest.mark.parametrize("name", NAMES)
def test_names_are_mapped_as_by_browsers(name: str) -> None:
    assert ascii_host(name) == NAMES[name]


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_no_name_can_contain_is_an_error(name: str) -> None:
    with pytest.raises(ValueError, match="invalid host name"):
        ascii_host(name)


def test_emoji_and_hyphens_that_only_browsers_allow_are_allowed() -> None:
    assert ascii_host("bü-.test") == "xn--b--xka.test"
    assert ascii_host("ab--ü.test") == "xn--ab---3ra.test"


def hosts_curl_asks_for(names: list[str]) -> list[str]:
    """Return the hosts of the requests that curl sends to a proxy; one request a name."""
    hosts: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            while True:
                client, _ = proxy.accept()
                with client, client.makefile("rb") as lines:
                    target = lines.readline().split(b" ")[1].decode()
                    while lines.readline() not in {b"\r\n", b""}:
                        pass
                    if target.endswith("/stop"):
                        return
                    hosts.append(urlsplit(target).netloc)
                    client.sendall(b"HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n")

        thread = Thread(target=serve)
        thread.start()
        through = ["--proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}", "--noproxy", ""]
        urls = [f"http://{name}/" for name in names]
        command = ["curl", "-sS", *through, "--no-progress-meter"]
        locale = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        subprocess.run([*command, *urls], env=locale, check=True, timeout=60)
        subprocess.run([*command, "http://127.0.0.1/stop"], env=locale, check=False, timeout=60)
        thread.join(10)
    return hosts


def test_curl_asks_for_the_same_hosts() -> None:
    found = hosts_curl_asks_for(list(NAMES))

    assert dict(zip(NAMES, found, strict=True)) == NAMES


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://straße.test/", "xn--strae-oqa.test"),
        ("http://stra%C3%9Fe.test/", "xn--strae-oqa.test"),
        ("http://user:pä@💩.test:8080/", "user:pä@xn--ls8h.test:8080"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_host_of_a_url_is_in_ascii(url: str, host: str) -> None:
    assert parse_http_url(url).netloc == host


@pytest.mark.parametrize("host", ["a%2Fb", "a%40b", "%5B::1%5D", "a%00b", "%FF.test", "ü⒈"])
def test_url_with_an_impossible_host_is_invalid(host: str) -> None:
    with pytest.raises(CheckUnknownError, match="invalid URL"):
        parse_http_url(f"http://{host}/")


def test_host_and_port_are_returned_in_ascii() -> None:
    assert split_host_port("straße.test:443") == ("xn--strae-oqa.test", 443)
    with pytest.raises(CheckFailedError, match="invalid host name"):
        split_host_port("ü⒈.test:443")


def test_names_in_dns_follow_the_same_standard() -> None:
    assert str(query_name("straße.test", "A")) == "xn--strae-oqa.test."
    assert str(query_name(r"a\.b.💩.test", "A")) == r"a\.b.xn--ls8h.test."
    expected = canonical_rdata("10 xn--strae-oqa.test", "MX")
    assert canonical_rdata("10 straße.test", "MX") == expected
    with pytest.raises(CheckFailedError, match="invalid domain name"):
        query_name("ü⒈.test", "A")


KINDS: dict[Callable[..., Checker], dict[str, Any]] = {
    HttpChecker: {},
    TcpChecker: {"tls": True},
    TlsChecker: {},
}


@pytest.mark.parametrize("kind", KINDS)
def test_server_name_and_address_may_be_written_in_unicode(
    trusted: Authority, kind: Callable[..., Checker]
) -> None:
    with WebServer(trusted.named("xn--strae-oqa.test")) as web:
        address = web.url(host=LOOPBACK)
        if kind is not HttpChecker:
            address = address.removeprefix("https://").rstrip("/")
        named = kind(endpoint_url=address, server_name="straße.test", **KINDS[kind])
        misnamed = kind(endpoint_url=address, server_name="strasse.test", **KINDS[kind])

        assert attempt_of(named).error == ""
        assert attempt_of(misnamed).failure == "tls_wrong_host"


@pytest.mark.parametrize("location", ["http://{}:{}/up", "//{}:{}/up"])
def test_redirect_to_a_host_in_unicode_is_followed(web: WebServer, location: str) -> None:
    target = location.format(LOOPBACK, web.port)
    line = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(line.encode())

        thread = Thread(target=serve)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        attempt = attempt_of(HttpChecker(endpoint_url=url, follow_redirects=1))
        thread.join(10)

    assert attempt.error == ""
    assert f"Host: 127.0.0.1:{web.port}" in web.requests[0]


def test_expected_names_may_be_written_in_unicode() -> None:
    chain = [leaf(None, hosts=("xn--strae-oqa.test", "*.xn--bcher-kva.test")).der]

    check_names(chain, ["straße.test", "Straße.TEST.", "💩.bücher.test", "*.bücher.test"])
    with pytest.raises(CheckFailedError, match=r"certificate is not valid for 'strasse\.test'"):
        check_names(chain, ["strasse.test"])
    with pytest.raises(CheckUnknownError, match="'ü⒈' is not a host name"):
        check_names(chain, ["ü⒈"])
