from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.tls import TlsChecker
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Result, Status
from checkup.times import SECOND
from tests.checkers.looking import GENEROUS, attempt_of, closed_port, is_fresh, result_of
from tests.servers import forge
from tests.servers.forge import Holder, in_days, leaf
from tests.servers.web import WebServer

DAY = 24 * 3600 * SECOND
ROOT = forge.authority()
RSA_ROOT = forge.authority("RSA", rsa=True)
SOON = "certificate expires in "


@pytest.fixture
def roots(tmp_path: Path) -> str:
    """A file with the root that everything here is signed by, unless it is not."""
    path = tmp_path / "roots.pem"
    path.write_text(ROOT.pem + RSA_ROOT.pem)
    return str(path)


@contextmanager
def serving(holder: Holder, **settings: Any) -> Iterator[Callable[..., TlsChecker]]:
    """Yield what makes a checker of a server that has this certificate."""
    with WebServer(holder.server()) as server:
        yield lambda **more: TlsChecker(endpoint_url=server.address, **settings, **more)


def nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * SECOND


def look(holder: Holder, roots: str, **settings: Any) -> Result:
    with serving(holder) as checker:
        return result_of(checker(trusted_roots=(roots,), **settings))


@pytest.mark.row("B34", "B35", "B37")
@pytest.mark.parametrize(
    ("days", "settings", "status", "notice"),
    [
        pytest.param(5, {}, Status.DEGRADED, SOON, id="five-days-left"),
        pytest.param(5, {"cert_expiry_threshold": 0}, Status.DEGRADED, SOON, id="0"),
        pytest.param(60, {}, Status.HEALTHY, "", id="sixty-days-left"),
        pytest.param(5, {"cert_expiry_threshold": 3600 * SECOND}, Status.HEALTHY, "", id="an-hour"),
        pytest.param(5, {"cert_expiry_threshold": -1}, Status.HEALTHY, "", id="never"),
        pytest.param(
            30, {"cert_expiry_threshold": 90 * DAY}, Status.DEGRADED, SOON, id="go-ninety-days"
        ),
        pytest.param(5, {"threshold_rtt": 1}, Status.DEGRADED, SOON, id="expiring-and-slow"),
        pytest.param(
            60,
            {"threshold_rtt": 1},
            Status.DEGRADED,
            "median round trip time exceeded threshold (1ns)",
            id="go-slow",
        ),
        pytest.param(
            5,
            {"threshold_rtt": 1, "cert_expiry_threshold": -1},
            Status.DEGRADED,
            "median round",
            id="slow-and-never",
        ),
    ],
)
def test_certificate_that_ends_soon_is_degraded(
    roots: str, days: int, settings: dict[str, Any], status: Status, notice: str
) -> None:
    result = look(leaf(ROOT, days), roots, **settings)

    assert result.status is status
    assert result.notice.startswith(notice)
    assert bool(result.notice) == bool(notice)


def test_notice_says_how_long_the_certificate_lasts(roots: str) -> None:
    result = look(leaf(ROOT, 5), roots)

    assert result.notice == f"certificate expires in 5 days ({in_days(5):%Y-%m-%d})"


@pytest.mark.parametrize("days", [pytest.param(30, id="go-self-signed-and-trusted")])
def test_trusted_certificate_is_healthy(tmp_path: Path, days: int) -> None:
    own = leaf(None, days)
    (tmp_path / "own.pem").write_text(own.pem)

    with serving(own) as checker:
        result = result_of(
            checker(endpoint_name="Test", attempts=2, trusted_roots=(str(tmp_path / "own.pem"),))
        )

    assert result.healthy
    assert (result.title, len(result.attempts)) == ("Test", 2)
    assert is_fresh(result)
    for attempt in result.attempts:
        assert attempt.certificate_expiry == nanoseconds(in_days(days))
        assert attempt.phases
        assert attempt.phases.tls > 0
        assert attempt.phases.connect + attempt.phases.tls <= attempt.rtt < SECOND


