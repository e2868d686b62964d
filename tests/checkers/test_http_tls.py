from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest

from checkup.checkers.http import HttpChecker
from checkup.model import Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, attempt_of, result_of
from tests.servers.base import SocketServer
from tests.servers.certificates import EXPIRY, Authority
from tests.servers.web import WebServer


def test_good_certificate_is_healthy_and_its_end_is_known(trusted: Authority) -> None:
    with WebServer(trusted.good()) as web:
        checker = HttpChecker(endpoint_url=web.url(host="localhost"), must_contain="up")
        attempt = attempt_of(checker)

    assert attempt.error == ""
    assert attempt.certificate_expiry == int(EXPIRY.timestamp()) * SECOND
    assert attempt.phases
    assert attempt.phases.tls > 0


@pytest.mark.row("59", "60")
@pytest.mark.parametrize(
    ("flaw", "failure", "error"),
    [
        pytest.param(Authority.expired, "tls_expired", "certificate has expired", id="expired"),
        pytest.param(
            Authority.not_yet_valid,
            "tls_not_yet_valid",
            "certificate is not valid yet",
            id="not-yet-valid",
        ),
        pytest.param(
            Authority.wrong_host,
            "tls_wrong_host",
            "certificate is not valid for this address",
            id="wrong-host",
        ),
        pytest.param(
            Authority.common_name_only,
            "tls_wrong_host",
            "certificate is not valid for this host",
            id="common-name-only",
        ),
    ],
)
def test_bad_certificate_is_down(
    trusted: Authority, flaw: Callable[[Authority], ssl.SSLContext], failure: str, error: str
) -> None:
    host = "localhost" if flaw is Authority.common_name_only else "127.0.0.1"
    with WebServer(flaw(trusted)) as web:
        result = result_of(HttpChecker(endpoint_url=web.url(host=host)))

    assert result.down
    assert (result.failure, result.error) == (failure, error)


@pytest.mark.row("61")
@pytest.mark.parametrize("host", [pytest.param("localhost", id="unknown-root")])
def test_unknown_root_is_down(stranger: Authority, host: str) -> None:
    with WebServer(stranger.good()) as web:
        attempt = attempt_of(HttpChecker(endpoint_url=web.url(host=host)))

    assert attempt.failure == "tls_untrusted"
    assert attempt.certificate_expiry == 0


def test_roots_that_were_updated_are_used(
    stranger: Authority, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(stranger.roots))
    with WebServer(authority.good()) as web:
        checker = HttpChecker(endpoint_url=web.url())
        before = attempt_of(checker)
        stranger.roots.write_bytes(stranger.roots.read_bytes() + authority.roots.read_bytes())
        after = attempt_of(checker)

    assert (before.failure, after.failure) == ("tls_untrusted", "")


@pytest.mark.row("69")
@pytest.mark.parametrize("scheme", [pytest.param("https", id="no-tls")])
def test_plain_server_does_not_support_tls(web: WebServer, scheme: str) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=f"{scheme}://{web.address}/"), seconds=3)

    assert attempt.failure in {"tls_not_spoken", "tls_handshake", "tls_timeout"}


@pytest.mark.row("36")
@pytest.mark.parametrize("limit", [pytest.param(0.4, id="silent-handshake")])
def test_handshake_that_stalls_is_down_in_time(limit: float) -> None:
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        attempt = attempt_of(HttpChecker(endpoint_url=url), seconds=limit)

    assert attempt.failure == "tls_timeout"
    assert attempt.error.startswith("TLS handshake timed out after ")
    assert time.monotonic() - started < GENEROUS


@pytest.mark.parametrize("path", ["/silent", "/trickled-headers", "/trickled-body"])
def test_deadline_holds_under_tls(trusted: Authority, path: str) -> None:
    started = time.monotonic()
    with WebServer(trusted.good()) as web:
        checker = HttpChecker(endpoint_url=web.url(path), must_contain="x" * 99)
        attempt = attempt_of(checker, seconds=0.5)

    assert attempt.failure == "deadline"
    assert time.monotonic() - started < GENEROUS


@pytest.mark.row("65")
def test_demand_for_a_client_certificate_is_named(trusted: Authority) -> None:
    context = trusted.good()
    context.load_verify_locations(trusted.roots)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with ThreadPoolExecutor(1) as threads:
            refusal = threads.submit(handshake, listener, context)
            attempt = attempt_of(HttpChecker(endpoint_url=url), seconds=5)

    assert refusal.result() == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert attempt.failure == "tls_client_certificate"
    assert attempt.error == "the server requires a client certificate"


def handshake(listener: socket.socket, context: ssl.SSLContext) -> str:
    """Accept one connection and return why its handshake failed."""
    accepted, _ = listener.accept()
    with context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False) as secured:
        try:
            secured.do_handshake()
        except ssl.SSLError as error:
            socket.socket.recv(
                secured, 65_536
            )  # closing with unread data would take the alert back
            return str(error.reason)
    return ""


