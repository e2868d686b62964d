"""A proxy is used by those who ask for one."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from checkup.checkers.http import HttpChecker
from checkup.checkers.http_client import bypasses_proxy, proxy_for
from checkup.errors import CheckUnknownError
from tests.checkers.results import GENEROUS, attempt_of, closed_port, result_of
from tests.servers.certificates import Authority
from tests.servers.proxy import ProxyServer
from tests.servers.web import WebServer


@pytest.fixture
def proxy(web: WebServer) -> Iterator[ProxyServer]:
    with ProxyServer(web.address) as server:
        yield server


def test_plain_request_goes_through_the_configured_proxy(
    web: WebServer, proxy: ProxyServer
) -> None:
    checker = HttpChecker(endpoint_url="http://site.test/body?text=1", proxy=proxy.url)

    attempt = attempt_of(checker)

    assert attempt.error == ""
    assert proxy.requests[0].startswith("GET http://site.test/body?text=1 HTTP/1.1\r\n")
    assert "Host: site.test\r\n" in web.requests[0]


def test_tls_goes_through_a_tunnel_to_the_server_itself(trusted: Authority) -> None:
    with WebServer(trusted.named("site.test")) as web, ProxyServer(web.address) as proxy:
        checker = HttpChecker(endpoint_url="https://site.test/", proxy=proxy.url, must_contain="up")
        attempt = attempt_of(checker)

    assert attempt.error == ""
    assert attempt.certificate_expiry
    assert proxy.requests[0].startswith("CONNECT site.test:443 HTTP/1.1\r\n")


def test_credentials_of_the_proxy_go_to_it_alone(trusted: Authority) -> None:
    for context, target in ((trusted.named("site.test"), "https"), (None, "http")):
        with WebServer(context) as server, ProxyServer(server.address) as proxy:
            url = proxy.url.replace("//", "//ada:p%40ss@")
            attempt_of(HttpChecker(endpoint_url=f"{target}://site.test/", proxy=url))

        assert "Proxy-Authorization: Basic YWRhOnBAc3M=\r\n" in proxy.requests[0]
        assert "\r\nAuthorization:" not in proxy.requests[0]
        if context:
            assert "Basic" not in server.requests[0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_environment_is_used_if_asked_for(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, proxy.url)

    attempt = attempt_of(HttpChecker(endpoint_url="http://site.test/", proxy="env"))

    assert attempt.error == ""
    assert len(proxy.requests) == 1


@pytest.mark.row("B24")
@pytest.mark.parametrize(
    "host", [pytest.param("127.0.0.1", id="loopback"), pytest.param("localhost", id="name")]
)
def test_loopback_is_never_reached_through_the_environments_proxy(
    web: WebServer, proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.delenv("NO_PROXY", raising=False)

    attempt = attempt_of(HttpChecker(endpoint_url=web.url(host=host), proxy="env"))

    assert attempt.error == ""
    assert proxy.requests == []


@pytest.mark.row("B24")
@pytest.mark.parametrize("no_proxy", [pytest.param(".invalid", id="no-proxy")])
def test_no_proxy_is_respected(
    proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    attempt = attempt_of(HttpChecker(endpoint_url="http://site.invalid/", proxy="env"))

    assert attempt.failure in {"dns_nxdomain", "dns_failed"}
    assert proxy.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_missing_proxy_makes_the_target_unknown(scheme: str) -> None:
    proxy = f"http://ada:hunter22@127.0.0.1:{closed_port()}"

    with pytest.raises(CheckUnknownError) as raised:
        attempt_of(HttpChecker(endpoint_url=f"{scheme}://site.test/", proxy=proxy))

    assert (raised.value.failure, str(raised.value)) == ("proxy", "proxy: connection refused")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_rejects_the_credentials_makes_the_target_unknown(scheme: str) -> None:
    with (
        ProxyServer("", answer="407 Proxy Authentication Required") as proxy,
        pytest.raises(CheckUnknownError) as raised,
    ):
        attempt_of(HttpChecker(endpoint_url=f"{scheme}://site.test/", proxy=proxy.url))

    assert raised.value.failure == "proxy"


def test_proxy_that_finds_no_way_means_down() -> None:
    with ProxyServer("", answer="502 Bad Gateway") as proxy:
        attempt = attempt_of(HttpChecker(endpoint_url="https://site.test/", proxy=proxy.url))

    assert attempt.failure == "proxy_refused"
    assert attempt.error == "the proxy cannot reach the server (status 502)"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_says_nothing_is_given_up_in_time(scheme: str) -> None:
    """Whether a forwarding proxy or the server behind it is silent, nobody can tell."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        result = result_of(
            HttpChecker(endpoint_url=f"{scheme}://site.test/", proxy=url, timeout=10**9 // 2)
        )

    assert time.monotonic() - started < GENEROUS
    assert result.failure == ("proxy" if scheme == "https" else "deadline")


@pytest.mark.parametrize(
    ("rules", "host", "bypassed"),
    [
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("a.test", "b.a.test", True),
        ("a.test", "aa.test", False),
        (".a.test", "b.a.test", True),
        (".a.test", "a.test", True),
        ("*.a.test", "b.a.test", True),
        ("a.test.", "a.test", True),
        ("a.test", "A.test.", True),
        ("x, a.test y", "a.test", True),
        ("a.test:80", "a.test", True),
        ("a.test:81", "a.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "10.test", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("2.3", "10.1.2.3", False),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]", "fd00::1", True),
        ("fd00:0:0::1", "fd00::1", True),
        ("[fd00::1]:80", "fd00::1", True),
        ("", "a.test", False),
        (" , ", "a.test", False),
        ("", "127.8.9.1", True),
        ("", "::1", True),
        ("", "localhost.", True),
    ],
)
def test_rules_of_no_proxy(rules: str, host: str, bypassed: bool) -> None:
    assert bypasses_proxy(host, 80, rules) is bypassed


def test_http_proxy_is_ignored_in_a_cgi_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a CGI program HTTP_PROXY is a header of the request (httpoxy)."""
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test")
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert proxy_for("http://a.test/", "env")

    monkeypatch.setenv("REQUEST_METHOD", "GET")
    assert proxy_for("http://a.test/", "env") is None