@pytest.mark.parametrize("timeout", [pytest.param(1, id="go-aggressive-timeout")])
def test_timeout_of_a_nanosecond_is_down(roots: str, timeout: int) -> None:
    assert look(leaf(ROOT), roots, timeout=timeout).down


INTERMEDIATE = forge.authority("Intermediate", ROOT)
STRANGER = forge.authority("Stranger")
NAMESAKE = forge.authority("Root")

FLAWS = [
    pytest.param(
        leaf(ROOT, -1, before=-9),
        "tls_expired",
        "certificate has expired",
        id="expired",
    ),
    pytest.param(
        leaf(ROOT, 9, before=1),
        "tls_not_yet_valid",
        "certificate is not valid yet",
        id="not-yet-valid",
    ),
    pytest.param(
        leaf(ROOT, hosts=("elsewhere.test",)),
        "tls_wrong_host",
        "certificate is not valid for this address",
        id="wrong-host",
    ),
    pytest.param(
        leaf(ROOT, hosts=("127.0.0.2",)),
        "tls_wrong_host",
        "certificate is not valid for this address",
        id="wrong-address",
    ),
    pytest.param(
        leaf(ROOT, hosts=()),
        "tls_wrong_host",
        "certificate is not valid for this address",
        id="common-name-only",
    ),
    pytest.param(leaf(None), "tls_untrusted", "certificate is self-signed", id="self-signed"),
    pytest.param(
        leaf(STRANGER),
        "tls_untrusted",
        "certificate chain does not lead to a trusted root",
        id="unknown-root",
    ),
    pytest.param(
        leaf(forge.authority("Expired", ROOT, days=-1, before=-9)),
        "tls_expired",
        "certificate has expired",
        id="intermediate-expired",
    ),
    pytest.param(
        leaf(ROOT, for_clients=True),
        "tls_purpose",
        "certificate is not valid for servers",
        id="for-clients-only",
    ),
    pytest.param(
        forge.signed_with_sha1(leaf(RSA_ROOT), RSA_ROOT),
        "tls_weak",
        "a signature in the certificate chain is too weak",
        id="weak-signature",
    ),
    pytest.param(
        leaf(NAMESAKE, bare=True),
        "tls_untrusted",
        "certificate is not signed by its issuer",
        id="namesake-of-the-root",
    ),
    pytest.param(
        leaf(leaf(INTERMEDIATE, hosts=("no-authority.test",))),
        "tls_untrusted",
        "an issuer in the certificate chain is not a certificate authority",
        id="issuer-is-no-authority",
    ),
]


@pytest.mark.row("59", "60", "61", "62", "63", "B36")
@pytest.mark.parametrize(("holder", "failure", "error"), FLAWS)
def test_bad_certificate_is_down(roots: str, holder: Holder, failure: str, error: str) -> None:
    result = look(holder, roots)

    assert result.down
    assert (result.failure, result.error) == (failure, error)
    assert result.attempts[0].rtt > 0


@pytest.mark.row("61")
@pytest.mark.parametrize("_", [pytest.param(0, id="incomplete-chain")])
def test_chain_without_its_intermediate_is_down(roots: str, _: int) -> None:
    with WebServer(leaf(INTERMEDIATE).server(above=False)) as server:
        checker = TlsChecker(endpoint_url=server.address, trusted_roots=(roots,))
        attempt = attempt_of(checker)

    assert attempt.failure == "tls_untrusted"


@pytest.mark.row("63")
@pytest.mark.parametrize("_", [pytest.param(0, id="no-key-identifiers")])
def test_certificate_without_pedantry_is_healthy(roots: str, _: int) -> None:
    assert look(leaf(ROOT, bare=True), roots).healthy


