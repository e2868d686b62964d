"""What every channel makes of every answer, and of none."""

from __future__ import annotations

import logging
import socket
import time
import traceback

import pytest

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import NotifierSettings
from checkup.notifiers import NOTIFIERS
from checkup.notifiers.base import channel_problems, retry_after
from checkup.notifiers.mail import MailSettings, SmtpSettings
from checkup.notifiers.pagerduty import PagerdutySettings
from checkup.notifiers.slack import SlackSettings
from tests.notifiers.channels import BY_NAME, EVERY, EVERY_POST, SECRET
from tests.notifiers.clients import DirectClients
from tests.notifiers.stories import BACK, DOWN, many, notification
from tests.servers.provider import DROP, HANG, REDIRECT, RESET, Behaviour, Provider, Say

STATUSES = [
    pytest.param(Say(301), NotDeliveredError, id="127-301"),
    pytest.param(REDIRECT, NotDeliveredError, id="127-307"),
    pytest.param(Say(401), NotDeliveredError, id="113-401"),
    pytest.param(Say(403), NotDeliveredError, id="113-403"),
    pytest.param(Say(404), NotDeliveredError, id="113-404"),
    pytest.param(Say(410), NotDeliveredError, id="113-410"),
    pytest.param(Say(429), NotDeliveredError, id="429"),
    pytest.param(Say(400), MessageRejectedError, id="112-400"),
    pytest.param(Say(413), MessageRejectedError, id="112-413"),
    pytest.param(Say(500), DeliveryUnknownError, id="110-500"),
    pytest.param(Say(502, "<html>"), DeliveryUnknownError, id="110-502"),
    pytest.param(Say(503), DeliveryUnknownError, id="110-503"),
    pytest.param(DROP, DeliveryUnknownError, id="110-drop"),
]


