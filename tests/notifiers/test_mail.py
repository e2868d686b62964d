"""Mail: what is in it, and what a mail server can do."""

from __future__ import annotations

import logging
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import Envelope
from msgspec.structs import replace

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import Notification
from checkup.notifiers.mail import MailNotifier, MailSettings, SmtpSettings
from tests.notifiers.clients import DirectClients
from tests.notifiers.stories import BACK, DOWN, many, notification
from tests.servers.certificates import Authority
from tests.servers.mail import Mailbox, mail_server

PASSWORD = "correct horse battery staple"
FROM = "Checkup <checkup@example.com>"
TO = ("ops@example.com", "Boss <boss@example.com>")


def settings(port: int, **more: Any) -> MailSettings:
    keys = {"server": "127.0.0.1", "port": port, **more.pop("smtp", {})}
    return MailSettings(**{"from_": FROM, "to": TO, "smtp": SmtpSettings(**keys), **more})


def send(port: int, notification: Notification, *, seconds: float = 6.0, **more: Any) -> None:
    MailNotifier(settings(port, **more), DirectClients(), seconds).send(notification)


def received(mailbox: Mailbox) -> EmailMessage:
    (envelope,) = mailbox.mails
    return parsed(envelope)


def parsed(envelope: Envelope) -> EmailMessage:
    assert isinstance(envelope.content, bytes)
    assert max(map(len, envelope.content.split(b"\r\n"))) <= 998
    assert envelope.content.isascii()
    message: EmailMessage = message_from_bytes(envelope.content, policy=SMTP)
    assert not message.defects
    return message


def parts(message: EmailMessage) -> tuple[str, str]:
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.mark.row("D11")
def test_one_mail_goes_to_all_receivers() -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(DOWN, page_url="https://status.example.com/"))

    (envelope,) = mailbox.mails
    assert envelope.mail_from == "checkup@example.com"
    assert envelope.rcpt_tos == ["ops@example.com", "boss@example.com"]
    assert mailbox.names == ["example.com"]
    message = received(mailbox)
    assert message["From"] == FROM
    assert message["To"] == "ops@example.com, Boss <boss@example.com>"
    assert message["Subject"] == (
        "Checkup: Service Unavailable: User service is down since 02:53 UTC: connection refused"
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"


def test_outage_says_what_since_when_why_and_from_where_twice() -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(DOWN, page_url="https://status.example.com/"))

    text, html = parts(received(mailbox))
    assert text.replace("\r\n", "\n") == (
        "User service is down since 02:53 UTC: connection refused\n"
        "\n"
        "Address: http://127.0.0.1:8000/?key=***\n"
        "Since: 2024-05-01 02:53 UTC\n"
        "Region: eu-central-1\n"
        "Alert: 1e91af9a\n"
        "\n"
        "Status page: https://status.example.com/\n"
    )
    assert "<b>User service</b> is down since 02:53 UTC: connection refused" in html
    assert '<a href="https://status.example.com/">Status page</a>' in html


@pytest.mark.row("D11")
@pytest.mark.parametrize(
    ("configured", "alert", "subject"),
    [
        ("", DOWN, "Checkup: Service Unavailable: User service is down"),
        ("", BACK, "Checkup: User service recovered"),
        ("[ops] Trouble", BACK, "[ops] Trouble: User service recovered"),
        ("Bcc: x@y\r\nBcc: all@example.com", BACK, "Bcc: x@y Bcc: all@example.com: User"),
    ],
    ids=["default", "recovery", "configured", "injected"],
)
def test_subject_begins_as_configured(configured: str, alert: Any, subject: str) -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(alert), subject=configured)

    message = received(mailbox)
    assert message["Subject"].startswith(subject)
    assert message["Bcc"] is None


def test_possible_repeat_is_said_and_has_the_same_message_id() -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(DOWN))
        send(mailbox.port, notification(DOWN, possible_duplicate=True))
        send(mailbox.port, notification(BACK))

    first, second, third = map(parsed, mailbox.mails)
    assert "Possible duplicate: " in second["Subject"]
    assert parts(second)[0].startswith("Possible duplicate: User service is down")
    assert first["Message-ID"] == second["Message-ID"] != third["Message-ID"]
    assert first["References"] == second["References"] == third["References"]
    assert first["Message-ID"].endswith("@example.com>")