@pytest.mark.row("62")
@pytest.mark.parametrize("_", [pytest.param(0, id="intermediate-ends-first")])
def test_first_certificate_of_the_chain_to_end_counts(roots: str, _: int) -> None:
    ending = forge.authority("Ending", ROOT, days=5)

    result = look(leaf(ending, 60), roots)

    assert result.degraded
    assert result.notice.startswith(SOON)
    assert result.attempts[0].certificate_expiry == nanoseconds(in_days(5))


@pytest.mark.row("66")
def test_other_certificates_do_not_count_without_verification() -> None:
    """An expired cross-signature is often sent along; only the server's own certificate is used."""
    holder = leaf(ROOT, 60)
    holder.above.append(forge.authority("Expired", days=-1, before=-9).certificate)

    with serving(holder) as checker:
        result = result_of(checker(tls_skip_verify=True))

    assert result.healthy
    assert result.attempts[0].certificate_expiry == nanoseconds(in_days(60))


def test_certificate_that_the_path_does_not_need_does_not_count(roots: str) -> None:
    good = leaf(INTERMEDIATE, 60)
    good.above.append(leaf(STRANGER, 5).certificate)

    assert look(good, roots).healthy


@pytest.mark.row("62")
@pytest.mark.parametrize(
    ("days", "failure", "error"),
    [
        pytest.param(2, "tls_expiring", "certificate expires in 2 days (", id="leaf"),
        pytest.param(4, "", "", id="later"),
    ],
)
def test_second_threshold_is_down(roots: str, days: int, failure: str, error: str) -> None:
    result = look(leaf(ROOT, days), roots, cert_expiry_down_threshold=3 * DAY)

    assert result.status is (Status.DOWN if failure else Status.DEGRADED)
    assert result.failure == failure
    assert result.error.startswith(error)
    assert result.attempts[0].certificate_expiry == nanoseconds(in_days(days))


@pytest.mark.row("B39")
def test_trusted_roots_replace_the_systems(
    tmp_path: Path, roots: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.pem").write_text(STRANGER.pem)
    monkeypatch.setenv("SSL_CERT_FILE", roots)

    with serving(leaf(ROOT)) as checker:
        by_system = attempt_of(checker())
        by_file = attempt_of(checker(trusted_roots=(str(tmp_path / "stranger.pem"),)))

    assert (by_system.failure, by_file.failure) == ("", "tls_untrusted")


def test_several_files_are_trusted_together(tmp_path: Path, roots: str) -> None:
    (tmp_path / "stranger.pem").write_text(STRANGER.pem)
    both = (str(tmp_path / "stranger.pem"), roots)

    with serving(leaf(ROOT)) as checker, serving(leaf(STRANGER)) as other:
        attempts = [attempt_of(one(trusted_roots=both)) for one in (checker, other)]

    assert [attempt.error for attempt in attempts] == ["", ""]


@pytest.mark.row("B38")
@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(None, "trusted_roots: cannot read the root certificates", id="missing"),
        pytest.param("", "trusted_roots: cannot parse the root certificates", id="empty"),
        pytest.param("none", "trusted_roots: cannot parse the root certificates", id="garbage"),
    ],
)
def test_roots_that_cannot_be_read_are_the_monitors_own_trouble(
    tmp_path: Path, roots: str, content: str | None, error: str
) -> None:
    path = tmp_path / "more.pem"
    if content is not None:
        path.write_text(content)

    with serving(leaf(ROOT)) as checker:
        result = result_of(checker(trusted_roots=(roots, str(path))))

    assert result.status is Status.UNKNOWN
    assert (result.failure, result.error) == ("config", error)


@pytest.mark.row("66")
@pytest.mark.parametrize(
    ("holder", "failure", "status"),
    [
        pytest.param(leaf(None), "", Status.HEALTHY, id="self-signed"),
        pytest.param(leaf(STRANGER, hosts=("elsewhere",)), "", Status.HEALTHY, id="wrong-host"),
        pytest.param(leaf(None, 5), "", Status.DEGRADED, id="expiring"),
        pytest.param(leaf(None, -1, before=-9), "tls_expired", Status.DOWN, id="expired"),
    ],
)
def test_end_of_a_certificate_counts_without_verification(
    holder: Holder, failure: str, status: Status
) -> None:
    with serving(holder) as checker:
        result = result_of(checker(tls_skip_verify=True))

    assert (result.status, result.failure) == (status, failure)
    expected = nanoseconds(holder.certificate.not_valid_after_utc)
    assert result.attempts[0].certificate_expiry == expected
    assert not failure or result.error.startswith("certificate expired 1 day ago (")


