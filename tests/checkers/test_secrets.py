"""Secrets in every field of http and tcp, and servers that send all they get back."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from checkup.checkers.http import HttpChecker
from checkup.checkers.runner import run_checks
from checkup.checkers.tcp import TcpChecker
from checkup.deadline import Deadline
from checkup.errors import CheckupError, UnavailableError
from checkup.interfaces import Checker
from checkup.model import encode_results
from checkup.text import mask_address
from tests.checkers.results import closed_port
from tests.servers.lines import HOLD, LineServer
from tests.servers.proxy import ProxyServer
from tests.servers.web import WebServer

VAULT = {
    "env:PASSWORD": "password-hunter22",
    "env:TOKEN": "token-hunter22",
}
PLANTED: dict[str, dict[str, Any]] = {
    "url-password": {},
    "query": {},
    "basic": {"username": "ada", "password": "env:PASSWORD"},
    "basic-clear": {"username": "ada", "password": "clear-hunter22"},
    "bearer": {"bearer_token": "env:TOKEN"},
    "bearer-clear": {"bearer_token": "clear-hunter22"},
    "headers": {"headers": {"X-Api-Key": ("key-hunter22",), "Cookie": ("s=cookie-hunter22",)}},
    "authorization": {"headers": {"Authorization": ("Bearer header-hunter22",)}},
    "body": {"method": "POST", "body": "body-hunter22"},
}
PATHS = [
    "/repeat-all",
    "/status/500",
    "/status/401",
    "/redirect",
    "/loop",
    "/reset",
    "/empty",
    "/banner",
    "/short-body",
    "/bad-chunks",
    "/badly-compressed",
    "/many-headers",
    "/echo",
]


def vault(value: str) -> str:
    if value.startswith("env:") and value not in VAULT:
        raise UnavailableError(f"{value}: there is nothing under that name")
    return VAULT.get(value, value)


def checker_for(field: str, web: WebServer, path: str, **more: Any) -> HttpChecker:
    host = "ada:url-hunter22@127.0.0.1" if field == "url-password" else "127.0.0.1"
    query = "?token=query-hunter22&x=1" if field == "query" and path == "/repeat-all" else ""
    return HttpChecker(endpoint_url=web.url(path + query, host), **{**PLANTED[field], **more})


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Everything that is logged, by whichever library."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def everything_about(checker: Checker) -> str:
    """Return all that is printed, stored or raised because of a look at this checker."""
    results = run_checks(
        [checker], deadline=Deadline.after(15), concurrency=1, mask=mask_address, secret=vault
    )
    raised = ""
    try:
        raised = repr(checker.attempt(Deadline.after(5)))
    except CheckupError:
        raised = traceback.format_exc()
    return encode_results(results).decode() + raised


@pytest.mark.row("159")
@pytest.mark.parametrize("field", PLANTED)
def test_no_secret_is_shown_whatever_the_server_does(
    web: WebServer, said: io.StringIO, capfd: pytest.CaptureFixture[str], field: str
) -> None:
    expecting: list[dict[str, Any]] = [
        {"must_contain": "never there", "follow_redirects": 2},
        {"must_have_headers": {"X-Said": ("never",)}, "up_statuses": ((200, 399),)},
        {"must_hold": ("never == there",), "up_statuses": ((0, 999),)},
    ]

    shown = "".join(
        everything_about(checker_for(field, web, path, **expected))
        for path in PATHS
        for expected in expecting
    )

    sent = f"{web.requests}{web.bodies}"
    assert "hunter22" in sent or "Authorization: Basic" in sent
    assert shown.count('"endpoint"') == len(PATHS) * len(expecting)
    for text in (shown, said.getvalue(), *capfd.readouterr()):
        assert "hunter22" not in text


@pytest.mark.parametrize("field", PLANTED)
def test_no_secret_is_shown_when_there_is_no_server(
    said: io.StringIO, capfd: pytest.CaptureFixture[str], field: str
) -> None:
    nowhere = WebServer()
    nowhere.port = closed_port()

    shown = everything_about(checker_for(field, nowhere, "/"))

    for text in (shown, said.getvalue(), *capfd.readouterr()):
        assert "hunter22" not in text


@pytest.mark.parametrize("answer", ["", "407 Who are you", "502 ada:proxy-hunter22"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_secret_of_a_proxy_is_shown(web: WebServer, scheme: str, answer: str) -> None:
    with ProxyServer(web.address, answer=answer) as proxy:
        url = proxy.url.replace("//", "//ada:proxy-hunter22@")
        shown = everything_about(HttpChecker(endpoint_url=f"{scheme}://site.test/", proxy=url))

    assert "hunter22" not in shown


@pytest.mark.parametrize("line", ["password-hunter22 is wrong\r\n", "x" * 9_000])
def test_what_tcp_sends_and_receives_is_not_repeated(line: str) -> None:
    with LineServer((line, HOLD)) as server:
        checker = TcpChecker(
            endpoint_url=server.address, send="AUTH password-hunter22\r\n", expect="OK"
        )
        shown = everything_about(checker)

    assert "hunter22" not in shown


def test_reference_that_leads_nowhere_is_named_and_unknown(web: WebServer) -> None:
    checker = HttpChecker(endpoint_url=web.url(), bearer_token="env:NOTHING")

    (result,) = run_checks([checker], deadline=Deadline.after(5), concurrency=1, secret=vault)

    assert (result.failure, web.accepted) == ("config", 0)
    assert result.error == "env:NOTHING: there is nothing under that name"