def test_own_roots_replace_the_systems(authority: Authority, stranger: Authority) -> None:
    with WebServer(authority.good()) as web:
        good = attempt_of(HttpChecker(endpoint_url=web.url(), tls_ca_file=str(authority.roots)))
        bad = attempt_of(HttpChecker(endpoint_url=web.url(), tls_ca_file=str(stranger.roots)))
        gone = attempt_of(HttpChecker(endpoint_url=web.url(), tls_ca_file="/no/such/file"))

    assert good.error == ""
    assert bad.failure == "tls_untrusted"
    assert gone.failure == "tls_roots"


@pytest.mark.row("66")
@pytest.mark.parametrize("flaw", [pytest.param(Authority.expired, id="expired")])
def test_any_certificate_is_accepted_on_request_and_its_expiry_is_kept(
    stranger: Authority, flaw: Callable[[Authority], ssl.SSLContext]
) -> None:
    with WebServer(flaw(stranger)) as web:
        checker = HttpChecker(
            endpoint_url=web.url(), tls_skip_verify=True, cert_expiry_threshold=SECOND
        )
        result = result_of(checker)

    assert result.degraded
    assert result.notice.startswith("certificate expired ")


@pytest.mark.parametrize("sought", ["certificate", "both"])
def test_client_certificate_is_presented(trusted: Authority, tmp_path: Path, sought: str) -> None:
    certificate, key = trusted.client(tmp_path)
    if sought == "certificate":
        both = Path(certificate).read_bytes() + Path(key).read_bytes()
        Path(certificate).write_bytes(both)
        key = ""
    with WebServer(trusted.demanding()) as web:
        checker = HttpChecker(
            endpoint_url=web.url(), client_certificate=certificate, client_key=key
        )
        attempt = attempt_of(checker)

    assert attempt.error == ""


@pytest.mark.parametrize("content", [None, b"garbage"], ids=["missing", "garbage"])
def test_unusable_client_certificate_is_a_mistake_of_ours(
    tmp_path: Path, content: bytes | None
) -> None:
    certificate = tmp_path / "client.pem"
    if content:
        certificate.write_bytes(content)

    result = result_of(
        HttpChecker(endpoint_url="https://127.0.0.1:1/", client_certificate=str(certificate))
    )

    assert result.failure == "config"
    assert result.error == "cannot read the client certificate or its key"


@pytest.mark.row("70")
@pytest.mark.parametrize("name", [pytest.param("shop.test", id="other-name")])
def test_server_name_is_asked_and_verified_for(trusted: Authority, name: str) -> None:
    with WebServer(trusted.named(name)) as web:
        right = attempt_of(HttpChecker(endpoint_url=web.url(), server_name=name))
        wrong = attempt_of(HttpChecker(endpoint_url=web.url(), server_name="other.test"))

    assert right.error == ""
    assert wrong.failure == "tls_wrong_host"


@pytest.mark.row("68", "B37")
@pytest.mark.parametrize(
    ("days", "slow", "notice"),
    [
        pytest.param(61, 0, "certificate expires in 60 days (", id="less-than-the-limit"),
        pytest.param(59, 0, "", id="more-than-the-limit"),
        pytest.param(0, 0, "", id="no-limit"),
        pytest.param(61, 1, "certificate expires in 60 days (", id="and-slow"),
    ],
)
def test_certificate_that_expires_soon_is_degraded(
    trusted: Authority, days: int, slow: int, notice: str
) -> None:
    with WebServer(trusted.good()) as web:
        checker = HttpChecker(
            endpoint_url=web.url(),
            cert_expiry_threshold=days * 24 * 3600 * SECOND,
            threshold_rtt=slow,
        )
        result = result_of(checker)

    assert result.degraded is bool(notice)
    assert result.notice.startswith(notice)


def test_client_certificate_is_not_shown_to_another_server(
    trusted: Authority, tmp_path: Path
) -> None:
    certificate, key = trusted.client(tmp_path)
    with WebServer(trusted.good()) as web, WebServer(trusted.demanding()) as other:
        target = quote(quote(other.url("/up"), safe=""))
        checker = HttpChecker(
            endpoint_url=web.url(f"/redirect-to/{target}"),
            follow_redirects=1,
            client_certificate=certificate,
            client_key=key,
        )
        attempt = attempt_of(checker)

    assert attempt.failure in {"tls_client_certificate", "empty_reply", "connect_reset"}
    assert other.requests == []


class AlertingServer(SocketServer):
    """Answers the client's first message with a fatal TLS alert."""

    def __init__(self, alert: int) -> None:
        self._alert = alert
        super().__init__()

    def serve(self, client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(bytes([21, 3, 3, 0, 2, 2, self._alert]))
        client.recv(65_536)


def test_server_without_http_1_is_unknown() -> None:
    """curl gets through: it has HTTP/2."""
    with AlertingServer(120) as server:
        result = result_of(HttpChecker(endpoint_url=f"https://{server.address}/"))

    assert (result.status, result.failure) == (Status.UNKNOWN, "unsupported")


def test_other_alert_means_down() -> None:
    with AlertingServer(40) as server:
        result = result_of(HttpChecker(endpoint_url=f"https://{server.address}/"))

    assert (result.status, result.attempts[0].failure) == (Status.DOWN, "tls_handshake")