@pytest.mark.row("60")
@pytest.mark.parametrize(
    ("settings", "failure", "error"),
    [
        pytest.param({"expected_issuer": "INTERMEDIATE"}, "", "", id="issuer-name"),
        pytest.param({"expected_issuer": "Forge"}, "", "", id="issuer-organization"),
        pytest.param(
            {"expected_issuer": "Let's Encrypt"},
            "tls_issuer",
            "certificate is issued by 'Forge, Intermediate'",
            id="issuer-another",
        ),
        pytest.param(
            {"expected_names": ("localhost", "SHOP.test.", "api.shop.test", "::1")},
            "",
            "",
            id="names-all",
        ),
        pytest.param({"expected_names": ("*.shop.test",)}, "", "", id="names-the-wildcard-itself"),
        pytest.param(
            {"expected_names": ("a.b.shop.test",)},
            "tls_names",
            "certificate is not valid for 'a.b.shop.test'",
            id="names-wildcard-too-deep",
        ),
        pytest.param(
            {"expected_names": ("localhost", "10.0.0.1")},
            "tls_names",
            "certificate is not valid for '10.0.0.1'",
            id="names-address",
        ),
    ],
)
@pytest.mark.parametrize("verified", [True, False], ids=["verified", "unverified"])
def test_expectations_of_the_certificate(
    roots: str, settings: dict[str, Any], failure: str, error: str, *, verified: bool
) -> None:
    hosts = (*forge.HOSTS, "shop.test", "*.shop.test", "0:0::1")
    trust: dict[str, Any] = {"trusted_roots": (roots,)} if verified else {"tls_skip_verify": True}

    with serving(leaf(INTERMEDIATE, hosts=hosts)) as checker:
        attempt = attempt_of(checker(**trust, **settings))

    assert (attempt.failure, attempt.error) == (failure, error)


@pytest.mark.row("70")
@pytest.mark.parametrize(
    ("name", "failure"),
    [
        pytest.param("shop.test", "", id="served"),
        pytest.param("other.test", "tls_wrong_host", id="not-served"),
    ],
)
def test_server_name_is_asked_for_and_verified(roots: str, name: str, failure: str) -> None:
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
def test_version_that_is_not_spoken_here_is_down(roots: str, highest: ssl.TLSVersion) -> None:
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
        # Before TLS 1.3 no alert told this from other reasons (RFC 5246, section 7.4.6).
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
def test_server_that_does_not_shake_hands_is_down(
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


def test_server_that_never_says_goodbye_is_not_waited_for(roots: str) -> None:
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


def test_trouble_is_an_attempt_and_not_an_exception(tmp_path: Path) -> None:
    checker = TlsChecker(endpoint_url="nowhere", trusted_roots=(str(tmp_path),))

    with pytest.raises(CheckUnknownError):
        attempt_of(checker)
    assert isinstance(attempt_of(TlsChecker(endpoint_url="nowhere")), Attempt)


@pytest.mark.row("67")
def test_a_revoked_certificate_is_not_noticed_for_nobody_is_asked(roots: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as registry:
        registry.settimeout(0)
        address = f"http://127.0.0.1:{registry.getsockname()[1]}/revoked.crl"
        result = look(leaf(ROOT, revocations=address), roots)
        with pytest.raises(BlockingIOError):
            registry.accept()
    assert result.status is Status.HEALTHY
    told = " ".join((TlsChecker.__doc__ or "").split())
    assert "Revocation is not checked" in told
