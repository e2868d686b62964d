"""Slack with a bot's token: one message per incident, and none twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import Notifier
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.message import short_id
from checkup.notifiers.slack import SlackSettings
from checkup.times import SECOND
from tests.notifiers.clients import RoutedClients
from tests.notifiers.stories import BACK, DOWN, NIGHT, many, notification
from tests.servers.slack import shown
from tests.servers.slackapi import CHANNEL, TOKEN, FakeSlackApi

WORSE = replace(
    DOWN,
    id="user-service/change:down/1/1714533000000000000",
    kind=AlertKind.CHANGE,
    previous_status=Status.DEGRADED,
)
REMINDER = replace(
    DOWN,
    id="user-service/remind:down/1/1714534000000000000",
    kind=AlertKind.REMIND,
    slot=NIGHT + 2000 * SECOND,
)


@pytest.fixture(name="slack")
def _slack() -> Iterator[FakeSlackApi]:
    with FakeSlackApi() as slack:
        yield slack


def bot(slack: FakeSlackApi, *, channel: str = CHANNEL, token: str = TOKEN) -> Notifier:
    return SlackSettings(token=token, channel=channel).open(RoutedClients(slack.url))


def ends(alerts: list[Alert]) -> list[Alert]:
    return [
        replace(BACK, id=alert.id.replace("open:down", "resolve:healthy"), checker=alert.checker)
        for alert in alerts
    ]


def test_incident_is_one_message_that_is_edited_and_its_story_is_in_the_thread(
    slack: FakeSlackApi,
) -> None:
    channel = bot(slack)

    channel.send(notification(DOWN))
    channel.send(notification(REMINDER))
    channel.send(notification(BACK))

    (root,) = slack.roots
    assert shown(root["text"]) == "*User service* recovered at 04:16 UTC after 1 h 23 min"
    assert root["attachments"][0]["color"] == "good"
    assert [shown(reply["text"]).split(": ")[0] for reply in slack.replies] == [
        "*User service* is still down after 33 min",
        "*User service* recovered at 04:16 UTC after 1 h 23 min",
    ]
    assert {reply["thread_ts"] for reply in slack.replies} == {root["ts"]}


def test_only_what_is_worse_is_shown_outside_the_thread(slack: FakeSlackApi) -> None:
    channel = bot(slack)

    channel.send(notification(replace(DOWN, status=Status.DEGRADED)))
    channel.send(notification(WORSE))
    channel.send(notification(BACK))

    assert [reply["reply_broadcast"] for reply in slack.replies] == [True, False]


def test_new_outage_of_the_same_checker_is_another_message(slack: FakeSlackApi) -> None:
    again = replace(DOWN, id="user-service/open:down/2/1714539000000000000")

    for alert in (DOWN, BACK, again):
        bot(slack).send(notification(alert))

    assert [shown(root["text"]).split(" since")[0] for root in slack.roots] == [
        "*User service* recovered at 04:16 UTC after 1 h 23 min",
        "*User service* is down",
    ]


def test_news_needs_one_call(slack: FakeSlackApi) -> None:
    bot(slack).send(notification(DOWN))

    assert slack.calls == ["chat.postMessage"]


def test_few_incidents_have_a_message_each(slack: FakeSlackApi) -> None:
    bot(slack).send(notification(*many(5)))

    assert len(slack.roots) == 5


@pytest.mark.row("115")
def test_many_incidents_are_one_message_that_counts_its_ends(slack: FakeSlackApi) -> None:
    alerts = many(100)

    bot(slack).send(notification(*alerts, total=200))
    bot(slack).send(notification(*ends(alerts[:3])))

    (root,) = slack.roots
    assert root["text"].startswith("100 down: *Service 0*, ")
    assert root["text"].endswith("\n_3 of 100 recovered_")
    assert len(slack.replies) == 3


@pytest.mark.row("115")
def test_metadata_stays_small(slack: FakeSlackApi) -> None:
    slack.page = 200

    bot(slack).send(notification(*many(1000), total=1000))
    reminders = [
        replace(REMINDER, id=f"c0/remind:down/1/{number}", checker="c0") for number in range(30)
    ]
    for reminder in reminders:
        bot(slack).send(notification(reminder))

    assert len(slack.roots) == 10
    assert len(slack.replies) == 30


def test_outage_and_its_end_in_one_go_are_told_in_order(slack: FakeSlackApi) -> None:
    bot(slack).send(notification(DOWN, BACK))

    (root,) = slack.roots
    (reply,) = slack.replies
    assert root["text"] == reply["text"]
    assert root["text"].startswith("*User service* recovered")


def test_end_whose_beginning_is_not_there_is_a_message_of_its_own(slack: FakeSlackApi) -> None:
    bot(slack).send(notification(BACK))

    assert [shown(root["text"]).split(" since")[0] for root in slack.roots] == [
        "*User service* recovered at 04:16 UTC after 1 h 23 min"
    ]


def test_root_is_found_behind_much_talk(slack: FakeSlackApi) -> None:
    bot(slack).send(notification(DOWN))
    for number in range(7):
        talk = {"text": f"chat {number}", "ts": f"{1_714_532_100 + number}.0", "channel": CHANNEL}
        slack.messages.append(talk)

    bot(slack).send(notification(BACK))

    assert slack.roots[0]["text"].startswith("*User service* recovered")


STEPS = [[DOWN], [BACK], [DOWN, BACK], [*many(3)], [*many(2), *ends(many(2))]]


@pytest.mark.row("107")
@pytest.mark.parametrize("alerts", STEPS, ids=["down", "back", "both", "three", "two-and-ends"])
@pytest.mark.parametrize("behaviour", ["drop", "500", "ratelimited", "internal_error"])
def test_nothing_is_told_twice_wherever_it_broke(alerts: list[Alert], behaviour: str) -> None:
    for well in itertools.count():
        with FakeSlackApi() as slack:
            if alerts == [BACK]:
                bot(slack).send(notification(DOWN))
            slack.behave(*["ok"] * well, behaviour)
            if not _told_in_the_end(slack, alerts):
                return


def _told_in_the_end(slack: FakeSlackApi, alerts: list[Alert]) -> bool:
    """Tell as the outbox does, and return whether anything broke on the way."""
    broke, repeat = False, False
    for _ in range(3):
        try:
            bot(slack).send(notification(*alerts, possible_duplicate=repeat))
            break
        except DeliveryUnknownError:
            broke = repeat = True
        except NotDeliveredError:
            broke = True
    told_of = [
        name
        for message in slack.messages
        for name in message["metadata"]["event_payload"]["told"]
        if "thread_ts" in message or message["metadata"]["event_payload"]["told"][0] == name
    ]
    assert sorted(told_of) == sorted({*told_of})
    everything = {short_id(alert) for alert in alerts}
    assert everything <= {
        name for root in slack.roots for name in root["metadata"]["event_payload"]["told"]
    }
    assert not [m for m in slack.messages if "Possible duplicate" in m["text"]]
    return broke


@pytest.mark.parametrize(
    ("behaviour", "meaning"),
    [
        ("ratelimited", NotDeliveredError),
        ("invalid_auth", NotDeliveredError),
        ("is_archived", NotDeliveredError),
        ("429", NotDeliveredError),
        ("302", NotDeliveredError),
        ("msg_too_long", MessageRejectedError),
        ("invalid_attachments", MessageRejectedError),
        ("internal_error", DeliveryUnknownError),
        ("500", DeliveryUnknownError),
        ("drop", DeliveryUnknownError),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_answer_has_its_meaning(
    slack: FakeSlackApi, behaviour: str, meaning: type[DeliveryError]
) -> None:
    slack.behave(behaviour)

    with pytest.raises(DeliveryError) as caught:
        bot(slack).send(notification(DOWN))

    assert type(caught.value) is meaning
    assert TOKEN not in f"{caught.value!r}{caught.getrepr(style='long')}"


@pytest.mark.parametrize("code", ["message_not_found", "edit_window_closed", "cant_update_message"])
def test_message_that_cannot_be_edited_holds_nothing_up(slack: FakeSlackApi, code: str) -> None:
    bot(slack).send(notification(DOWN))
    slack.behave("ok", "ok", code)

    bot(slack).send(notification(BACK))

    assert len(slack.replies) == 1


@pytest.mark.parametrize("channel", ["", "#ops", "ops", "c012345"])
def test_channel_has_to_be_an_id(slack: FakeSlackApi, channel: str) -> None:
    with pytest.raises(NotDeliveredError, match="needs a channel id"):
        bot(slack, channel=channel).send(notification(DOWN))

    assert slack.calls == []


def test_wrong_token_keeps_the_message(slack: FakeSlackApi) -> None:
    with pytest.raises(NotDeliveredError, match="Slack answered invalid_auth"):
        bot(slack, token="xoxb-wrong").send(notification(DOWN))