@pytest.mark.parametrize("name", EVERY)
def test_accepted_message_says_nothing(
    provider: Provider,
    name: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    provider.behave(BY_NAME[name].good)

    with caplog.at_level(logging.DEBUG, "checkup"):
        BY_NAME[name].open(provider.url).send(notification(DOWN))

    assert len(provider.requests) == 1
    assert not [record for record in caplog.records if record.name.startswith("checkup")]
    assert capfd.readouterr() == ("", "")


@pytest.mark.row("109")
@pytest.mark.parametrize("name", EVERY_POST)
@pytest.mark.parametrize(("behaviour", "meaning"), STATUSES)
def test_each_answer_has_its_meaning(
    provider: Provider, name: str, behaviour: Behaviour, meaning: type[DeliveryError]
) -> None:
    provider.behave(behaviour)

    with pytest.raises(DeliveryError) as caught:
        BY_NAME[name].open(provider.url).send(notification(DOWN))

    assert type(caught.value) is meaning
    assert "/stolen" not in [request.path for request in provider.requests]


@pytest.mark.row("127")
@pytest.mark.parametrize("name", EVERY)
def test_redirect_is_not_followed(provider: Provider, name: str) -> None:
    provider.behave(REDIRECT, BY_NAME[name].good)

    with pytest.raises(DeliveryError):
        BY_NAME[name].open(provider.url).send(notification(DOWN))

    assert [request.path for request in provider.requests if "stolen" in request.path] == []
    assert len(provider.requests) == 1


@pytest.mark.row("110")
@pytest.mark.parametrize("name", EVERY)
def test_reset_connection_may_have_brought_the_message(provider: Provider, name: str) -> None:
    provider.behave(RESET)

    with pytest.raises(DeliveryUnknownError):
        BY_NAME[name].open(provider.url).send(notification(DOWN))


@pytest.mark.row("110")
@pytest.mark.parametrize("name", EVERY_POST)
def test_silence_ends_in_time(provider: Provider, name: str) -> None:
    provider.behave(HANG)
    began = time.monotonic()

    with pytest.raises(DeliveryUnknownError):
        BY_NAME[name].open(provider.url, timeout=0.3).send(notification(DOWN))

    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", EVERY)
def test_refused_connection_keeps_the_message(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

    with pytest.raises(NotDeliveredError):
        BY_NAME[name].open(url).send(notification(DOWN))


@pytest.mark.parametrize("name", EVERY)
def test_name_that_does_not_resolve_keeps_the_message(name: str) -> None:
    with pytest.raises(NotDeliveredError):
        BY_NAME[name].open("http://nowhere.invalid").send(notification(DOWN))


@pytest.mark.row("111")
@pytest.mark.parametrize("name", [name for name in EVERY_POST if name != "slack"])
@pytest.mark.parametrize("body", ["", "[]", "null", '{"status": 0}', "\\ud800", "[" * 5000])
def test_yes_with_another_body_is_no_crash(provider: Provider, name: str, body: str) -> None:
    good = BY_NAME[name].good.status
    provider.behave(Say(good, body))
    believed = name in {"discord", "webhook", "pagerduty"}  # their status alone says it

    try:
        BY_NAME[name].open(provider.url).send(notification(DOWN))
    except DeliveryUnknownError:
        assert not believed
    else:
        assert believed


@pytest.mark.row("D09")
@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "behaviour",
    [*(Say(status, SECRET) for status in (302, 400, 401, 404, 429, 500)), HANG, RESET, DROP],
    ids=str,
)
def test_no_failure_shows_a_secret(
    provider: Provider, name: str, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    provider.behave(behaviour)
    timeout = 0.3 if behaviour == HANG else 4.0

    with caplog.at_level(logging.DEBUG, "checkup"), pytest.raises(DeliveryError) as caught:
        BY_NAME[name].open(provider.url, timeout).send(notification(DOWN))

    error: BaseException | None = caught.value
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    while error is not None:
        shown += f"{error!r} {error.args}"
        error = error.__cause__ or error.__context__
    assert SECRET not in shown
    assert SECRET[::-1] not in shown


@pytest.mark.parametrize("name", EVERY)
def test_many_alerts_and_a_recovery_are_accepted_too(provider: Provider, name: str) -> None:
    provider.behave(BY_NAME[name].good)

    for alerts in (many(5), many(200), [DOWN, BACK], [BACK]):
        BY_NAME[name].open(provider.url).send(
            notification(*alerts, page_url="https://status.example.com")
        )


@pytest.mark.parametrize("name", EVERY_POST)
@pytest.mark.parametrize("status", [429, 503])
def test_time_to_wait_is_kept_by_every_channel(provider: Provider, name: str, status: int) -> None:
    provider.behave(Say(status, "", retry_after="2285"))

    with pytest.raises(DeliveryError) as caught:
        BY_NAME[name].open(provider.url).send(notification(DOWN))

    assert caught.value.retry_after == 2285


def test_time_to_wait_may_be_in_the_body(provider: Provider) -> None:
    provider.behave(Say(429, '{"retry_after": 0.65, "message": "You are being rate limited."}'))

    with pytest.raises(NotDeliveredError) as caught:
        BY_NAME["discord"].open(provider.url).send(notification(DOWN))

    assert caught.value.retry_after == 0.65


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("1", 1),
        ("0.4", 0.4),
        (0.65, 0.65),
        (" 30 ", 30),
        ("-5", 0),
        ("1e9", 86_400),
        ("nan", 0),
        ("inf", 0),
        ("soon", 0),
        ("", 0),
        (None, 0),
        ("Tue, 01 Jan 1980 00:00:00 GMT", 0),
        ("Fri, 31 Dec 2100 23:59:59 GMT", 86_400),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value: object, seconds: float) -> None:
    assert retry_after(value) == seconds


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (SlackSettings(webhook="env:NOPE"), "env:NOPE"),
        (SlackSettings(webhook="https://hooks.example/x"), ""),
        (MailSettings(smtp=SmtpSettings(username="u", password="env:NOPE")), "env:NOPE"),
        (PagerdutySettings(routing_key="ssm:/not/asked"), ""),
    ],
    ids=["missing", "literal", "nested", "costs-a-request"],
)
def test_missing_secret_of_a_channel_is_found_before_an_alert_is_due(
    settings: NotifierSettings, problem: str
) -> None:
    found = channel_problems([settings], DirectClients())

    assert [*found] == ([settings.kind] if problem else [])
    assert problem in "".join(found.values())


def test_every_kind_of_notifier_is_tested_with_every_answer() -> None:
    """Mail speaks no HTTP, and has tests of its own."""
    assert {*BY_NAME, "mail"} == {*NOTIFIERS}
