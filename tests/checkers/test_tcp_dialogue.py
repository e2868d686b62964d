"""Words over a connection: send, expect and STARTTLS."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import pytest

from checkup.checkers.tcp import TcpChecker
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, attempt_of, result_of
from tests.servers.certificates import EXPIRY, Authority
from tests.servers.lines import HOLD, TLS, WAIT, LineServer

SMTP = (
    "220-mail.test\r\n220 ready\r\n",
    WAIT,
    "250-mail.test\r\n250-STARTTLS\r\n250 SIZE 5\r\n",
    WAIT,
    "220 go ahead\r\n",
    TLS,
)
IMAP = ("* OK IMAP4rev1 ready\r\n", WAIT, "* CAPABILITY\r\na OK begin TLS\r\n", TLS)
POP3 = ("+OK POP3 ready\r\n", WAIT, "+OK begin TLS\r\n", TLS)
SCRIPTS = {"smtp": SMTP, "imap": IMAP, "pop3": POP3}


def talking(server: LineServer, **settings: Any) -> TcpChecker:
    return TcpChecker(endpoint_url=server.address, timeout=5 * SECOND, **settings)


@pytest.mark.parametrize("protocol", SCRIPTS)
def test_starttls_leads_to_a_verified_certificate(authority: Authority, protocol: str) -> None:
    script = (*SCRIPTS[protocol], HOLD)
    with LineServer(script, authority.good()) as server:
        checker = talking(server, starttls=protocol, tls_ca_file=str(authority.roots))
        attempt = attempt_of(checker)

    assert attempt.error == ""
    assert attempt.certificate_expiry == int(EXPIRY.timestamp()) * SECOND
    assert attempt.phases
    assert attempt.phases.wait > 0
    assert attempt.phases.tls > 0


def test_text_is_sent_under_tls_after_starttls(authority: Authority) -> None:
    script = (*SMTP, WAIT, "250 under TLS\r\n", HOLD)
    with LineServer(script, authority.good()) as server:
        checker = talking(
            server,
            starttls="smtp",
            tls_ca_file=str(authority.roots),
            send="EHLO me\r\n",
            expect="under TLS",
        )
        attempt = attempt_of(checker)

    assert attempt.error == ""
    assert server.heard == [b"EHLO checkup.invalid\r\n", b"STARTTLS\r\n", b"EHLO me\r\n"]


@pytest.mark.row("33", "69")
@pytest.mark.parametrize(
    ("protocol", "script", "failure"),
    [
        pytest.param("smtp", ("554 go away\r\n",), "protocol", id="smtp-no-greeting"),
        pytest.param("smtp", ("SSH-2.0-x\r\n", HOLD), "deadline", id="ssh"),
        pytest.param(
            "smtp",
            ("220 hi\r\n", WAIT, "250-a\r\n250 SIZE\r\n", HOLD),
            "starttls_refused",
            id="smtp-none",
        ),
        pytest.param(
            "smtp",
            ("220 hi\r\n", WAIT, "250 STARTTLS\r\n", WAIT, "454 not now\r\n", HOLD),
            "starttls_refused",
            id="smtp-not-now",
        ),
        pytest.param(
            "smtp",
            ("220 hi\r\n", WAIT, "250 STARTTLSX\r\n", HOLD),
            "starttls_refused",
            id="smtp-other-word",
        ),
        pytest.param("imap", ("* BYE\r\n", HOLD), "protocol", id="imap-bye"),
        pytest.param(
            "imap",
            ("* OK\r\n", WAIT, "a BAD what\r\n", HOLD),
            "starttls_refused",
            id="imap-bad",
        ),
        pytest.param(
            "pop3",
            ("+OK\r\n", WAIT, "-ERR no\r\n", HOLD),
            "starttls_refused",
            id="pop3-err",
        ),
        pytest.param("pop3", ("",), "expect_mismatch", id="closed-at-once"),
    ],
)
def test_server_without_starttls_is_down(
    protocol: Any, script: Sequence[str], failure: str
) -> None:
    with LineServer(script) as server:
        checker = TcpChecker(endpoint_url=server.address, starttls=protocol)
        attempt = attempt_of(checker, seconds=0.7)

    assert attempt.failure == failure


def test_words_injected_before_the_handshake_are_not_taken_for_words_under_tls(
    authority: Authority,
) -> None:
    script = (*SMTP[:-2], "220 go ahead\r\n250 injected\r\n", TLS, HOLD)
    with LineServer(script, authority.good()) as server:
        checker = talking(
            server, starttls="smtp", tls_ca_file=str(authority.roots), expect="injected"
        )
        attempt = attempt_of(checker, seconds=1)

    assert attempt.error != ""


@pytest.mark.row("32", "33", "79")
@pytest.mark.parametrize(
    ("script", "settings", "failure"),
    [
        pytest.param(("SSH-2.0-OpenSSH\r\n", HOLD), {"expect": "SSH-2.0"}, "", id="in-pieces"),
        pytest.param(
            (WAIT, "+PONG\r\n", HOLD),
            {"send": "PING\r\n", "expect": "+PONG"},
            "",
            id="asked",
        ),
        pytest.param(("grüß\r\n", HOLD), {"expect": "grüß"}, "", id="not-ascii"),
        pytest.param(("-ERR\r\n", HOLD), {"expect": "+PONG"}, "deadline", id="wrong"),
        pytest.param(("-ERR\r\n",), {"expect": "+PONG"}, "expect_mismatch", id="wrong-and-over"),
        pytest.param(("",), {"expect": "x"}, "expect_mismatch", id="closed-at-once"),
        pytest.param((HOLD,), {"expect": "x"}, "deadline", id="silence"),
        pytest.param(("x" * 9_000, HOLD), {"expect": "y"}, "expect_mismatch", id="too-long"),
        pytest.param(("x" * 8_191 + "y", HOLD), {"expect": "xy"}, "", id="at-the-cap"),
        pytest.param(("",), {}, "", id="closed-at-once-is-open"),
        pytest.param((WAIT,), {"send": "bye\r\n"}, "", id="only-sent"),
    ],
)
def test_send_and_expect(script: Sequence[str], settings: dict[str, str], failure: str) -> None:
    with LineServer(script) as server:
        checker = TcpChecker(endpoint_url=server.address, **settings)  # type: ignore[arg-type]
        attempt = attempt_of(checker, seconds=0.7)

    assert attempt.failure == failure


@pytest.mark.row("79")
@pytest.mark.parametrize("text", [pytest.param("x", id="endless")])
def test_endless_banner_ends(text: str) -> None:
    started = time.monotonic()
    with LineServer([text * 1_000_000]) as server:
        attempt = attempt_of(TcpChecker(endpoint_url=server.address, expect="y"), seconds=3)

    assert attempt.failure == "expect_mismatch"
    assert attempt.error == "the first 8192 bytes do not contain the expected response"
    assert time.monotonic() - started < GENEROUS


def test_expected_text_is_under_tls_too(authority: Authority) -> None:
    with LineServer((TLS, "ready\r\n", HOLD), authority.good()) as server:
        checker = talking(server, tls=True, tls_skip_verify=True, expect="ready")
        assert attempt_of(checker).error == ""


def test_client_certificate_and_server_name(authority: Authority, tmp_path: Any) -> None:
    certificate, key = authority.client(tmp_path)
    with LineServer((TLS, "ready\r\n", HOLD), authority.demanding()) as server:
        options: dict[str, Any] = {
            "tls": True,
            "tls_ca_file": str(authority.roots),
            "expect": "ready",
        }
        without = attempt_of(talking(server, **options))
        presented = talking(server, client_certificate=certificate, client_key=key, **options)
        with_it = attempt_of(presented)
        elsewhere = attempt_of(
            talking(
                server,
                server_name="other.test",
                client_certificate=certificate,
                client_key=key,
                **options,
            )
        )

    assert without.failure == "tls_client_certificate"
    assert with_it.error == ""
    assert elsewhere.failure == "tls_wrong_host"


def test_certificate_that_expires_soon_is_degraded(authority: Authority) -> None:
    with LineServer((TLS, HOLD), authority.good()) as server:
        checker = talking(
            server,
            tls=True,
            tls_ca_file=str(authority.roots),
            cert_expiry_threshold=90 * 24 * 3600 * SECOND,
        )
        result = result_of(checker)

    assert result.degraded
    assert result.notice.startswith("certificate expires in 60 days (")


HELLO = "220 mail.test\r\n"
OFFER = ("250-mail.test\r\n250 STARTTLS\r\n", WAIT)


@pytest.mark.parametrize(
    ("protocol", "script"),
    [
        pytest.param(
            "smtp",
            (HELLO, WAIT, "250-mail.test\r\n250-starttls\r\n250 HELP\r\n", WAIT, "220 go\r\n"),
            id="keyword in lower case",
        ),
        pytest.param(
            "smtp", (HELLO, WAIT, "250 StartTLS\r\n", WAIT, "220 go\r\n"), id="keyword in both"
        ),
        pytest.param("smtp", (HELLO, WAIT, *OFFER, "220\r\n"), id="code alone"),
        pytest.param("smtp", ("220\r\n", WAIT, *OFFER, "220\n"), id="greeting of a code alone"),
        pytest.param("smtp", ("220-hi\r\n220\r\n", WAIT, *OFFER, "220 \r\n"), id="two lines"),
        pytest.param("imap", ("* Ok ready\r\n", WAIT, "a ok go\r\n"), id="imap in lower case"),
        pytest.param("pop3", ("+ok\r\n", WAIT, "+Ok go\r\n"), id="pop3 in lower case"),
    ],
)
def test_letters_of_a_dialogue_do_not_matter(
    authority: Authority, protocol: str, script: Sequence[str]
) -> None:
    with LineServer((*script, TLS, HOLD), authority.good()) as server:
        attempt = attempt_of(talking(server, starttls=protocol, tls_ca_file=str(authority.roots)))

    assert attempt.error == ""


@pytest.mark.parametrize(
    ("charset", "failure"),
    [
        pytest.param("latin-1", "", id="as it is"),
        pytest.param("utf-8", "expect_mismatch", id="another"),
    ],
)
def test_text_is_expected_in_a_charset(charset: str, failure: str) -> None:
    with LineServer((WAIT, "prêt à tout\r\n".encode("latin-1"))) as server:
        attempt = attempt_of(talking(server, send="ça va?\n", expect="prêt", charset=charset))

    assert attempt.failure == failure
    assert server.heard == ["ça va?\n".encode(charset)]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        pytest.param({"charset": "klingon"}, "unknown encoding 'klingon'"),
        pytest.param({"charset": "base64"}, "unknown encoding 'base64'"),
        pytest.param(
            {"charset": "ascii", "expect": "prêt"}, "contains a character that is not in ascii"
        ),
        pytest.param(
            {"charset": "latin-1", "send": "€"}, "contains a character that is not in latin-1"
        ),
    ],
)
def test_charset_that_cannot_work_is_an_error(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TcpChecker(endpoint_url="localhost:1", **settings)