@pytest.mark.parametrize(("count", "shown"), [(5, 5), (6, 6), (200, 20)], ids=["5", "6", "115-200"])
def test_many_alerts_are_one_mail(count: int, shown: int) -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(*many(count), total=200))

    text, html = parts(received(mailbox))
    assert f"{count} down: Service 0, Service 1" in text.splitlines()[0]
    assert text.count(" is down since ") == html.count("<li>") - (count > 20) == shown
    assert ("… and 180 more" in text) == ("… and 180 more" in html) == (count == 200)


@pytest.fixture(name="trusted")
def _trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.roots))
    return authority


LOGIN = {"username": "checkup", "password": PASSWORD}


@pytest.mark.row("D11")
def test_starttls_is_used_if_it_is_offered(trusted: Authority) -> None:
    with mail_server(Mailbox(), start_tls=trusted.good(), login=True) as mailbox:
        send(mailbox.port, notification(DOWN), smtp=LOGIN)

    assert mailbox.encrypted == [True]
    assert mailbox.logins == [(b"checkup", PASSWORD.encode())]


@pytest.mark.row("D11")
def test_tls_from_the_start_by_key(trusted: Authority) -> None:
    with mail_server(Mailbox(), implicit_tls=trusted.good(), login=True) as mailbox:
        send(mailbox.port, notification(DOWN), smtp={**LOGIN, "tls": "always"})

    assert mailbox.logins == [(b"checkup", PASSWORD.encode())]
    assert len(mailbox.mails) == 1


@pytest.mark.row("D11")
def test_port_465_is_tls_from_the_start() -> None:
    server = MailSettings(smtp=SmtpSettings(server="a", port=465)).open(DirectClients())._server()

    assert server.is_implicit
    assert SmtpSettings().port == 25


@pytest.mark.row("D11")
def test_nobody_logs_in_without_a_username(trusted: Authority) -> None:
    with mail_server(Mailbox(), start_tls=trusted.good(), login=True) as mailbox:
        send(mailbox.port, notification(DOWN), smtp={"password": PASSWORD})

    assert mailbox.logins == []
    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("wrong", ["expired", "wrong_host", "not_yet_valid"])
def test_bad_certificate_keeps_the_mail(trusted: Authority, wrong: str) -> None:
    context: ssl.SSLContext = getattr(trusted, wrong)()
    with (
        mail_server(Mailbox(), start_tls=context, login=True) as mailbox,
        pytest.raises(NotDeliveredError, match="invalid certificate"),
    ):
        send(mailbox.port, notification(DOWN), smtp=LOGIN)

    assert (mailbox.logins, mailbox.mails) == ([], [])


def test_required_starttls_that_is_not_offered_keeps_the_mail() -> None:
    with (
        mail_server(Mailbox()) as mailbox,
        pytest.raises(NotDeliveredError, match="does not offer STARTTLS"),
    ):
        send(mailbox.port, notification(DOWN), smtp={"tls": "starttls"})

    assert mailbox.mails == []


def test_tls_never_means_never(trusted: Authority) -> None:
    with mail_server(Mailbox(), start_tls=trusted.expired()) as mailbox:
        send(mailbox.port, notification(DOWN), smtp={"tls": "never"})

    assert mailbox.encrypted == [False]


def test_password_is_not_sent_in_clear_over_a_network() -> None:
    # As far as the rule knows, 127.0.0.2 is another machine.
    with (
        mail_server(Mailbox(), login=True, host="127.0.0.2") as mailbox,
        pytest.raises(NotDeliveredError, match="the password was not sent"),
    ):
        send(mailbox.port, notification(DOWN), smtp={**LOGIN, "server": "127.0.0.2"})

    assert (mailbox.logins, mailbox.mails) == ([], [])


@pytest.mark.parametrize(
    ("command", "reply", "meaning"),
    [
        ("MAIL", "451 later", NotDeliveredError),
        ("MAIL", "553 who?", NotDeliveredError),
        ("MAIL", "552 5.3.4 too large", MessageRejectedError),
        ("DATA", "451 later", NotDeliveredError),
        ("DATA", "452 no room", NotDeliveredError),
        ("DATA", "550 5.7.1 not liked", NotDeliveredError),
        ("DATA", "554 no", NotDeliveredError),
        ("DATA", "552 5.3.4 too large", MessageRejectedError),
        ("DATA", "554 5.6.0 what is this", MessageRejectedError),
    ],
)
def test_each_reply_has_its_meaning(command: str, reply: str, meaning: type[DeliveryError]) -> None:
    with mail_server(Mailbox({command: reply})) as mailbox, pytest.raises(DeliveryError) as caught:
        send(mailbox.port, notification(DOWN))

    assert type(caught.value) is meaning
    assert reply[:3] in str(caught.value)
    assert reply[4:] not in str(caught.value)


