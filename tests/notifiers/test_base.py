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
from tests.notifiers.channels import BY_NAME, EVERY, EVERY_POST, SECRET
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
