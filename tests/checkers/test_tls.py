"""TLS handshakes: versions, names, client certificates, and servers that fail at them."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.tls import TlsChecker
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, attempt_of, closed_port, result_of
from tests.checkers.tls_servers import ROOT, check
from tests.servers.forge import leaf
from tests.servers.web import WebServer


@pytest.mark.parametrize("timeout", [pytest.param(1, id="go-aggressive-timeout")])
def test_timeout_of_a_nanosecond_is_down(roots: str, timeout: int) -> None:
    assert check(leaf(ROOT), roots, timeout=timeout).down


@pytest.mark.row("70")
@pytest.mark.parametrize(
    ("name", "failure"),
    [
        pytest.param("shop.test", "", id="served"),
        pytest.param("other.test", "tls_wrong_host", id="not-served"),
    ],
)
def test_server_name_is_sent_and_verified(roots: str, name: str, failure: str) -> None:
    asked: list[str | None] = []
    context = leaf(ROOT, hosts=("shop.test",)).server()
    context.sni_callback = lambda _, name, __: asked.append(name)

    with WebServer(context) as server:
        checker = TlsChecker(endpoint_url=server.address, trusted_roots=(roots,), server_name=name)
        attempt = attempt_of(checker)

    assert asked == [name]
    assert attempt.failure == failure


@pytest.mark.row("64")
@pytest.mark.parametrize(
    ("highest", "minimum", "failure", "error"),
    [
        pytest.param(ssl.TLSVersion.TLSv1_2, "1.2", "", "", id="1.2-is-enough"),
        pytest.param(ssl.TLSVersion.TLSv1_3, "1.3", "", "", id="1.3-is-enough"),
        pytest.param(
            ssl.TLSVersion.TLSv1_2,
            "1.3",
            "tls_version",
            "the server supports TLS 1.2 at most",
            id="1.2-is-too-low",
        ),
    ],
)
def test_version_has_to_be_high_enough(
    roots: str, highest: ssl.TLSVersion, minimum: Any, failure: str, error: str
) -> None:
    context = leaf(ROOT).server()
    context.maximum_version = highest

    with WebServer(context) as server:
        checker = TlsChecker(
            endpoint_url=server.address, trusted_roots=(roots,), minimum_version=minimum
        )
        attempt = attempt_of(checker)

    assert (attempt.failure, attempt.error) == (failure, error)


@pytest.mark.row("64")
@pytest.mark.parametrize("highest", [pytest.param(ssl.TLSVersion.TLSv1_1, id="1.1")])
def test_version_that_is_not_supported_is_down(roots: str, highest: ssl.TLSVersion) -> None:
    context = leaf(ROOT).server()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = highest

    with listening(lambda accepted: shake_hands(accepted, context)) as address:
        attempt = attempt_of(TlsChecker(endpoint_url=address, trusted_roots=(roots,)))

    assert attempt.failure == "tls_version"
    assert attempt.error == "the server does not support TLS 1.2 or later"


@pytest.mark.row("65")
@pytest.mark.parametrize(
    ("highest", "failure"),
    [
        # Before TLS 1.3 no alert distinguished this from other reasons (RFC 5246, section 7.4.6).
        pytest.param(ssl.TLSVersion.TLSv1_2, "tls_handshake", id="in-the-handshake"),
        pytest.param(ssl.TLSVersion.TLSv1_3, "tls_client_certificate", id="after-it"),
    ],
)
def test_demand_for_a_client_certificate_is_down(
    roots: str, highest: ssl.TLSVersion, failure: str
) -> None:
    context = leaf(ROOT).server()
    context.maximum_version = highest
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(roots)

    with listening(lambda accepted: shake_hands(accepted, context)) as address:
        checker = TlsChecker(endpoint_url=address, trusted_roots=(roots,))
        attempt = attempt_of(checker)

    assert attempt.failure == failure


def test_client_certificate_is_presented(tmp_path: Path, roots: str) -> None:
    context = leaf(ROOT).server()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(roots)
    own = str(tmp_path / "own.pem")
    leaf(ROOT, for_clients=True).write(own)

    with WebServer(context) as server:
        checker = TlsChecker(
            endpoint_url=server.address, trusted_roots=(roots,), client_certificate=own
        )
        attempt = attempt_of(checker)

    assert attempt.error == ""


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the address of a server that serves one connection, each in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:

        def accept() -> None:
            accepted, _ = listener.accept()
            with accepted:
                serve(accepted)

        served = threads.submit(accept)
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        served.result(timeout=30)


def shake_hands(accepted: socket.socket, context: ssl.SSLContext) -> None:
    try:
        context.wrap_socket(accepted, server_side=True).close()
    except ssl.SSLError:
        accepted.close()


def say_http(accepted: socket.socket) -> None:
    accepted.recv(1024)
    accepted.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def trickle(accepted: socket.socket) -> None:
    """Send a handshake record of 1,000 bytes, one byte at a time."""
    accepted.recv(1024)
    try:
        for byte in b"\x16\x03\x03\x03\xe8" + bytes(1000):
            accepted.sendall(bytes([byte]))
            time.sleep(0.02)
    except OSError:
        pass  # the checker has had enough


@pytest.mark.row("33", "36", "69")
@pytest.mark.parametrize(
    ("serve", "failure"),
    [
        pytest.param(socket.socket.close, "tls_handshake", id="closes-at-once"),
        pytest.param(say_http, "tls_not_spoken", id="plain-http"),
        pytest.param(trickle, "tls_timeout", id="trickled-handshake"),
        pytest.param(
            lambda accepted: accepted.sendall(b"220 mail.test ESMTP\r\n"),
            "tls_not_spoken",
            id="starttls-missing",
        ),
    ],
)
def test_server_that_fails_the_handshake_is_down(
    serve: Callable[[socket.socket], None], failure: str
) -> None:
    started = time.monotonic()

    with listening(serve) as address:
        attempt = attempt_of(TlsChecker(endpoint_url=address), seconds=1)

    assert attempt.failure == failure
    assert attempt.error
    assert time.monotonic() - started < 1 + GENEROUS


@pytest.mark.row("36", "B40")
@pytest.mark.parametrize("seconds", [pytest.param(0.4, id="silent-server")])
def test_silent_server_is_given_up(seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        attempt = attempt_of(TlsChecker(endpoint_url=address), seconds)

    assert attempt.failure == "tls_timeout"
    assert attempt.error.startswith("TLS handshake timed out after ")
    assert TlsChecker.default_timeout == 10 * SECOND


@pytest.mark.row("24")
def test_unreachable_is_down() -> None:
    result = result_of(TlsChecker(endpoint_url=f"127.0.0.1:{closed_port()}", attempts=2))

    assert result.down
    assert [attempt.failure for attempt in result.attempts] == ["connect_refused"] * 2


@pytest.mark.row("24")
def test_address_without_a_port_is_unknown() -> None:
    result = result_of(TlsChecker(endpoint_url="127.0.0.1"))

    assert result.status is Status.UNKNOWN
    assert result.failure == "config"


def test_server_that_never_closes_is_not_waited_for(roots: str) -> None:
    context = leaf(ROOT).server()

    def hold(accepted: socket.socket) -> None:
        with context.wrap_socket(accepted, server_side=True, suppress_ragged_eofs=True) as secured:
            time.sleep(1.5)
            secured.close()

    with listening(hold) as address:
        started = time.monotonic()
        attempt = attempt_of(TlsChecker(endpoint_url=address, trusted_roots=(roots,)))
        lasted = time.monotonic() - started

    assert attempt.error == ""
    assert lasted < 1.4


def test_failure_is_an_attempt_and_not_an_exception(tmp_path: Path) -> None:
    checker = TlsChecker(endpoint_url="nowhere", trusted_roots=(str(tmp_path),))

    with pytest.raises(CheckUnknownError):
        attempt_of(checker)
    assert isinstance(attempt_of(TlsChecker(endpoint_url="nowhere")), Attempt)


@pytest.mark.row("67")
def test_revocation_is_not_checked(roots: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        registry.settimeout(0)
        address = f"http://127.0.0.1:{registry.getsockname()[1]}/revoked.crl"
        result = check(leaf(ROOT, revocations=address), roots)
        with pytest.raises(BlockingIOError):
            registry.accept()
    assert result.status is Status.HEALTHY
    documented = " ".join((TlsChecker.__doc__ or "").split())
    assert "Revocation is not checked" in documented
