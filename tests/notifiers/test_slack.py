"""What Slack is told, and what its answers mean."""

from __future__ import annotations

import json
import logging
import socket
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
from tests.notifiers.clients import DirectClients
from tests.notifiers.stories import BACK, DOWN, LINKS, NIGHT, many, notification
from tests.servers.slack import SECRET, FakeSlack, shown

BETTER = replace(
    DOWN,
    id="user-service/change:degraded/1/6",
    kind=AlertKind.CHANGE,
    status=Status.DEGRADED,
    previous_status=Status.DOWN,
)


@pytest.fixture(name="slack")
def _slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def notifier(slack: FakeSlack, timeout: float = 4.0) -> Notifier:
    return SlackSettings(webhook=slack.webhook).open(DirectClients(timeout))


def test_outage_says_what_since_when_why_and_from_where(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN, page_url="https://status.example.com/"))

    (message,) = slack.messages
    assert shown(message["text"]) == (
        "*User service* is down since 02:53 UTC: connection refused"
        " (<https://status.example.com/|status page>)"
    )
    (attachment,) = message["attachments"]
    fields = {field["title"]: shown(field["value"]) for field in attachment["fields"]}
    assert fields == {
        "User service": "http://127.0.0.1:8000/?key=***",
        "Status": "DOWN",
        "Why": "connection refused",
        "Since": "2024-05-01 02:53 UTC",
        "Region": "eu-central-1",
    }
    assert attachment["footer"] == f"alert {short_id(DOWN)}"


@pytest.mark.row("D05")
@pytest.mark.parametrize("status", [Status.DOWN, Status.DEGRADED], ids=["down", "degraded"])
def test_bad_state_has_the_shape_of_the_go_program(slack: FakeSlack, status: Status) -> None:
    settings = SlackSettings(username="Checkup", channel="#ops", webhook=slack.webhook)

    settings.open(DirectClients()).send(notification(replace(DOWN, status=status)))

    (message,) = slack.messages
    assert (message["username"], message["channel"]) == ("Checkup", "#ops")
    color = "danger" if status is Status.DOWN else "warning"
    assert message["attachments"][0]["color"] == color
    assert message["attachments"][0]["fields"][:2] == [
        {"title": "User service", "value": "http://127.0.0.1:8000/?key=***", "short": False},
        {"title": "Status", "value": status.upper(), "short": False},
    ]


def test_unset_username_and_channel_are_left_to_the_webhook(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN))

    assert {"username", "channel"}.isdisjoint(slack.messages[0])


def test_recovery_says_how_long_it_took(slack: FakeSlack) -> None:
    notifier(slack).send(notification(BACK))

    (message,) = slack.messages
    assert shown(message["text"]) == "*User service* recovered at 04:16 UTC after 1 h 23 min"
    assert message["attachments"][0]["color"] == "good"


def test_times_are_those_of_the_reader_and_else_of_the_page(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN, timezone="Europe/Berlin"))

    (message,) = slack.messages
    (attachment,) = message["attachments"]
    date = f"<!date^{NIGHT // SECOND}^{{date_short_pretty}} {{time}}|"
    assert f"is down since {date}04:53 CEST>" in message["text"]
    since = next(field for field in attachment["fields"] if field["title"] == "Since")
    assert since["value"] == f"{date}2024-05-01 04:53 CEST>"
    assert "is down since 04:53 CEST" in attachment["fallback"]


def test_name_links_to_the_component(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN, links=LINKS))

    assert slack.texts[0].startswith(f"*<{LINKS['user-service']}|User service>* is down")


@pytest.mark.parametrize(
    ("mention", "alerts", "expected"),
    [
        pytest.param({"down": ("@here",)}, [DOWN], "<!here> *", id="here"),
        pytest.param({"down": ("@channel", "U024BE7LH")}, [DOWN], "<!channel> <@U024BE7LH> *"),
        pytest.param({"down": ("@S012AB3CD",)}, [DOWN], "<!subteam^S012AB3CD> *", id="group"),
        pytest.param({"degraded": ("@here",)}, [DOWN], "*", id="other-status"),
        pytest.param({"down": ("@here",)}, [BACK], "*", id="recovery"),
        pytest.param({"down": ("@here",)}, [DOWN, BACK], "*", id="already-over"),
        pytest.param({"degraded": ("@here",)}, [BETTER], "*", id="improvement"),
        pytest.param({"down": ("@here",)}, many(2), "<!here> 2 down", id="once"),
    ],
)
def test_people_are_mentioned_by_severity(
    slack: FakeSlack, mention: dict[str, tuple[str, ...]], alerts: list[Alert], expected: str
) -> None:
    settings = SlackSettings(webhook=slack.webhook, mention=mention)

    settings.open(DirectClients()).send(notification(*alerts))

    assert slack.texts[0].startswith(expected)


