from __future__ import annotations

import time
from typing import Any

import pytest

from checkup.checkers.http import HttpChecker
from checkup.errors import CheckUnknownError
from checkup.model import Status
from tests.checkers.results import (
    GENEROUS,
    MILLISECOND,
    attempt_of,
    closed_port,
    is_fresh,
    result_of,
)
from tests.servers.web import WebServer


def test_result_carries_what_was_configured_and_seen(web: WebServer) -> None:
    checker = HttpChecker(endpoint_name="Test", endpoint_url=web.url(), attempts=2)

    result = result_of(checker)

    assert (result.title, result.endpoint, result.kind) == ("Test", web.url(), "http")
    assert result.status is Status.HEALTHY
    assert len(result.attempts) == 2
    assert is_fresh(result)


@pytest.mark.row("58", "B03", "B10", "B19")
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        pytest.param({"up_status": 201}, Status.DOWN, id="other-status"),
        pytest.param({"up_status": 200, "threshold_rtt": 1}, Status.DEGRADED, id="slow"),
        pytest.param({"must_contain": "up"}, Status.HEALTHY, id="contains"),
        pytest.param({"must_contain": "online"}, Status.DOWN, id="contains-not"),
        pytest.param({"must_not_contain": "down"}, Status.HEALTHY, id="free-of"),
        pytest.param({"must_not_contain": "I"}, Status.DOWN, id="not-free-of"),
        pytest.param(
            {"must_contain": "up", "must_not_contain": "@"}, Status.DOWN, id="both-must-hold"
        ),
        pytest.param({"must_contain": "UP"}, Status.DOWN, id="case-counts"),
        pytest.param(
            {"headers": {"Host": ("http.check.local",)}, "must_contain": "@http.check.local"},
            Status.HEALTHY,
            id="host",
        ),
    ],
)
def test_go_case(web: WebServer, settings: dict[str, Any], status: Status) -> None:
    checker = HttpChecker(endpoint_url=web.url(), attempts=2, **settings)

    assert result_of(checker).status is status


def test_closed_port_is_down() -> None:
    checker = HttpChecker(endpoint_url=f"http://127.0.0.1:{closed_port()}/", attempts=2)

    result = result_of(checker)

    assert result.status is Status.DOWN
    assert [attempt.failure for attempt in result.attempts] == ["connect_refused"] * 2
    assert result.error == "connection refused"


@pytest.mark.row("47", "B07")
@pytest.mark.parametrize(
    ("code", "healthy"),
    [
        *(pytest.param(code, True, id=f"{code}") for code in range(200, 205)),
        *(pytest.param(code, False, id=f"{code}") for code in (205, 206, 301, 404, 503)),
    ],
)
def test_default_codes_are_200_to_204(web: WebServer, code: int, *, healthy: bool) -> None:
    result = result_of(HttpChecker(endpoint_url=web.url(f"/status/{code}")))

    assert result.healthy is healthy
    assert result.failure == ("" if healthy else f"status_{code}")


@pytest.mark.row("47")
def test_status_error_names_code_and_reason(web: WebServer) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url("/status/404")))

    assert attempt.error == "response status 404 Not Found"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param("?reason=", "response status 500 Internal Server Error", id="default"),
        pytest.param("?reason=%1b[31mRed", "response status 500 [31mRed", id="escapes"),
        pytest.param("?length=999", f"response status 500 {'x' * 80}", id="long"),
    ],
)
def test_servers_reason_is_made_safe(web: WebServer, query: str, error: str) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url(f"/status/500{query}")))

    assert attempt.error == error


@pytest.mark.row("B08")
def test_redirect_is_evaluated_and_not_followed(web: WebServer) -> None:
    result = result_of(HttpChecker(endpoint_url=web.url("/redirect"), up_status=301))

    assert result.healthy
    assert len(web.requests) == 1


@pytest.mark.row("B09")
def test_configured_code_is_the_only_one(web: WebServer) -> None:
    result = result_of(HttpChecker(endpoint_url=web.url("/status/204"), up_status=200))

    assert result.down


