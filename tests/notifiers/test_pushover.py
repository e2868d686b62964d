"""What Pushover is sent, against its documentation restated here.

https://pushover.net/api#messages
"""

from __future__ import annotations

import json
import re

import pytest
from msgspec.structs import replace

from checkup.errors import MessageRejectedError, NotDeliveredError
from checkup.model import Alert
from checkup.notifiers.pushover import PushoverSettings
from tests.notifiers.channels import BY_NAME, SECRET
from tests.notifiers.clients import RoutedClients
from tests.notifiers.sending import PAGE, sent
from tests.notifiers.stories import BACK, DOWN, LONG, SLOW, many, notification
from tests.servers.provider import Provider, Say


def check(form: dict[str, str]) -> None:
    known = {"token", "user", "message", "title", "url", "url_title", "priority", "timestamp"}
    assert set(form) <= known
    assert re.fullmatch(r"[A-Za-z0-9]{30}", form["token"])
    assert re.fullmatch(r"[A-Za-z0-9]{30}", form["user"])
    assert 0 < len(form["message"]) <= 1024
    assert 0 < len(form["title"]) <= 250
    assert len(form.get("url", "")) <= 512
    assert len(form.get("url_title", "")) <= 100
    assert form["priority"] in {"-2", "-1", "0", "1"}


@pytest.mark.row("D14")
@pytest.mark.parametrize(
    ("alert", "priority", "title"),
    [
        pytest.param(DOWN, "1", "Checkup: Service Unavailable", id="down"),
        pytest.param(SLOW, "0", "Checkup: Service Unavailable", id="degraded"),
        pytest.param(BACK, "-1", "Checkup", id="healthy"),
    ],
)
def test_title_is_the_subject_and_severity_the_priority(
    provider: Provider, alert: Alert, priority: str, title: str
) -> None:
    request = sent(provider, "pushover", alert)

    assert request.path == "/api.pushover.net/1/messages.json"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    check(request.form)
    assert (request.form["priority"], request.form["title"]) == (priority, title)
    assert request.form["message"].startswith("User service ")
    assert request.form["url"] == PAGE


@pytest.mark.row("115", "124")
@pytest.mark.parametrize(
    "alerts",
    [[LONG], [LONG] * 5, many(200), [replace(LONG, suppressed_dependents=("x" * 500,) * 9)]],
    ids=["one", "five", "limits", "explains"],
)
def test_limits_are_kept(provider: Provider, alerts: list[Alert]) -> None:
    apart = [replace(a, checker=f"{n}", id=f"{n}/open:down/1/5") for n, a in enumerate(alerts)]

    check(sent(provider, "pushover", *apart, possible_duplicate=True).form)


@pytest.mark.parametrize("key", ["short", SECRET + "x", "!" * 30, "ü" * 30, ""])
def test_key_that_is_none_is_refused_here(provider: Provider, key: str) -> None:
    for settings in (
        PushoverSettings(token=key, recipient=SECRET),
        PushoverSettings(token=SECRET, recipient=key),
    ):
        with pytest.raises(
            NotDeliveredError, match=r"^pushover: (invalid|no) (API token|recipient)"
        ):
            settings.open(RoutedClients(provider.url)).send(notification(DOWN))

    assert provider.requests == []


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"user": "invalid"}, NotDeliveredError, "Pushover answered 400 (user)"),
        ({"token": "invalid"}, NotDeliveredError, "Pushover answered 400 (token)"),
        ({"message": "cannot be blank"}, MessageRejectedError, "Pushover answered 400 (message)"),
    ],
    ids=str,
)
def test_named_parameter_says_whose_fault_it_is(
    provider: Provider, said: dict[str, str], error: type[Exception], words: str
) -> None:
    provider.behave(Say(400, json.dumps({"status": 0, "errors": ["..."], **said})))

    with pytest.raises(error) as caught:
        BY_NAME["pushover"].open(provider.url).send(notification(DOWN))

    assert str(caught.value) == words
