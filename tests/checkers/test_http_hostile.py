"""No server, however hostile, makes an attempt outlast its deadline or fill the memory.

The numbers in the ids are rows of the catalogue of faults.
"""

from __future__ import annotations

import time
import tracemalloc

import pytest

from checkup.checkers.http import HttpChecker
from checkup.errors import CheckUnknownError
from tests.checkers.results import GENEROUS, attempt_of, closed_port
from tests.servers.web import WebServer

NEEDLE = "needle"
CAP = 1_048_576
LIMIT = 0.5


def hostile(web: WebServer, path: str) -> HttpChecker:
    return HttpChecker(endpoint_url=web.url(path), must_contain=NEEDLE)


@pytest.mark.row("32", "34", "35", "37", "39", "40")
@pytest.mark.parametrize(
    ("path", "failure", "error"),
    [
        pytest.param("/silent", "deadline", "no response headers after", id="silence"),
        pytest.param("/trickled-headers", "deadline", "no response headers after", id="headers"),
        pytest.param(
            "/slow-interim",
            "deadline",
            "no response headers after",
            id="slow-interim",
        ),
        pytest.param(
            "/endless-interim",
            "protocol",
            "the server sent only interim responses",
            id="endless-interim",
        ),
        pytest.param(
            "/trickled-body",
            "deadline",
            "reading response body: body not finished",
            id="body",
        ),
        pytest.param(
            "/endless-body",
            "body_mismatch",
            "response does not contain",
            id="endless-body",
        ),
        pytest.param("/bomb", "body_mismatch", "response does not contain", id="bomb"),
    ],
)
def test_attempt_is_over_in_time(web: WebServer, path: str, failure: str, error: str) -> None:
    started = time.monotonic()

    attempt = attempt_of(hostile(web, path), seconds=LIMIT * 2)

    assert time.monotonic() - started < LIMIT * 2 + GENEROUS
    assert attempt.failure == failure
    assert attempt.error.startswith(error)


@pytest.mark.parametrize("path", ["/endless-headers", "/endless-header"])
def test_endless_headers_are_more_than_can_be_read(web: WebServer, path: str) -> None:
    with pytest.raises(CheckUnknownError) as raised:
        attempt_of(hostile(web, path), seconds=5)

    assert raised.value.failure == "client_limit"


@pytest.mark.parametrize("path", ["/endless-body", "/bomb"])
def test_memory_stays_small(web: WebServer, path: str) -> None:
    checker = hostile(web, path)
    attempt_of(checker, seconds=2)
    tracemalloc.start()
    try:
        attempt_of(checker, seconds=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * CAP


@pytest.mark.row("31", "40", "48", "50", "51", "54")
@pytest.mark.parametrize(
    ("path", "failure", "error"),
    [
        pytest.param(
            "/negative-chunk",
            "protocol",
            "reading response body: the body cannot be decoded",
            id="negative-chunk",
        ),
        pytest.param(
            "/two-lengths",
            "protocol",
            "the response has contradictory headers",
            id="two-lengths",
        ),
        pytest.param(
            "/stacked-encodings",
            "protocol",
            "reading response body: the body cannot be decoded",
            id="stacked",
        ),
        pytest.param(
            "/reset-header", "connect_reset", "connection reset by the server", id="header"
        ),
        pytest.param(
            "/cut-chunk",
            "short_body",
            "reading response body: the body ended early",
            id="chunk",
        ),
        pytest.param("/old-protocol", "protocol", "the response is not HTTP", id="http-0.9"),
        pytest.param(
            "/switching", "status_101", "response status 101 Switching Protocols", id="101"
        ),
        pytest.param("/reset", "connect_reset", "connection reset by the server", id="reset"),
        pytest.param(
            "/reset-body",
            "connect_reset",
            "reading response body: connection reset by the server",
            id="reset-body",
        ),
        pytest.param(
            "/empty",
            "empty_reply",
            "the server closed the connection without a response",
            id="empty",
        ),
        pytest.param("/banner", "protocol", "the response is not HTTP", id="banner"),
        pytest.param("/short-body", "short_body", "reading response body: the body ended early"),
        pytest.param(
            "/bad-chunks", "protocol", "reading response body: the body cannot be decoded"
        ),
        pytest.param(
            "/badly-compressed",
            "protocol",
            "reading response body: the body cannot be decoded",
            id="bad-encoding",
        ),
    ],
)
def test_broken_answer_has_a_class_and_a_sentence(
    web: WebServer, path: str, failure: str, error: str
) -> None:
    attempt = attempt_of(hostile(web, path), seconds=5)

    assert (attempt.failure, attempt.error) == (failure, error)


@pytest.mark.row("40", "51", "52", "53", "54")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/early-hints", id="early-hints"),
        pytest.param("/no-length", id="http-1.0"),
        pytest.param("/length-and-chunks", id="length-and-chunks"),
        pytest.param("/unknown-encoding", id="unknown-encoding"),
        pytest.param("/chunked/nee?second=dle", id="needle-across-chunks"),
        pytest.param("/compressed?text=a+needle", id="compressed-unasked"),
        pytest.param(f"/large/{NEEDLE}?at={CAP - len(NEEDLE)}", id="needle-at-the-cap"),
    ],
)
def test_unusual_answer_is_understood(web: WebServer, path: str) -> None:
    needle = {"/early-hints": "after the hints", "/no-length": "old style"}.get(path, NEEDLE)

    attempt = attempt_of(HttpChecker(endpoint_url=web.url(path), must_contain=needle))

    assert attempt.error == ""


@pytest.mark.row("53")
@pytest.mark.parametrize("at", [pytest.param(CAP - len(NEEDLE) + 1, id="past-the-cap")])
def test_text_past_the_cap_is_not_found_and_the_cap_is_named(web: WebServer, at: int) -> None:
    attempt = attempt_of(hostile(web, f"/large/{NEEDLE}?at={at}"))

    assert attempt.error == f"response does not contain '{NEEDLE}' in its first {CAP} bytes"


@pytest.mark.row("49")
def test_many_headers_are_not_an_outage(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url("/many-headers"), must_have_headers={"X-149": ()})

    assert attempt_of(checker).error == ""


@pytest.mark.row("159")
def test_no_sentence_shows_a_secret_of_the_url(web: WebServer) -> None:
    secret = "hunter2"
    paths = ["/reset", "/banner", "/empty", "/status/500"]
    addresses = [web.address] * len(paths) + [f"127.0.0.1:{closed_port()}"]

    for address, path in zip(addresses, [*paths, "/"], strict=True):
        url = f"http://user:{secret}@{address}{path}?token={secret}"
        attempt = attempt_of(HttpChecker(endpoint_url=url))

        assert attempt.error
        assert secret not in attempt.error


def test_impossible_name_is_no_such_host() -> None:
    for url in ("http://a..b/", "http://no-such-host.invalid/"):
        attempt = attempt_of(HttpChecker(endpoint_url=url))

        assert attempt.failure in {"dns_nxdomain", "dns_failed"}
