"""Whose requests are answered: those for a name that nobody else can have led here."""

from __future__ import annotations

import pytest

from checkup.cli.server import AllowedHosts

HOSTS = AllowedHosts.of("https://status.acme.example/", ["status.internal"])


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1:3000", "192.0.2.7", "[::1]:3000", "[fe80::1%25eth0]:80"),
        *("localhost", "LOCALHOST:3000", "localhost.", "checkup.localhost"),
        *("status.acme.example", "STATUS.acme.example:443", "Status.Internal.:8080", ""),
    ],
)
def test_a_name_of_ours_is_answered(host: str) -> None:
    assert HOSTS.allows(host)


@pytest.mark.row("164")
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:3000", "acme.example", "x.status.acme.example"),
        *("127.0.0.1.evil.example", "localhost.evil.example", "evillocalhost"),
        *(
            "status.acme.example@evil.example",
            "[::1",
            "[::1]evil",
            "evil.example@localhost",
            "2130706433",
            "a b",
            "/",
            ":",
        ),
    ],
)
def test_a_name_of_somebody_else_is_not(host: str) -> None:
    assert not HOSTS.allows(host)


def test_without_an_address_of_the_page_there_is_no_name_besides() -> None:
    assert not AllowedHosts.of("", []).allows("status.acme.example")
    assert AllowedHosts.of("", []).allows("localhost")
