"""Redirects, followed on request: how far, to where, and with what."""

from __future__ import annotations

import socket
from typing import Any
from urllib.parse import quote

import pytest

from checkup.checkers.http import HttpChecker
from tests.checkers.results import MILLISECOND, attempt_of, closed_port
from tests.servers.base import SocketServer
from tests.servers.certificates import Authority
from tests.servers.web import WebServer


def leading_to(web: WebServer, url: str, **query: object) -> str:
    more = "&".join(f"{name}={value}" for name, value in query.items())
    return web.url(f"/redirect-to/{quote(quote(url, safe=''))}?{more}")


def following(url: str, redirects: int = 5, **settings: Any) -> HttpChecker:
    return HttpChecker(endpoint_url=url, follow_redirects=redirects, **settings)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect_is_followed(web: WebServer, code: int) -> None:
    attempt = attempt_of(
        following(leading_to(web, "/body?text=there", code=code), must_contain="there")
    )

    assert attempt.error == ""
    assert web.accepted == 2


@pytest.mark.row("38")
@pytest.mark.parametrize(
    ("redirects", "failure"),
    [
        pytest.param(3, "", id="as-many"),
        pytest.param(2, "redirect_limit", id="one-more"),
    ],
)
def test_so_many_are_followed_and_no_more(web: WebServer, redirects: int, failure: str) -> None:
    attempt = attempt_of(following(leading_to(web, "/up", left=2), redirects))

    assert attempt.failure == failure
    assert len(web.requests) == redirects + 1


@pytest.mark.row("38")
@pytest.mark.parametrize("path", [pytest.param("/loop", id="loop")])
def test_loop_ends(web: WebServer, path: str) -> None:
    attempt = attempt_of(following(web.url(path), 20))

    assert attempt.failure == "redirect_limit"
    assert attempt.error == "redirected more than 20 times"
    assert len(web.requests) == 21


@pytest.mark.row("38")
@pytest.mark.parametrize("seconds", [pytest.param(0.6, id="slow-chain")])
def test_chain_has_one_deadline(web: WebServer, seconds: float) -> None:
    url = leading_to(web, "/slow?seconds=5")

    attempt = attempt_of(following(url, timeout=int(seconds * 1e9)), seconds=seconds)

    assert attempt.failure == "deadline"
    assert attempt.rtt < (seconds + 2) * 1000 * MILLISECOND
    assert attempt.error.startswith(f"redirected to {web.url('/slow?seconds=***')}: ")


@pytest.mark.parametrize(
    ("code", "method", "arrives"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PUT", "PUT"),
    ],
)
def test_method_and_body_change_as_browsers_do(
    web: WebServer, code: int, method: Any, arrives: str
) -> None:
    body = "" if method == "HEAD" else "hello"
    url = leading_to(web, "/up", code=code)

    attempt_of(following(url, method=method, body=body))

    assert web.requests[1].startswith(f"{arrives} /up ")
    assert web.bodies == [body.encode(), body.encode() if arrives == method else b""]


@pytest.mark.row("55", "158")
@pytest.mark.parametrize(
    ("target", "failure"),
    [
        pytest.param("file:///etc/passwd", "address", id="file"),
        pytest.param("ftp://127.0.0.1/", "address", id="ftp"),
        pytest.param("http://[::1/", "redirect_address", id="no-url"),
        pytest.param("http://127.0.0.1:99999/", "redirect_address", id="no-port"),
        pytest.param("http://a..b/", "dns_nxdomain", id="no-name"),
    ],
)
def test_redirect_to_an_invalid_address_is_down(web: WebServer, target: str, failure: str) -> None:
    attempt = attempt_of(following(leading_to(web, target)))

    assert attempt.failure in {failure, "redirect_address"}
    assert attempt.error.startswith("redirected to ")
    assert len(web.requests) == 1


