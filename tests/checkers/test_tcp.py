from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.tcp import TcpChecker
from checkup.model import Result, Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, attempt_of, closed_port, is_fresh, result_of
from tests.servers.certificates import EXPIRY, Authority
from tests.servers.web import WebServer


@pytest.fixture
def listening() -> Iterator[str]:
    """The address of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def tls_web(authority: Authority) -> Iterator[WebServer]:
    with WebServer(authority.good()) as server:
        yield server


@pytest.mark.row("B02", "B03", "B25")
@pytest.mark.parametrize(
    ("threshold", "status"),
    [
        pytest.param(0, Status.HEALTHY, id="open"),
        pytest.param(1, Status.DEGRADED, id="slow"),
        pytest.param(60 * SECOND, Status.HEALTHY, id="fast"),
    ],
)
def test_open_port(listening: str, threshold: int, status: Status) -> None:
    checker = TcpChecker(endpoint_url=listening, attempts=2, threshold_rtt=threshold)

    result = result_of(checker)

    assert result.status is status
    assert len(result.attempts) == 2
    assert all(0 < attempt.rtt < SECOND for attempt in result.attempts)
    assert is_fresh(result)


@pytest.mark.row("B06")
def test_degraded_says_why(listening: str) -> None:
    result = result_of(TcpChecker(endpoint_url=listening, threshold_rtt=1))

    assert result.notice == "median round trip time exceeded threshold (1ns)"
    assert result.threshold == 1


@pytest.mark.row("B25")
def test_unreachable_is_down() -> None:
    result = result_of(TcpChecker(endpoint_url=f"127.0.0.1:{closed_port()}", attempts=2))

    assert result.status is Status.DOWN
    assert [attempt.failure for attempt in result.attempts] == ["connect_refused"] * 2


@pytest.mark.row("B25")
@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="missing-port"),
        pytest.param("", id="nothing"),
        pytest.param("::1:80", id="no-brackets"),
        pytest.param("127.0.0.1:65536", id="port-too-high"),
        pytest.param("127.0.0.1:no-such-service", id="no-such-service"),
    ],
)
def test_invalid_address_is_unknown(address: str) -> None:
    result = result_of(TcpChecker(endpoint_url=address, attempts=2))

    assert result.status is Status.UNKNOWN
    assert [attempt.failure for attempt in result.attempts] == ["config"]


def test_host_may_be_left_out(listening: str) -> None:
    port = listening.rpartition(":")[2]

    assert attempt_of(TcpChecker(endpoint_url=f":{port}")).error == ""


@pytest.mark.parametrize("timeout", [pytest.param(1, id="aggressive-timeout")])
def test_timeout_of_a_nanosecond_is_down(listening: str, timeout: int) -> None:
    result = result_of(TcpChecker(endpoint_url=listening, attempts=2, timeout=timeout))

    assert result.down
    assert len(result.attempts) == 2


@pytest.mark.row("B26")
@pytest.mark.parametrize("timeout", [pytest.param(None, id="absent"), pytest.param(0, id="0")])
def test_default_timeout_is_a_second(listening: str, timeout: int | None) -> None:
    started = time.monotonic()

    result = result_of(TcpChecker(endpoint_url=listening, tls=True, timeout=timeout))

    assert result.failure == "tls_timeout"
    assert 0.95 < time.monotonic() - started < 1 + GENEROUS


@pytest.mark.row("B27")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"tls_skip_verify": True}, id="skip"),
        pytest.param({"tls_ca_file": "ROOTS"}, id="ca-file"),
    ],
)
def test_tls_with_what_it_trusts(
    tls_web: WebServer, authority: Authority, settings: dict[str, Any]
) -> None:
    if "tls_ca_file" in settings:
        settings = {"tls_ca_file": str(authority.roots)}

    def result(**more: Any) -> Result:
        return result_of(
            TcpChecker(endpoint_url=tls_web.address, tls=True, attempts=2, **settings, **more)
        )

    good = result()
    assert good.healthy
    assert [attempt.error for attempt in good.attempts] == ["", ""]
    assert {attempt.certificate_expiry for attempt in good.attempts} == {
        int(EXPIRY.timestamp()) * SECOND
    }
    assert result(threshold_rtt=1).degraded


@pytest.mark.row("B27")
@pytest.mark.parametrize("settings", [pytest.param({}, id="unknown-root")])
def test_unknown_root_is_down(tls_web: WebServer, settings: dict[str, Any]) -> None:
    result = result_of(TcpChecker(endpoint_url=tls_web.address, tls=True, attempts=2, **settings))

    assert result.down
    assert [attempt.failure for attempt in result.attempts] == ["tls_untrusted"] * 2
    assert is_fresh(result)


def test_roots_of_the_file_replace_the_systems(trusted: Authority, stranger: Authority) -> None:
    with WebServer(trusted.good()) as server:
        checker = TcpChecker(endpoint_url=server.address, tls=True, tls_ca_file=str(stranger.roots))
        attempt = attempt_of(checker)

    assert attempt.failure == "tls_untrusted"


@pytest.mark.row("B28")
@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(None, "cannot read the root certificates", id="missing"),
        pytest.param(b"garbage", "cannot parse the root certificates", id="garbage"),
        pytest.param(b"", "cannot parse the root certificates", id="empty"),
        pytest.param(b"\xff\x00", "cannot parse the root certificates", id="binary"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot parse the root certificates",
            id="damaged",
        ),
    ],
)
def test_unusable_root_file_is_down(
    tls_web: WebServer, tmp_path: Path, content: bytes | None, error: str
) -> None:
    roots = tmp_path / "roots.pem"
    if content is not None:
        roots.write_bytes(content)
    checker = TcpChecker(endpoint_url=tls_web.address, tls=True, tls_ca_file=str(roots))

    result = result_of(checker)

    assert result.down
    assert result.error == error


def test_root_file_is_read_again_when_it_has_changed(
    tls_web: WebServer, authority: Authority, tmp_path: Path
) -> None:
    roots = tmp_path / "roots.pem"
    checker = TcpChecker(endpoint_url=tls_web.address, tls=True, tls_ca_file=str(roots))

    roots.write_bytes(b"garbage")
    before = attempt_of(checker)
    roots.write_bytes(authority.roots.read_bytes())
    os.utime(roots, ns=(0, 0))
    after = attempt_of(checker)

    assert (before.error, after.error) == ("cannot parse the root certificates", "")


@pytest.mark.row("59", "60")
@pytest.mark.parametrize(
    ("flaw", "failure"),
    [
        pytest.param(Authority.expired, "tls_expired"),
        pytest.param(Authority.wrong_host, "tls_wrong_host"),
    ],
)
def test_bad_certificate_is_down_unless_it_is_not_verified(
    authority: Authority, flaw: Callable[[Authority], Any], failure: str
) -> None:
    with WebServer(flaw(authority)) as server:
        address, roots = server.address, str(authority.roots)
        verified = attempt_of(TcpChecker(endpoint_url=address, tls=True, tls_ca_file=roots))
        accepted = attempt_of(TcpChecker(endpoint_url=address, tls=True, tls_skip_verify=True))

    assert verified.failure == failure
    assert accepted.error == ""
    assert accepted.certificate_expiry > 0


def test_no_http_library_is_loaded() -> None:
    script = "import sys, checkup.checkers.tcp; print({'requests', 'urllib3'} & set(sys.modules))"

    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert ended.stdout == "set()\n"
