"""What Amazon SNS is sent, against its documentation restated here.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

import pytest

from checkup.errors import DeliveryUnknownError, MessageRejectedError, NotDeliveredError
from checkup.model import Alert
from checkup.notifiers.sns import SnsSettings
from tests.notifiers.channels import ARN, BY_NAME
from tests.notifiers.clients import DirectClients, RoutedClients
from tests.notifiers.sending import sent
from tests.notifiers.stories import BACK, DOWN, LONG, many, notification
from tests.servers.provider import Provider, Say


def form_of(provider: Provider) -> dict[str, str]:
    found = parse_qs(provider.requests[-1].body.decode(), strict_parsing=True)
    return {name: values[0] for name, values in found.items()}


@pytest.mark.row("115", "124")
@pytest.mark.parametrize(
    "alerts",
    [[DOWN], [BACK], [LONG], many(200)],
    ids=["down", "back", "long", "limits"],
)
def test_message_is_as_documented(provider: Provider, alerts: list[Alert]) -> None:
    sent(provider, "sns", *alerts)

    form = form_of(provider)
    assert (form["Action"], form["TopicArn"]) == ("Publish", ARN)
    assert re.fullmatch(r"[\x21-\x7e][\x20-\x7e]{0,98}", form["Subject"])
    assert 0 < len(form["Message"].encode()) <= 256 * 1024
    attributes = {
        form[f"MessageAttributes.entry.{n}.Name"]: (
            form[f"MessageAttributes.entry.{n}.Value.DataType"],
            form[f"MessageAttributes.entry.{n}.Value.StringValue"],
        )
        for n in (1, 2)
    }
    assert attributes["status"] == ("String", alerts[0].status)
    kind, checkers = attributes["checkers"]
    assert kind == "String.Array"
    assert json.loads(checkers)[0] == alerts[0].checker
    assert "MessageGroupId" not in form


def test_topic_that_keeps_order_drops_a_repeat(provider: Provider) -> None:
    provider.behave(BY_NAME["sns"].good)
    channel = SnsSettings(topic_arn=f"{ARN}.fifo").open(RoutedClients(provider.url))

    channel.send(notification(DOWN))
    first = form_of(provider)
    channel.send(notification(DOWN, possible_duplicate=True))

    assert first["MessageGroupId"] == "checkup"
    assert form_of(provider)["MessageDeduplicationId"] == first["MessageDeduplicationId"]


@pytest.mark.parametrize(
    ("status", "code", "words", "error"),
    [
        (404, "NotFound", "Topic does not exist", NotDeliveredError),
        (403, "AuthorizationError", "account 123456789012 may not", NotDeliveredError),
        (400, "InvalidParameter", "Invalid parameter: TopicArn", NotDeliveredError),
        (400, "InvalidParameter", "Invalid parameter: Message too long", MessageRejectedError),
        (400, "Throttled", "slow", NotDeliveredError),
        (500, "InternalError", "x", DeliveryUnknownError),
        (503, "ServiceUnavailable", "x", DeliveryUnknownError),
    ],
)
def test_each_error_has_its_meaning(
    provider: Provider, status: int, code: str, words: str, error: type[Exception]
) -> None:
    body = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{words}</Message></Error>"
        "<RequestId>1</RequestId></ErrorResponse>"
    )
    provider.behave(Say(status, body))

    with pytest.raises(error) as caught:
        BY_NAME["sns"].open(provider.url).send(notification(DOWN))

    assert type(caught.value) is error
    assert str(caught.value) == f"SNS answered {status} ({code})"
    assert len(provider.requests) == 1


@pytest.mark.parametrize("arn", ["", "alarms", "arn:aws:sqs:eu-central-1:123456789012:q"])
def test_what_is_no_topic_keeps_the_message(arn: str) -> None:
    with pytest.raises(NotDeliveredError):
        SnsSettings(topic_arn=arn).open(DirectClients()).send(notification(DOWN))


def test_missing_extra_keeps_the_message() -> None:
    with pytest.raises(NotDeliveredError, match="not here"):
        SnsSettings(topic_arn=ARN).open(DirectClients()).send(notification(DOWN))
