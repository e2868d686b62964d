"""Which certificates a tls check accepts, and which expectations of them it compares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.tls import TlsChecker
from checkup.model import Status
from checkup.times import DAY, SECOND
from tests.checkers.results import attempt_of, is_fresh, result_of
from tests.checkers.tls_servers import INTERMEDIATE, ROOT, RSA_ROOT, check, nanoseconds, serving
from tests.servers import forge
from tests.servers.forge import Holder, in_days, leaf
from tests.servers.web import WebServer

SOON = "certificate expires in "


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
def test_certificate_that_expires_soon_is_degraded(
    roots: str, days: int, settings: dict[str, Any], status: Status, notice: str
) -> None:
    result = check(leaf(ROOT, days, before=-365), roots, **settings)

    assert result.status is status
    assert result.notice.startswith(notice)
    assert bool(result.notice) == bool(notice)


def test_notice_says_how_long_the_certificate_lasts(roots: str) -> None:
    result = check(leaf(ROOT, 5, before=-85), roots)

    assert result.notice == f"certificate expires in 5 days ({in_days(5):%Y-%m-%d})"


HEALTHY, DEGRADED, DOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN


@pytest.mark.parametrize(
    ("lifetime", "left", "status"),
    [
        pytest.param(6, 2.1, HEALTHY, id="six-days-in-time"),
        pytest.param(6, 1.9, DEGRADED, id="six-days-due"),
        pytest.param(45, 15.1, HEALTHY, id="45-days-a-third-left"),
        pytest.param(45, 14.1, HEALTHY, id="45-days-in-time"),
        pytest.param(45, 13.9, DEGRADED, id="45-days-due"),
        pytest.param(30, 10.1, HEALTHY, id="30-days-in-time"),
        pytest.param(30, 9.9, DEGRADED, id="30-days-due"),
        pytest.param(90, 14.1, HEALTHY, id="90-days-in-time"),
        pytest.param(90, 13.9, DEGRADED, id="90-days-due"),
        pytest.param(398, 14.1, HEALTHY, id="398-days-in-time"),
        pytest.param(398, 13.9, DEGRADED, id="398-days-due"),
    ],
)
def test_certificate_is_due_by_its_lifetime(
    roots: str, lifetime: float, left: float, status: Status
) -> None:
    holder = leaf(ROOT, left, before=left - lifetime)

    assert check(holder, roots).status is status


@pytest.mark.parametrize(
    ("left", "settings", "status"),
    [
        pytest.param(5, {"cert_expiry_threshold": 14 * DAY}, HEALTHY, id="degraded-in-time"),
        pytest.param(1, {"cert_expiry_threshold": 14 * DAY}, DEGRADED, id="degraded-due"),
        pytest.param(5, {"cert_expiry_threshold": 5.9 * DAY}, DEGRADED, id="just-shorter"),
        pytest.param(5, {"cert_expiry_down_threshold": 7 * DAY}, HEALTHY, id="down-in-time"),
        pytest.param(1, {"cert_expiry_down_threshold": 7 * DAY}, DEGRADED, id="down-due"),
        pytest.param(5, {"cert_expiry_down_threshold": 5.9 * DAY}, DOWN, id="down-just-shorter"),
    ],
)
def test_threshold_longer_than_the_lifetime_is_a_warning_and_no_state(
    roots: str,
    caplog: pytest.LogCaptureFixture,
    left: float,
    settings: dict[str, float],
    status: Status,
) -> None:
    holder = leaf(ROOT, left, before=left - 6)
    whole = {key: int(value) for key, value in settings.items()}
    checker_id = f"shop-{left}-{settings}-{status}"  # each is warned of once

    result = check(holder, roots, id=checker_id, **whole)

    assert result.status is status
    [(key, threshold)] = whole.items()
    is_too_long = threshold > 6 * DAY
    assert is_too_long == (f"{checker_id}: {key} is " in caplog.text)
    assert is_too_long == ("but the certificate's lifetime is 144h" in caplog.text)


def test_each_certificate_of_the_chain_is_due_by_its_own_lifetime(roots: str) -> None:
    ending = forge.authority("Ending", ROOT, days=10, before=-1000)

    assert check(leaf(ending, 5, before=-1), roots).degraded
    assert check(leaf(INTERMEDIATE, 5, before=-1), roots).healthy


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
    result = check(holder, roots)

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
def test_certificate_without_key_identifiers_is_healthy(roots: str, _: int) -> None:
    assert check(leaf(ROOT, bare=True), roots).healthy


@pytest.mark.row("62")
@pytest.mark.parametrize("_", [pytest.param(0, id="intermediate-ends-first")])
def test_first_certificate_of_the_chain_to_end_counts(roots: str, _: int) -> None:
    ending = forge.authority("Ending", ROOT, days=5, before=-365)

    result = check(leaf(ending, 60), roots)

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

    assert check(good, roots).healthy


@pytest.mark.row("62")
@pytest.mark.parametrize(
    ("days", "failure", "error"),
    [
        pytest.param(2, "tls_expiring", "certificate expires in 2 days (", id="leaf"),
        pytest.param(4, "", "", id="later"),
    ],
)
def test_second_threshold_is_down(roots: str, days: int, failure: str, error: str) -> None:
    result = check(leaf(ROOT, days, before=-85), roots, cert_expiry_down_threshold=3 * DAY)

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
def test_roots_that_cannot_be_read_are_unknown(
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
        pytest.param(leaf(None, 5, before=-85), "", Status.DEGRADED, id="expiring"),
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
