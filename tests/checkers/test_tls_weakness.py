"""Weak TLS is accepted, as clients do, unless a checker asks to hear of it."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from checkup.checkers.http import HttpChecker
from checkup.checkers.tcp import TcpChecker
from checkup.checkers.tls import TlsChecker
from checkup.model import Result, Status
from checkup.times import SECOND
from tests.checkers.results import result_of
from tests.servers import forge
from tests.servers.web import WebServer

RSA = forge.leaf(None, 90, weak=True)
KINDS = ["http", "tcp", "tls"]


def check(kind: str, suite: str, **settings: Any) -> Result:
    """Check a server that has one cipher suite."""
    context = RSA.server()
    if suite.startswith("TLS_"):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    else:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{suite}:@SECLEVEL=0")
    with WebServer(context) as server:
        checkers = {
            "http": HttpChecker(endpoint_url=server.url(), tls_skip_verify=True, **settings),
            "tcp": TcpChecker(
                endpoint_url=server.address, tls=True, tls_skip_verify=True, **settings
            ),
            "tls": TlsChecker(
                endpoint_url=server.address,
                tls_skip_verify=True,
                **{"cert_expiry_threshold": -1, **settings},
            ),
        }
        return result_of(checkers[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("suite", "notice"),
    [
        ("AES128-GCM-SHA256", "weak TLS: no forward secrecy (AES128-GCM-SHA256)"),
        ("AES256-SHA", "weak TLS: no forward secrecy (AES256-SHA)"),
        ("ECDHE-RSA-AES256-SHA", "weak TLS: cipher in CBC mode (ECDHE-RSA-AES256-SHA)"),
        ("ECDHE-RSA-AES256-SHA384", "weak TLS: cipher in CBC mode (ECDHE-RSA-AES256-SHA384)"),
        ("ECDHE-RSA-AES128-GCM-SHA256", ""),
        ("ECDHE-RSA-CHACHA20-POLY1305", ""),
        ("TLS_AES_256_GCM_SHA384", ""),
    ],
)
def test_weak_suite_is_degraded_on_request(kind: str, suite: str, notice: str) -> None:
    result = check(kind, suite, weak_tls="degraded")

    assert result.status is (Status.DEGRADED if notice else Status.HEALTHY)
    assert result.notice == notice


@pytest.mark.parametrize("kind", KINDS)
def test_weak_suite_is_accepted_by_default(kind: str) -> None:
    assert check(kind, "AES256-SHA").status is Status.HEALTHY


def test_end_of_a_certificate_is_reported_before_weakness() -> None:
    longer_than_is_left = 90 * 86_400 * SECOND + 43_200 * SECOND

    result = check(
        "tls", "AES256-SHA", weak_tls="degraded", cert_expiry_threshold=longer_than_is_left
    )

    assert result.status is Status.DEGRADED
    assert result.notice.startswith("certificate expires")
