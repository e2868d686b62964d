"""What Mailgun is sent, against its documentation restated here.

https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Messages/
"""

from __future__ import annotations

import json
import re
from base64 import b64decode

import pytest
from msgspec.structs import replace

from checkup.errors import MessageRejectedError, NotDeliveredError
from checkup.notifiers.mailgun import MailgunSettings
from tests.notifiers.channels import BY_NAME, SECRET
from tests.notifiers.clients import RoutedClients
from tests.notifiers.sending import sent
from tests.notifiers.stories import DOWN, notification
from tests.servers.provider import Provider, Say


@pytest.mark.row("D13")
def test_mail_goes_as_text_and_as_html(provider: Provider) -> None:
    request = sent(provider, "mailgun", DOWN)

    assert request.path == "/api.mailgun.net/v3/mg.example.com/messages"
    credentials = b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == f"api:{SECRET}"
    form = request.form
    assert set(form) == {
        *("from", "to", "subject", "text", "html", "o:tracking"),
        *("h:Message-Id", "h:References", "h:Auto-Submitted"),
    }
    assert form["from"] == "Checkup <checkup@mg.example.com>"
    assert form["to"] == "ops@example.com, boss@example.com"
    assert form["subject"].startswith("Checkup: Service Unavailable: User service is down")
    assert form["text"].startswith("User service is down since 02:53 UTC: connection refused\n")
    assert "<b>User service</b> is down since" in form["html"]
    assert re.fullmatch(r"<checkup\.[0-9a-f]{32}@mg\.example\.com>", form["h:Message-Id"])


def test_europe_has_its_own_address(provider: Provider) -> None:
    settings = MailgunSettings(
        from_="a@example.com", to=("b@example.com",), apikey="k", domain="x/y", region="eu"
    )
    provider.behave(BY_NAME["mailgun"].good)

    settings.open(RoutedClients(provider.url)).send(notification(DOWN))

    assert provider.requests[0].path == "/api.eu.mailgun.net/v3/x%2Fy/messages"


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("to parameter is not a valid address. please check documentation", NotDeliveredError),
        ("'from' parameter is not a valid address. please check", NotDeliveredError),
        ("text is too strange", MessageRejectedError),
    ],
)
def test_named_parameter_says_whose_fault_it_is(
    provider: Provider, words: str, error: type[Exception]
) -> None:
    provider.behave(Say(400, json.dumps({"message": words})))

    with pytest.raises(error):
        BY_NAME["mailgun"].open(provider.url).send(notification(DOWN))


@pytest.mark.parametrize("absent", ["from_", "to", "apikey", "domain"])
def test_what_is_not_configured_keeps_the_mail(provider: Provider, absent: str) -> None:
    settings = BY_NAME["mailgun"].settings("")
    empty: object = () if absent == "to" else ""

    with pytest.raises(NotDeliveredError):
        replace(settings, **{absent: empty}).open(RoutedClients(provider.url)).send(
            notification(DOWN)
        )

    assert provider.requests == []
