"""A function is not led to what only it can reach; the numbers are those of the catalogue."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from checkup.checkers.address_guard import allowed_addresses
from checkup.checkers.http import HttpChecker
from checkup.checkers.tcp import TcpChecker
from checkup.checkers.tls import TlsChecker
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker
from checkup.model import Status
from tests.checkers.results import attempt_of, result_of
from tests.servers.web import WebServer

REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "169.254.100.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "fd00:ec2::254",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
]
PERMITTED = [
    "93.184.216.34",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "fd12:3456::1",
    "2606:4700::1111",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
]
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "%31%32%37.0.0.1",
    "\uff11\uff12\uff17.0.0.1",  # full-width digits
]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Make this process a Lambda function as far as its environment goes."""

    def become(**variables: str) -> None:
        monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "checkup-check")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    become()
    return become


def entry(address: str, port: int = 80) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, (address, port)


@pytest.mark.row("157")
@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("address", REFUSED)
def test_address_of_the_function_itself_is_refused(address: str) -> None:
    with pytest.raises(CheckUnknownError) as raised:
        allowed_addresses([entry(address)])

    assert raised.value.failure == "address_refused"


@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("address", PERMITTED)
def test_other_addresses_are_permitted_private_ones_too(address: str) -> None:
    assert allowed_addresses([entry(address)]) == [entry(address)]


@pytest.mark.parametrize("address", REFUSED)
def test_everything_is_permitted_outside_lambda(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)

    assert allowed_addresses([entry(address)]) == [entry(address)]


@pytest.mark.row("156")
@pytest.mark.usefixtures("function")
def test_refused_addresses_are_left_out_beside_others() -> None:
    found = allowed_addresses([entry("127.0.0.1"), entry("10.0.0.1")])

    assert found == [entry("10.0.0.1")]


@pytest.mark.row("155")
def test_runtime_is_refused_wherever_it_listens(function: Callable[..., None]) -> None:
    function(AWS_LAMBDA_RUNTIME_API="10.9.8.7:9001")

    with pytest.raises(CheckUnknownError):
        allowed_addresses([entry("10.9.8.7")])
    assert allowed_addresses([entry("10.9.8.8")])


def test_named_networks_are_allowed(function: Callable[..., None]) -> None:
    function(ALLOW_ADDRESSES="127.0.0.0/8, ::1")

    assert allowed_addresses([entry("127.0.0.1"), entry("::1"), entry("::ffff:127.0.0.1")])
    with pytest.raises(CheckUnknownError):
        allowed_addresses([entry("169.254.169.254")])


@pytest.mark.row("155")
@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("127.0.0.1", 9001),
        ("::ffff:127.0.0.1", 9001),
        ("169.254.100.1", 9001),
        ("127.0.0.1", 2773),
        ("::1", 2773),
    ],
)
def test_runtime_is_refused_even_if_its_network_is_allowed(
    function: Callable[..., None], address: str, port: int
) -> None:
    function(
        ALLOW_ADDRESSES="127.0.0.0/8,::1,169.254.0.0/16", AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001"
    )

    assert allowed_addresses([entry(address, 8080)])
    with pytest.raises(CheckUnknownError):
        allowed_addresses([entry(address, port)])


def test_same_ports_of_other_machines_are_nobodys_secret(function: Callable[..., None]) -> None:
    function(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001")

    assert allowed_addresses([entry("10.0.0.1", 9001), entry("192.0.2.1", 2773)])


def test_unreadable_list_allows_nothing(function: Callable[..., None]) -> None:
    function(ALLOW_ADDRESSES="everything")

    with pytest.raises(CheckUnknownError) as raised:
        allowed_addresses([entry("10.0.0.1")])

    assert raised.value.failure == "config"


@pytest.mark.row("55", "157", "X1")
@pytest.mark.usefixtures("function")
@pytest.mark.parametrize("host", [pytest.param(host, id=f"{host!a}") for host in SPELLINGS])
def test_no_spelling_leads_to_the_function(web: WebServer, host: str) -> None:
    result = result_of(HttpChecker(endpoint_url=f"http://{host}:{web.port}/", timeout=3 * 10**9))

    assert not result.healthy
    assert web.accepted == 0


@pytest.mark.row("X1")
@pytest.mark.usefixtures("function")
@pytest.mark.parametrize(
    "checker",
    [
        lambda web: HttpChecker(endpoint_url=web.url()),
        lambda web: HttpChecker(endpoint_url="http://site.test/", proxy=web.url()),
        lambda web: TcpChecker(endpoint_url=web.address),
        lambda web: TlsChecker(endpoint_url=web.address),
    ],
    ids=["http", "proxy", "tcp", "tls"],
)
def test_refused_target_is_unknown(web: WebServer, checker: Callable[[WebServer], Checker]) -> None:
    result = result_of(checker(web))

    assert (result.status, result.failure) == (Status.UNKNOWN, "address_refused")
    assert web.accepted == 0


@pytest.mark.row("55", "156", "X1")
@pytest.mark.parametrize("host", [pytest.param("127.0.0.2", id="redirect")])
def test_redirect_to_a_refused_address_is_down(
    web: WebServer, function: Callable[..., None], host: str
) -> None:
    function(ALLOW_ADDRESSES="127.0.0.1")
    target = f"http%253A%252F%252F{host}%253A{web.port}%252Fup"

    attempt = attempt_of(
        HttpChecker(endpoint_url=web.url(f"/redirect-to/{target}"), follow_redirects=3)
    )

    assert attempt.failure == "address_refused"
    assert attempt.error.startswith(f"redirected to http://{host}:{web.port}/up: ")
    assert web.accepted == 1
