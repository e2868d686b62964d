"""``checkup notify``: who is told, and whether it arrives."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.program import Program
from tests.servers.mail import Mailbox, mail_server
from tests.servers.provider import Provider, Say

SECRET = "T0/B0/secretsecretsecret"


def write(checkup: Program, *notifiers: dict[str, Any]) -> None:
    checkup.write({"checkers": [], "notifiers": notifiers, "page": {"url": "https://s.example/"}})


def slack(provider: Provider, **more: Any) -> dict[str, Any]:
    return {"type": "slack", "webhook": f"{provider.url}/{SECRET}", **more}


def test_channels_are_listed(checkup: Program) -> None:
    write(checkup, {"type": "slack"}, {"type": "slack"}, {"type": "mail", "id": "boss"})

    ended = checkup("notify")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "slack\nslack-2\nboss\n", "")


def test_test_message_reaches_each_channel_and_says_that_it_is_one(checkup: Program) -> None:
    with Provider(Say(200, "ok")) as provider, mail_server(Mailbox()) as mailbox:
        mail = {
            "type": "mail",
            "from": "checkup@example.com",
            "to": ["ops@example.com"],
            "smtp": {"server": "127.0.0.1", "port": mailbox.port},
        }
        write(checkup, slack(provider, severities=["degraded"]), mail)

        ended = checkup("notify", "--test")

        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout == "slack  accepted\nmail   accepted\n"
        (request,) = provider.requests
        assert request.json["text"] == (
            "*Checkup*: this is a test message to channel slack; no action needed"
            " (<https://s.example/|status page>)"
        )
        content = mailbox.mails[0].content
        assert isinstance(content, bytes)
        assert b"this is a test message to channel mail" in content
    assert not list(checkup.folder.glob("check*/*"))


def test_each_failure_is_said_without_a_secret_and_fails_the_command(checkup: Program) -> None:
    with Provider(Say(200, "ok")) as good, Provider(Say(404, "no_service")) as dead:
        write(checkup, slack(dead, fallback="slack-2"), slack(good), {"type": "discord"})

        ended = checkup("notify", "--test", "-v")

        assert ended.returncode == 1
        assert ended.stdout == (
            "slack    delivery failed: Slack answered 404 (no_service)\n"
            "slack-2  accepted\n"
            "discord  delivery failed: no webhook is configured for discord\n"
        )
        assert SECRET not in ended.stdout + ended.stderr
        assert len(good.requests) == 1


def test_one_channel_can_be_named(checkup: Program) -> None:
    with Provider(Say(200, "ok")) as provider:
        write(checkup, slack(provider), slack(provider, id="ops"))

        ended = checkup("notify", "ops", "--test")

        assert (ended.returncode, ended.stdout) == (0, "ops  accepted\n")
        assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("notify", "--test", "sms"), "unknown channel 'sms'; configured: slack"),
        (("notify", "sms"), "unknown channel 'sms'; configured: slack"),
    ],
)
def test_unknown_channel_is_named(checkup: Program, arguments: tuple[str, ...], words: str) -> None:
    write(checkup, {"type": "slack"})

    ended = checkup(*arguments)

    assert ended.returncode == 1
    assert words in ended.stderr


def test_nobody_to_tell_is_said(checkup: Program) -> None:
    write(checkup)

    ended = checkup("notify", "--test")

    assert ended.returncode == 1
    assert "no notifiers are configured" in ended.stderr


@pytest.mark.row("D15")
def test_message_command_tells_no_channel(checkup: Program) -> None:
    with Provider(Say(200, "ok")) as provider:
        checkup.write(
            {
                "checkers": [{"type": "exec", "endpoint_name": "a", "command": "true"}],
                "storage": {"type": "fs", "dir": "checks"},
                "notifiers": [slack(provider)],
            }
        )

        ended = checkup("message", "We are looking into it.")

        assert (ended.returncode, provider.requests) == (0, [])


@pytest.mark.parametrize(
    ("notifiers", "words"),
    [
        pytest.param(
            [{"type": "slack", "fallback": "slak"}, {"type": "discord", "id": "slack-2"}],
            'notifiers[0].fallback: there is no other channel "slak"',
            id="unknown",
        ),
        pytest.param(
            [{"type": "slack", "fallback": "slack"}],
            'notifiers[0].fallback: there is no other channel "slack"',
            id="itself",
        ),
        pytest.param(
            [{"type": "slack"}, {"type": "mail", "id": "slack"}],
            'notifiers[1].id: duplicate channel id "slack"',
            id="twice",
        ),
        pytest.param(
            [{"type": "slack", "severities": ["red"]}],
            "must be one of down, degraded",
            id="severity",
        ),
        pytest.param(
            [{"type": "slack", "groups": ["Shop"], "tags": ["web"]}],
            'notifiers[0].groups: no checker is in the group "Shop"',
            id="group",
        ),
        pytest.param(
            [{"type": "webhook", "template": "{{x}}"}],
            "unknown placeholder {{x}}; available: id, headline",
            id="template",
        ),
    ],
)
def test_channels_that_contradict_each_other_are_shown_with_their_place(
    checkup: Program, notifiers: list[dict[str, Any]], words: str
) -> None:
    path = checkup.folder / "checkup.json"
    path.write_text(json.dumps({"checkers": [], "notifiers": notifiers}))

    ended = checkup("validate", "--strict")

    assert ended.returncode == 1
    assert words in ended.stdout


def test_missing_secret_of_a_channel_is_visible_although_nothing_is_due(checkup: Program) -> None:
    checkup.write(
        {
            "checkers": [{"type": "heartbeat", "endpoint_name": "Job", "id": "job"}],
            "storage": {"type": "fs", "dir": "checks"},
            "notifiers": [{"type": "slack", "webhook": "env:HOOK"}],
        }
    )
    ended = checkup("--store")
    status = checkup("status")

    assert ended.returncode == 3
    assert "slack: alerts cannot be delivered: environment variable HOOK is not set" in ended.stderr
    assert "HOOK is not set; no alerts queued" in status.stderr
    assert checkup("--store", HOOK="http://127.0.0.1:9/x").returncode == 0