@pytest.mark.parametrize("name", ["here", "@ops", "<!here>", "U1", "@everyone x", ""])
def test_unknown_mention_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="unknown name"):
        SlackSettings(mention={"down": (name,)})


@pytest.mark.row("D06")
def test_several_changes_of_a_run_are_one_message(slack: FakeSlack) -> None:
    other = replace(DOWN, id="b/open:down/1/5", checker="b", title="Billing")

    notifier(slack).send(notification(DOWN, other))

    (message,) = slack.messages
    assert message["text"] == "2 down: *User service*, *Billing*"
    assert len(message["attachments"]) == 2


def test_outage_and_its_end_in_one_message_are_one_card(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN, BACK))

    (message,) = slack.messages
    assert message["text"].startswith("*User service* recovered")
    assert slack.alerts == [[short_id(DOWN), short_id(BACK)]]
    assert len(message["attachments"]) == 1


@pytest.mark.parametrize(("count", "listed"), [(6, 6), (20, 20), (200, 20)], ids=str)
def test_mass_failure_is_one_short_list(slack: FakeSlack, count: int, listed: int) -> None:
    notifier(slack).send(notification(*many(count), total=200))

    (message,) = slack.messages
    assert message["text"].startswith(f"{count} down: *Service 0*, ")
    assert len(slack.alerts[0]) == listed
    shown = message["attachments"][0]["text"]
    assert ("… and 180 more" in shown) == (count == 200)


def test_possible_repeat_is_said_first(slack: FakeSlack) -> None:
    notifier(slack).send(notification(DOWN, possible_duplicate=True))

    assert slack.texts[0].startswith("_Possible duplicate:_ *User service* is down")


@pytest.mark.row("120")
def test_checker_that_was_never_healthy_is_told_so(slack: FakeSlack) -> None:
    notifier(slack).send(notification(replace(DOWN, previous_status=Status.UNKNOWN)))

    assert "is down since 02:53 UTC (no successful check yet)" in slack.texts[0]


def test_better_but_not_well_is_told_so(slack: FakeSlack) -> None:
    change = replace(
        DOWN, kind=AlertKind.CHANGE, status=Status.DEGRADED, previous_status=Status.DOWN
    )

    notifier(slack).send(notification(change))

    assert "*User service* is degraded since 02:53 UTC (was down)" in slack.texts[0]


def test_checker_that_is_gone_is_told_with_its_last_status(slack: FakeSlack) -> None:
    gone = replace(BACK, status=Status.UNKNOWN)

    notifier(slack).send(notification(gone))

    assert slack.texts == ["*User service* is no longer monitored (was down since 02:53 UTC)"]


def test_time_of_another_day_has_its_date(slack: FakeSlack) -> None:
    notifier(slack).send(notification(replace(DOWN, slot=NIGHT + 86_400 * SECOND)))

    assert "since 1 May 02:53 UTC" in slack.texts[0]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than 1 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (90_061, "1 d 1 h"),
        (-5, "less than 1 s"),
    ],
    ids=str,
)
def test_lengths_have_two_units_at_most(slack: FakeSlack, seconds: int, words: str) -> None:
    notifier(slack).send(notification(replace(BACK, opened=BACK.since - seconds * SECOND)))

    assert slack.texts[0].endswith(f"after {words}")


def test_outside_text_cannot_be_markup(slack: FakeSlack) -> None:
    nasty = replace(
        DOWN,
        title="<!channel> & <@U1>\n\u202eevil",
        reason="<http://evil|click>",
        endpoint="<!here>",
    )

    notifier(slack).send(notification(nasty, page_url="https://x/>|<!channel>"))

    text = shown(json.dumps(slack.messages[0], ensure_ascii=False))
    assert "<!" not in text
    assert "<@" not in text
    assert "<http://evil" not in text
    assert "\u202e" not in text
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt; evil" in text