@pytest.mark.parametrize("code", ["450", "550"])
def test_one_refused_receiver_keeps_nobody_elses_mail_back(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server(Mailbox({"RCPT": f"{code} no"})) as mailbox:
        send(mailbox.port, notification(DOWN), to=("refused@example.com", "ops@example.com"))

    assert mailbox.mails[0].rcpt_tos == ["ops@example.com"]
    assert f"the mail server answered {code} to 1 of 2 recipients" in caplog.text


def test_mail_waits_if_all_receivers_are_refused() -> None:
    with (
        mail_server(Mailbox({"RCPT": "550 no"})) as mailbox,
        pytest.raises(NotDeliveredError, match="answered 550 to all recipients"),
    ):
        send(mailbox.port, notification(DOWN), to=("refused@example.com", "refused2@example.com"))


def test_s32_refused_login_shows_no_password(
    trusted: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    box = Mailbox({"AUTH": "535 no"})
    with (
        mail_server(box, start_tls=trusted.good(), login=True) as mailbox,
        caplog.at_level(logging.DEBUG, "checkup"),
        pytest.raises(NotDeliveredError) as caught,
    ):
        send(mailbox.port, notification(DOWN), smtp=LOGIN)

    assert str(caught.value) == "the mail server answered 535 to the login"
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert PASSWORD not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"from_": ""},
        {"from_": "nobody"},
        {"from_": "a@b\r\nBcc: x@y"},
        {"from_": "käse@example.com"},
        {"to": ()},
        {"to": ("",)},
        {"to": ("ops",)},
        {"to": ("ops@example.com>\r\nDATA",)},
        {"to": ("@example.com",)},
        {"smtp": {"server": ""}},
        {"smtp": {"username": "x"}},
        {"smtp": {"username": "x", "password": "env:NOWHERE"}},
    ],
    ids=str,
)
def test_what_is_not_configured_well_keeps_the_mail(wrong: dict[str, Any]) -> None:
    with mail_server(Mailbox(), login=True) as mailbox, pytest.raises(NotDeliveredError):
        send(mailbox.port, notification(DOWN), **wrong)

    assert mailbox.mails == []


@contextmanager
def raw_server(play: Callable[[socket.socket, Event], None]) -> Iterator[int]:
    """Serve one connection by hand."""
    over = Event()

    def serve() -> None:
        try:
            connection, _ = server.accept()
            with connection:
                play(connection, over)
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


def talk(*replies: str, then: str = "hang") -> Callable[[socket.socket, Event], None]:
    """Give these replies, one per command, then hang, trickle or close."""

    def play(connection: socket.socket, over: Event) -> None:
        connection.settimeout(20)
        for place, reply in enumerate(replies):
            if place:
                connection.recv(100_000)
            connection.sendall(reply.encode() + b"\r\n")
        while then == "trickle" and not over.wait(0.02):
            connection.sendall(b"250-x\r\n")
        if then == "hang":
            over.wait(20)

    return play


GREETED = ("220 mail.test", "250 mail.test", "250 OK", "250 OK")


@pytest.mark.parametrize(
    ("play", "meaning"),
    [
        pytest.param(talk(), NotDeliveredError, id="110-silent"),
        pytest.param(talk(then="trickle"), NotDeliveredError, id="110-trickle"),
        pytest.param(
            talk("220 mail.test", then="trickle"), NotDeliveredError, id="110-trickled-ehlo"
        ),
        pytest.param(talk(*GREETED[:2]), NotDeliveredError, id="110-hang-after-ehlo"),
        pytest.param(talk(*GREETED), NotDeliveredError, id="110-before-354"),
        pytest.param(talk(*GREETED, "354 go"), DeliveryUnknownError, id="110-after-the-mail"),
        pytest.param(talk(*GREETED, "354 go", then="close"), DeliveryUnknownError, id="110-closed"),
        pytest.param(talk(*GREETED, "354 go", "lalala"), DeliveryUnknownError, id="110-nonsense"),
        pytest.param(talk("554 go away"), NotDeliveredError, id="113-554"),
        pytest.param(talk("220 mail.test", then="close"), NotDeliveredError, id="closed"),
        pytest.param(talk("SSH-2.0-OpenSSH"), NotDeliveredError, id="ssh"),
    ],
)
def test_server_that_misbehaves_is_left_in_time(
    play: Callable[[socket.socket, Event], None], meaning: type[DeliveryError]
) -> None:
    began = time.monotonic()
    with raw_server(play) as port, pytest.raises(DeliveryError) as caught:
        send(port, notification(DOWN), seconds=0.6, to=("ops@example.com",))

    assert type(caught.value) is meaning
    assert time.monotonic() - began < 8