FOREIGN = (
    *("file:///etc/passwd", "FILE:///etc/passwd", "file://127.0.0.1/etc/passwd"),
    *("ftp://127.0.0.1/", "gopher://127.0.0.1/", "dict://127.0.0.1/", "ldap://127.0.0.1/"),
    *("unix:///run/docker.sock", "http+unix://%2Frun%2Fdocker.sock/", "jar:file:///x!/y"),
    *("data:text/plain,hello", "javascript:alert(1)", "about:blank", "//127.0.0.1/"),
)


@pytest.mark.row("158")
@pytest.mark.parametrize("url", FOREIGN)
def test_only_http_and_https_are_checked(url: str) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=url))

    assert attempt.failure == "address"
    assert attempt.error.startswith("unsupported protocol scheme")
    assert not attempt.rtt


def test_redirect_to_a_closed_port_says_where(web: WebServer) -> None:
    port = closed_port()

    attempt = attempt_of(following(leading_to(web, f"http://127.0.0.1:{port}/x?key=hunter22")))

    assert attempt.failure == "connect_refused"
    assert attempt.error == f"redirected to http://127.0.0.1:{port}/x?key=***: connection refused"


@pytest.mark.row("55")
@pytest.mark.parametrize("path", [pytest.param("/up", id="https-to-http")])
def test_redirect_out_of_tls_is_refused(web: WebServer, trusted: Authority, path: str) -> None:
    with WebServer(trusted.good()) as secure:
        attempt = attempt_of(following(leading_to(secure, web.url(path))))

    assert attempt.failure == "redirect_insecure"
    assert web.requests == []


CREDENTIALS: dict[str, Any] = {
    "username": "ada",
    "password": "hunter22",
    "headers": {"Cookie": ("session=hunter22",), "X-Api-Key": ("hunter22",), "Accept": ("*/*",)},
}


@pytest.mark.row("55")
@pytest.mark.parametrize("path", [pytest.param("/up", id="other-host")])
def test_credentials_are_not_taken_to_another_server(web: WebServer, path: str) -> None:
    with WebServer() as other:
        attempt = attempt_of(following(leading_to(web, other.url(path)), **CREDENTIALS))

    assert attempt.error == ""
    assert "hunter22" in web.requests[0]
    assert "hunter22" not in other.requests[0]
    assert "authorization" not in other.requests[0].lower()
    assert f"Host: {other.address}\r\n" in other.requests[0]
    assert "Accept: */*\r\n" in other.requests[0]


def test_credentials_are_taken_along_on_the_same_server(web: WebServer) -> None:
    headers = {**CREDENTIALS["headers"], "Host": ("shop.test",)}

    attempt_of(following(leading_to(web, "/up"), **{**CREDENTIALS, "headers": headers}))

    assert web.requests[1].count("hunter22") == 2
    assert "Authorization: Basic" in web.requests[1]
    assert "Host: shop.test\r\n" in web.requests[1]


def test_body_is_not_taken_to_another_server(web: WebServer) -> None:
    with WebServer() as other:
        url = leading_to(web, other.url("/up"), code=307)
        attempt = attempt_of(following(url, method="POST", body="hunter22"))

    assert attempt.failure == "redirect_body"
    assert other.requests == []


def test_userinfo_in_a_redirect_is_not_used(web: WebServer) -> None:
    url = leading_to(web, f"http://ada:hunter22@{web.address}/up")

    attempt = attempt_of(following(url))

    assert attempt.error == ""
    assert "hunter22" not in web.requests[1].split("\r\n", 1)[1]


def test_times_of_all_hops_are_added_up(web: WebServer) -> None:
    attempt = attempt_of(following(leading_to(web, "/slow?seconds=0.2")))

    assert attempt.phases
    assert attempt.phases.wait >= 200 * MILLISECOND
    assert attempt.rtt >= attempt.phases.resolve + attempt.phases.connect + attempt.phases.wait


@pytest.mark.parametrize("path", ["/status/304?reason=x", "/status/302?reason=x"])
def test_redirect_without_a_target_is_evaluated(web: WebServer, path: str) -> None:
    attempt = attempt_of(following(web.url(path)))

    assert attempt.failure == f"status_{path[8:11]}"