@pytest.mark.row("124")
@pytest.mark.parametrize("character", ["x", "&", "é", "🔥", "<"])
def test_long_text_is_cut_between_characters(slack: FakeSlack, character: str) -> None:
    notifier(slack).send(
        notification(replace(DOWN, title=character * 5000, reason=character * 50_000))
    )

    fields = slack.messages[0]["attachments"][0]["fields"]
    for text in (fields[0]["title"], fields[2]["value"]):
        assert len(text) <= 1000
        assert text.endswith("…")
        assert text.removesuffix("…").replace("&amp;", "").replace("&lt;", "").count("&") == 0


@pytest.mark.row("D08")
def test_accepted_message_logs_nothing(slack: FakeSlack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        notifier(slack).send(notification(DOWN))

    assert not caplog.records


@pytest.mark.row("109")
@pytest.mark.parametrize(
    ("behaviour", "error", "words"),
    [
        ("429", NotDeliveredError, "Slack answered 429 (rate_limited)"),
        ("403", NotDeliveredError, "Slack answered 403 (action_prohibited)"),
        ("404", NotDeliveredError, "Slack answered 404 (no_service)"),
        ("410", NotDeliveredError, "Slack answered 410 (channel_is_archived)"),
        ("400", MessageRejectedError, "Slack answered 400 (invalid_payload)"),
        ("500", DeliveryUnknownError, "Slack answered 500 (error)"),
        ("not-ok", DeliveryUnknownError, "Slack answered 200"),
        ("redirect", NotDeliveredError, "Slack answered 307"),
        ("drop", DeliveryUnknownError, "request sent, but connection closed"),
    ],
    ids=[
        "429",
        "113-403",
        "113-404",
        "113-410",
        "112-400",
        "110-500",
        "111",
        "127",
        "110-drop",
    ],
)
def test_each_answer_has_its_meaning(
    slack: FakeSlack, behaviour: str, error: type[DeliveryError], words: str
) -> None:
    slack.behave(behaviour)

    with pytest.raises(error) as caught:
        notifier(slack).send(notification(DOWN))

    assert str(caught.value) == words
    assert type(caught.value) is error


@pytest.mark.row("127")
def test_redirect_is_not_followed(slack: FakeSlack) -> None:
    slack.behave("redirect", "ok")

    with pytest.raises(NotDeliveredError):
        notifier(slack).send(notification(DOWN))

    assert (slack.stolen, len(slack.requests)) == ([], 1)


@pytest.mark.row("112")
def test_message_that_slack_cannot_read_is_sent_as_plain_text(slack: FakeSlack) -> None:
    slack.behave("plain")

    notifier(slack).send(notification(*many(2)))

    (message,) = slack.messages
    assert message["text"].splitlines()[0] == "2 down: *Service 0*, *Service 1*"
    assert "attachments" not in message
    assert len(slack.alerts[0]) == 2


@pytest.mark.row("110")
def test_silence_ends_in_time_and_is_unclear(slack: FakeSlack) -> None:
    slack.behave("hang")

    with pytest.raises(
        DeliveryUnknownError, match=r"request sent, but (timeout|no response within 0\.3 s)"
    ):
        notifier(slack, timeout=0.3).send(notification(DOWN))


@pytest.mark.parametrize("webhook", ["", "env:NOWHERE", "not a url", "ftp://x/y", "http://[/"])
def test_webhook_that_leads_nowhere_keeps_the_message_waiting(webhook: str) -> None:
    with pytest.raises(NotDeliveredError):
        SlackSettings(webhook=webhook).open(DirectClients()).send(notification(DOWN))


@pytest.mark.row("160", "D09")
@pytest.mark.parametrize("behaviour", ["404", "500", "400", "reset", "drop", "redirect", "hang"])
def test_no_failure_shows_the_webhook(
    slack: FakeSlack, behaviour: str, caplog: pytest.LogCaptureFixture
) -> None:
    slack.behave(behaviour)

    with caplog.at_level(logging.DEBUG), pytest.raises(DeliveryError) as caught:
        notifier(slack, timeout=0.3).send(notification(DOWN))

    assert SECRET not in f"{caught.getrepr(style='long')}{caught.value!r}{caplog.text}"


@pytest.mark.row("160", "D09")
def test_refused_connection_shows_no_webhook() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    clients = DirectClients()

    with pytest.raises(NotDeliveredError) as caught:
        SlackSettings(webhook=f"http://127.0.0.1:{port}/{SECRET}").open(clients).send(
            notification(DOWN)
        )

    assert str(caught.value) == "connection refused"
