"""The channel that is told in place of one that is dead."""

from __future__ import annotations

import pytest

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import Notification, Notifier
from checkup.notifiers.base import open_notifiers, open_notifiers_with_fallbacks
from checkup.notifiers.discord import DiscordSettings
from checkup.notifiers.slack import SlackSettings
from tests.notifiers.clients import DirectClients
from tests.notifiers.stories import DOWN, notification
from tests.servers.provider import DROP, Behaviour, Provider, Say

OK = Say(200, "ok")


def channels(first: Provider, second: Provider) -> dict[str, Notifier]:
    notifiers = [
        SlackSettings(webhook=first.url, fallback="spare"),
        DiscordSettings(webhook=second.url, id="spare", fallback="slack"),
    ]
    return open_notifiers_with_fallbacks(notifiers, DirectClients())


def send(first: Behaviour, second: Behaviour, told_: Notification) -> tuple[int, int]:
    """Return how many requests each of the two got."""
    with Provider(first) as one, Provider(second) as two:
        try:
            channels(one, two)["slack"].send(told_)
        finally:
            counts = len(one.requests), len(two.requests)
    return counts


@pytest.mark.row("113")
def test_dead_channel_is_replaced_at_once(caplog: pytest.LogCaptureFixture) -> None:
    assert send(Say(404, "no_service"), OK, notification(DOWN)) == (1, 1)
    assert "slack: Slack answered 404 (no_service); sending to spare instead" in caplog.text


def test_living_channel_is_not_replaced() -> None:
    assert send(OK, OK, notification(DOWN)) == (1, 0)


def test_channel_that_may_have_heard_is_asked_once_more_before() -> None:
    with Provider(DROP) as one, Provider(OK) as two:
        slack = channels(one, two)["slack"]

        with pytest.raises(DeliveryUnknownError):
            slack.send(notification(DOWN))
        assert len(two.requests) == 0
        slack.send(notification(DOWN, possible_duplicate=True))

        assert len(two.requests) == 1
        assert two.requests[0].json["content"].startswith("_Possible duplicate:_")


@pytest.mark.parametrize(
    ("first", "second", "meaning"),
    [
        (Say(404), Say(404), NotDeliveredError),
        (Say(404), Say(400), NotDeliveredError),
        (Say(404), Say(500), DeliveryUnknownError),
        (Say(400), OK, MessageRejectedError),
    ],
    ids=str,
)
def test_what_neither_has_taken_waits(
    first: Behaviour, second: Behaviour, meaning: type[DeliveryError]
) -> None:
    with pytest.raises(DeliveryError) as caught:
        send(first, second, notification(DOWN))

    assert type(caught.value) is meaning


def test_two_that_replace_each_other_do_not_go_round_in_circles() -> None:
    with Provider(Say(404)) as one, Provider(Say(404)) as two:
        with pytest.raises(NotDeliveredError):
            channels(one, two)["spare"].send(notification(DOWN))

        assert (len(one.requests), len(two.requests)) == (1, 1)


def test_each_channel_on_its_own_has_no_fallback() -> None:
    opened = open_notifiers(
        [SlackSettings(fallback="spare"), DiscordSettings(id="spare")], DirectClients()
    )

    assert [type(it).__name__ for it in opened.values()] == [
        "SlackWebhookNotifier",
        "DiscordNotifier",
    ]