def test_accepted_mail_is_accepted_whatever_comes_of_the_goodbye() -> None:
    with raw_server(talk(*GREETED, "354 go", "250 OK")) as port:
        send(port, notification(DOWN), to=("ops@example.com",))


@pytest.mark.row("D11")
def test_nobody_logs_in_where_that_is_not_offered() -> None:
    with raw_server(talk(*GREETED, "354 go", "250 OK")) as port:
        send(port, notification(DOWN), to=("ops@example.com",), smtp=LOGIN)


def test_login_that_is_not_known_here_keeps_the_mail() -> None:
    with (
        raw_server(talk("220 mail.test", "250-mail.test\r\n250 AUTH GSSAPI")) as port,
        pytest.raises(NotDeliveredError, match="no supported login method"),
    ):
        send(port, notification(DOWN), smtp=LOGIN)


def test_closed_port_keeps_the_mail() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with pytest.raises(NotDeliveredError, match="connection refused"):
        send(port, notification(DOWN))


def test_unknown_name_keeps_the_mail() -> None:
    with pytest.raises(NotDeliveredError, match="host name not found"):
        send(25, notification(DOWN), smtp={"server": "nowhere.invalid"})


def test_line_of_dots_does_not_end_the_mail() -> None:
    nasty = replace(DOWN, title=".", reason=".\r\n.\r\nMAIL FROM:<a@b>")
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(nasty))

    assert ". is down since 02:53 UTC: . . MAIL FROM:<a@b>" in parts(received(mailbox))[0]


def tls_server(
    context: ssl.SSLContext, tls: str, *, login: bool = False
) -> AbstractContextManager[Mailbox]:
    if tls == "always":
        return mail_server(Mailbox(), implicit_tls=context, login=login)
    return mail_server(Mailbox(), start_tls=context, login=login)


@pytest.mark.parametrize(
    ("hello", "expected"),
    [({}, "example.com"), ({"hello": "relay.example.net"}, "relay.example.net")],
    ids=["domain-of-the-sender", "configured"],
)
def test_server_is_greeted_with_a_full_name(hello: dict[str, str], expected: str) -> None:
    with mail_server(Mailbox()) as mailbox:
        send(mailbox.port, notification(DOWN), smtp=hello)

    assert mailbox.names == [expected]


@pytest.mark.parametrize("hello", ["two words", "x\r\nMAIL FROM:<a@b>", "ä.example"])
def test_name_that_no_server_accepts_is_refused(hello: str) -> None:
    with pytest.raises(ValueError, match="is not a host name"):
        SmtpSettings(hello=hello)


@pytest.mark.parametrize(
    "password", ["pässwort€", "パスワード", "correct horse"], ids=["umlaut", "japanese", "ascii"]
)
@pytest.mark.parametrize("tls", ["starttls", "always"])
def test_name_and_password_may_have_any_letters(
    trusted: Authority, password: str, tls: str
) -> None:
    login = {"username": "jörg", "password": password, "tls": tls}
    with tls_server(trusted.good(), tls, login=True) as mailbox:
        send(mailbox.port, notification(DOWN), smtp=login)

    assert mailbox.logins == [("jörg".encode(), password.encode())]


@pytest.mark.parametrize("tls", ["starttls", "always"])
def test_own_authority_is_trusted_on_request(tmp_path: Path, tls: str) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))

    with tls_server(context, tls) as mailbox:
        with pytest.raises(NotDeliveredError, match="invalid certificate"):
            send(mailbox.port, notification(DOWN), smtp={"tls": tls})
        send(mailbox.port, notification(DOWN), smtp={"tls": tls, "ca_file": str(file)})

    assert len(mailbox.mails) == 1


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_unusable_ca_file_keeps_the_mail(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)

    with pytest.raises(NotDeliveredError, match=r"smtp\.ca_file cannot be read"):
        send(9, notification(DOWN), smtp={"ca_file": str(file)})
