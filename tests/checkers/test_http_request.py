"""What is sent, and to whom it is not sent."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from threading import Thread
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests import PreparedRequest
from requests.exceptions import RequestException

from checkup.checkers.http import HttpChecker
from checkup.checkers.http_session import build_request
from checkup.errors import CheckUnknownError, CheckupError
from tests.checkers.results import attempt_of, closed_port
from tests.servers.web import WebServer


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_configured_method_is_used(web: WebServer, method: str) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url(), method=method))  # type: ignore[arg-type]

    assert attempt.error == ""
    assert web.requests[0].startswith(f"{method} / HTTP/1.1\r\n")


@pytest.mark.row("54")
@pytest.mark.parametrize("case", [pytest.param("", id="head-with-length")])
def test_head_has_no_body_to_wait_for(web: WebServer, case: str) -> None:
    checker = HttpChecker(endpoint_url=web.url(), method="HEAD", must_not_contain="up")

    assert attempt_of(checker, seconds=3).error == case


def test_body_is_sent_with_its_length_in_bytes(web: WebServer) -> None:
    checker = HttpChecker(
        endpoint_url=web.url(),
        method="POST",
        body='{"näme": 1}',
        headers={"content-type": ("application/json",)},
    )

    attempt_of(checker)

    assert web.bodies == ['{"näme": 1}'.encode()]
    assert "Content-Length: 12\r\n" in web.requests[0]
    assert "Content-Type: application/json\r\n" in web.requests[0]


def test_post_without_body_says_so(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url(), method="POST"))

    assert "Content-Length: 0\r\n" in web.requests[0]


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ({"username": "us:er", "password": "pä ss"}, b"us:er:p\xc3\xa4 ss"),
        ({"username": "user"}, b"user:"),
        ({"password": "token"}, b":token"),
    ],
    ids=["both", "user", "password"],
)
def test_basic_authentication(web: WebServer, settings: dict[str, Any], sent: bytes) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url(host="other:one@127.0.0.1"), **settings))

    found = re.search("Authorization: Basic (.*)\r\n", web.requests[0])
    assert found
    assert base64.b64decode(found[1]) == sent


def test_bearer_authentication(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url(), bearer_token="t0ken"))

    assert "Authorization: Bearer t0ken\r\n" in web.requests[0]


@pytest.mark.row("57")
@pytest.mark.parametrize("token", [pytest.param("a\r\nX-Evil: 1", id="line-break")])
def test_token_that_cannot_be_sent_is_a_mistake(web: WebServer, token: str) -> None:
    with pytest.raises(CheckUnknownError) as raised:
        attempt_of(HttpChecker(endpoint_url=web.url(), bearer_token=token))

    assert raised.value.failure == "config"
    assert "Evil" not in str(raised.value)
    assert web.requests == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bearer_token": "x", "username": "y"}, "bearer_token and username"),
        ({"up_status": 200, "up_statuses": ((200, 299),)}, "up_status and up_statuses"),
        ({"ip_version": 5}, "ip_version must be 4 or 6"),
        ({"client_key": "key.pem"}, "needs a client_certificate"),
        ({"proxy": "socks5://127.0.0.1:1080"}, "invalid proxy; write it as http://"),
        ({"proxy": "http://[::1"}, "invalid proxy; write it as http://"),
        ({"must_match": "(?=a)"}, "not a valid RE2 pattern"),
        ({"must_not_match": "("}, "not a valid RE2 pattern"),
        ({"must_hold": ("status",)}, "not a valid condition"),
        ({"must_hold": ("status ==",)}, "condition without a value"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings_that_contradict_themselves_are_refused(
    settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        HttpChecker(endpoint_url="http://127.0.0.1/", **settings)


def test_ip_version_keeps_to_addresses_of_that_family(web: WebServer) -> None:
    four = HttpChecker(endpoint_url=web.url(host="localhost"), ip_version=4)
    six = HttpChecker(endpoint_url=web.url(), ip_version=6)

    assert attempt_of(four).error == ""
    assert attempt_of(six).failure == "dns_nodata"
    assert attempt_of(six).error == "not an address of this IP version"


@pytest.mark.row("29")
@pytest.mark.parametrize("version", [pytest.param(6, id="no-ipv6")])
def test_name_without_address_of_that_family_is_not_found(version: int) -> None:
    url = f"http://no-such-host.invalid:{closed_port()}/"

    attempt = attempt_of(HttpChecker(endpoint_url=url, ip_version=version))

    assert attempt.failure in {"dns_nodata", "dns_failed"}


@pytest.mark.parametrize("zone", ["%251", "%1", ""])
def test_zone_of_an_address_goes_to_the_system_and_not_into_the_request(zone: str) -> None:
    """RFC 6874 and Go have it escaped, curl takes both; nobody sends it."""
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        port = listener.getsockname()[1]
        heads: list[str] = []
        thread = Thread(target=_answer_once, args=(listener, heads), daemon=True)
        thread.start()
        attempt = attempt_of(HttpChecker(endpoint_url=f"http://[::1{zone}]:{port}/"))
        thread.join(10)

    assert attempt.error == ""
    assert f"Host: [::1]:{port}\r\n" in heads[0]


def _answer_once(listener: socket.socket, heads: list[str]) -> None:
    client, _ = listener.accept()
    with client:
        heads.append(client.recv(65_536).decode())
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


@given(
    st.from_regex(
        r"\Ahttps?://[a-zA-Z0-9._-]{1,20}(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]{0,8}){0,4}(\?[a-z=]*)?\Z",
        alphabet=st.characters(codec="ascii"),
    )
)
@example("http://a.test/")
@example("https://a.test:8443/health/ready.json")
@example("http://a.test/a/../b")
def test_plain_url_is_sent_as_requests_would_send_it(url: str) -> None:
    prepared = PreparedRequest()
    try:
        prepared.prepare_url(url, None)
        ours = build_request(url, {}).url
    except (RequestException, ValueError, CheckupError):
        return
    assert ours == prepared.url


def test_checker_imports_no_library_that_is_slow() -> None:
    slow = "{'requests', 'urllib3', 'urllib.request', 'http.client', 'http.cookiejar', 'idna'}"
    script = f"import sys, checkup.checkers.http; print({slow} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "set()\n"