@pytest.mark.row("B11")
def test_text_is_not_searched_in_headers(web: WebServer) -> None:
    checker = HttpChecker(
        endpoint_url=web.url("/echo-header"),
        headers={"X-Checkup": ("Echo",)},
        must_contain="Echo",
    )

    attempt = attempt_of(checker)

    assert attempt.error == "response does not contain 'Echo'"
    assert attempt.failure == "body_mismatch"


def test_forbidden_text_is_named(web: WebServer) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url(), must_not_contain="up"))

    assert attempt.error == "response contains 'up'"


@pytest.mark.row("B12")
def test_body_of_a_wrong_status_is_not_read(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url("/stalled-body"), up_status=201, must_contain="x")

    attempt = attempt_of(checker)

    assert attempt.error == "response status 200 OK"
    assert attempt.phases
    assert attempt.phases.transfer == 0


@pytest.mark.row("B13")
def test_round_trip_time_ends_with_the_headers(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url("/stalled-body?seconds=1"), must_contain="begun")

    attempt = attempt_of(checker)

    assert attempt.rtt < 800 * MILLISECOND
    assert attempt.phases
    assert attempt.phases.transfer > 800 * MILLISECOND
    assert attempt.failure == "short_body"


@pytest.mark.row("B14")
def test_stalled_body_is_down_if_it_matters(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url("/stalled-body"), must_contain="end")

    attempt = attempt_of(checker, seconds=0.3)

    assert attempt.error.startswith("reading response body: ")
    assert attempt.failure == "deadline"


@pytest.mark.row("B15")
def test_stalled_body_does_not_matter_otherwise(web: WebServer) -> None:
    started = time.monotonic()

    result = result_of(HttpChecker(endpoint_url=web.url("/stalled-body")))

    assert result.healthy
    assert time.monotonic() - started < GENEROUS


@pytest.mark.row("B16")
def test_headers_may_take_five_seconds_by_default(web: WebServer) -> None:
    started = time.monotonic()

    attempt = attempt_of(HttpChecker(endpoint_url=web.url("/slow?seconds=8")))

    assert attempt.failure == "deadline"
    assert attempt.error.startswith("no response headers after 5")
    assert 5 <= time.monotonic() - started < 8


def test_configured_timeout_is_the_only_limit(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url("/slow?seconds=5.5"), timeout=9_000 * MILLISECOND)

    assert attempt_of(checker).error == ""


@pytest.mark.row("B17")
def test_request_is_a_plain_get(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url("/echo?q=1#part")))

    lines = web.requests[0].split("\r\n")
    assert lines[0] == "GET /echo?q=1 HTTP/1.1"
    assert "Connection: close" in lines
    assert f"Host: {web.address}" in lines
    names = {line.partition(":")[0].lower() for line in lines[1:] if line}
    assert names == {"host", "connection", "user-agent"}


@pytest.mark.row("B18")
def test_user_agent_names_the_program_and_can_be_set(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url()))
    attempt_of(HttpChecker(endpoint_url=web.url(), headers={"User-Agent": ("mine",)}))

    assert "User-Agent: checkup/" in web.requests[0]
    assert "User-Agent: mine\r\n" in web.requests[1]
    assert "checkup/" not in web.requests[1]


@pytest.mark.row("B19")
def test_values_of_a_header_are_joined(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url(), headers={"x-a": ("one", "two")}))

    assert "X-A: one, two\r\n" in web.requests[0]


@pytest.mark.row("B20")
def test_host_without_value_is_ignored(web: WebServer) -> None:
    result = result_of(HttpChecker(endpoint_url=web.url(), headers={"Host": ()}))

    assert result.healthy
    assert f"Host: {web.address}\r\n" in web.requests[0]


@pytest.mark.row("B21")
@pytest.mark.parametrize(
    "url",
    [
        pytest.param("127.0.0.1:80", id="no-scheme"),
        pytest.param("http://[::1/", id="open-bracket"),
        pytest.param("http://127.0.0.1:http/", id="port-name"),
        pytest.param("http://127.0.0.1:99999/", id="port-too-high"),
        pytest.param("http://127.0.0.1/%zz", id="bad-escape"),
        pytest.param("http://127.0.0.1/\r\nX: y", id="line-break"),
        pytest.param(" http://127.0.0.1/", id="space-first"),
    ],
)
def test_text_that_is_no_url_is_unknown(url: str) -> None:
    checker = HttpChecker(endpoint_url=url)

    with pytest.raises(CheckUnknownError) as raised:
        attempt_of(checker)
    result = result_of(checker)

    assert raised.value.failure == "config"
    assert result.status is Status.UNKNOWN
    assert result.failure == "config"