class Site(SocketServer):
    """Answers by path; ``heads`` are the requests."""

    patience = 5.0

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.heads: list[str] = []
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        head = client.recv(65_536).decode("latin-1")
        self.heads.append(head)
        client.sendall(b"HTTP/1.1 " + self.pages.get(head.split(" ")[1], b"404 No\r\n\r\n"))

    def cookies(self, number: int) -> list[str]:
        lines = [line for line in self.heads[number].split("\r\n") if line.startswith("Cookie: ")]
        return lines[0].removeprefix("Cookie: ").split("; ") if lines else []


def redirect(target: str | bytes, *cookies: str) -> bytes:
    location = target if isinstance(target, bytes) else target.encode()
    lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies)
    return b"302 Found\r\nLocation: %s\r\n%s\r\n" % (location, lines.encode("latin-1"))


UP = b"200 OK\r\n\r\nwelcome"


def test_cookies_are_sent_back_where_they_belong() -> None:
    pages = {
        "/": redirect("/app", "seen=1; Path=/", "other=2; Path=/elsewhere", "name=grün; HttpOnly"),
        "/app": redirect("/app/in", "seen=; Max-Age=0; Path=/", "id=7; Path=/app"),
        "/app/in": UP,
    }
    with Site(pages) as site:
        attempt = attempt_of(following(f"{site.url}/", must_contain="welcome"))

    assert attempt.error == ""
    assert [sorted(site.cookies(number)) for number in range(3)] == [
        [],
        ["name=grün", "seen=1"],
        ["id=7", "name=grün"],
    ]


def test_cookies_replace_configured_ones_and_stay_on_their_host() -> None:
    with Site({"/": UP}) as other, Site({}) as site:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        site.pages = {
            "/": redirect("/next", "session=new"),
            "/next": redirect(f"{elsewhere}/"),
        }
        headers = {"Cookie": ("session=old; theme=dark",)}
        attempt = attempt_of(following(f"{site.url}/", headers=headers))

    assert attempt.error == ""
    assert site.cookies(0) == ["session=old", "theme=dark"]
    assert sorted(site.cookies(1)) == ["session=new", "theme=dark"]
    assert other.cookies(0) == []


def test_cookie_of_a_login_is_sent_after_post() -> None:
    pages = {"/login": redirect("/home", "session=x; Path=/; HttpOnly"), "/home": UP}
    with Site(pages) as site:
        attempt = attempt_of(following(f"{site.url}/login", method="POST", body="user=a"))

    assert attempt.error == ""
    assert site.heads[1].startswith("GET /home ")
    assert site.cookies(1) == ["session=x"]


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/z\xfcrich", "/z%FCrich"),
        ("/zürich?ä=ö#ü", "/z%C3%BCrich?%C3%A4=%C3%B6"),
        ("/two words", "/two%20words"),
        ("/100%", "/100%25"),
        ("/a%2Fb", "/a%2Fb"),
        ("?page=2", "/?page=2"),
        ("next/../up", "/up"),
        ("  /up\t", "/up"),
        ("/up\r\nLocation: /second", "/up"),
        ("\r\n /folded", "/folded"),
    ],
)
def test_location_is_followed_byte_for_byte(location: str | bytes, path: str) -> None:
    with Site({"/": redirect(location), path: UP}) as site:
        attempt = attempt_of(following(f"{site.url}/", must_contain="welcome"))

    assert attempt.error == ""


@pytest.mark.parametrize("location", ["//bücher.test/ä", "http://BÜCHER.test/ä"])
def test_host_of_a_redirect_is_asked_for_in_ascii(location: str) -> None:
    asked = "http://xn--bcher-kva.test/%C3%A4"
    with Site({"http://a.test/": redirect(location), asked: UP}) as proxy:
        attempt = attempt_of(following("http://a.test/", proxy=proxy.url, must_contain="welcome"))

    assert attempt.error == ""
    assert "Host: xn--bcher-kva.test\r\n" in proxy.heads[1]