@pytest.mark.row("B22")
@pytest.mark.parametrize(
    ("url", "error"),
    [
        pytest.param("localhost/x", "endpoint_url: not an http or https URL", id="no-scheme"),
        pytest.param("", "address is empty: nothing to check", id="nothing"),
        pytest.param("localhost:80", "endpoint_url: not an http or https URL", id="host"),
        pytest.param(
            "FILE:///etc/passwd", 'endpoint_url: unsupported protocol scheme "file"', id="file"
        ),
        pytest.param("http:///x", "endpoint_url: no host in the URL", id="no-host"),
    ],
)
def test_url_of_something_else_is_unknown(url: str, error: str) -> None:
    result = result_of(HttpChecker(endpoint_url=url))

    assert result.status is Status.UNKNOWN
    assert (result.failure, result.error) == ("config", error)


@pytest.mark.row("B23")
def test_spacing_follows_only_an_answer(web: WebServer) -> None:
    def seconds(url: str) -> float:
        started = time.monotonic()
        result_of(HttpChecker(endpoint_url=url, attempts=2, attempt_spacing=400 * MILLISECOND * 4))
        return time.monotonic() - started

    assert seconds(web.url()) >= 1.6
    assert seconds(web.url("/status/500")) >= 1.6
    assert seconds(f"http://127.0.0.1:{closed_port()}/") < 1.5


@pytest.mark.row("42")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_and_netrc_of_the_environment_are_not_used(
    web: WebServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, name: str
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")

    result = result_of(HttpChecker(endpoint_url=web.url(host="localhost")))

    assert result.healthy
    assert "authorization" not in web.requests[0].lower()


def test_userinfo_becomes_basic_authentication(web: WebServer) -> None:
    url = web.url(host="us%40er:pä:ss@127.0.0.1")

    attempt_of(HttpChecker(endpoint_url=url))

    # base64 of "us@er:pä:ss" in UTF-8
    assert "Authorization: Basic dXNAZXI6cMOkOnNz\r\n" in web.requests[0]
    assert f"Host: {web.address}\r\n" in web.requests[0]


def test_configured_authorization_wins(web: WebServer) -> None:
    url = web.url(host="user:pass@127.0.0.1")

    attempt_of(HttpChecker(endpoint_url=url, headers={"authorization": ("Bearer x",)}))

    assert "Authorization: Bearer x\r\n" in web.requests[0]
    assert "Basic" not in web.requests[0]


@pytest.mark.parametrize(
    "headers",
    [{"X-A": ("a\r\nX-B: b",)}, {"X-A": ("a\x00b",)}, {"X A": ("a",)}, {"X-A\n": ("a",)}],
    ids=["line-break", "nul", "space-in-name", "break-in-name"],
)
def test_header_that_cannot_be_sent_is_unknown(
    web: WebServer, headers: dict[str, tuple[str, ...]]
) -> None:
    result = result_of(HttpChecker(endpoint_url=web.url(), headers=headers))

    assert (result.status, result.failure) == (Status.UNKNOWN, "config")
    assert web.requests == []


@pytest.mark.row("41")
def test_each_attempt_has_its_own_connection(web: WebServer) -> None:
    result_of(HttpChecker(endpoint_url=web.url(), attempts=3))

    assert web.accepted == 3


def test_path_is_quoted_and_not_changed_otherwise(web: WebServer) -> None:
    attempt_of(HttpChecker(endpoint_url=web.url("/body?text=a b&ü=%2F")))

    assert web.requests[0].startswith("GET /body?text=a%20b&%C3%BC=%2F HTTP/1.1\r\n")


def test_phases_add_up_to_the_round_trip_time(web: WebServer) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url("/slow?seconds=0.2")))

    assert attempt.phases
    assert attempt.phases.wait >= 200 * MILLISECOND
    measured = attempt.phases.resolve + attempt.phases.connect + attempt.phases.wait
    assert measured <= attempt.rtt <= measured + 100 * MILLISECOND
    assert (attempt.phases.tls, attempt.certificate_expiry) == (0, 0)
