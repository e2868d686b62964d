"""A topic of Amazon SNS (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta, Struct

from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
    UnavailableError,
)
from checkup.http import SendAttempt
from checkup.interfaces import Clients, Notification
from checkup.interfaces.kinds import SettingProblem
from checkup.model import Alert
from checkup.notifiers import mail_message
from checkup.notifiers.base import retry_after
from checkup.notifiers.message import (
    MAX_LISTED,
    ChannelFormat,
    SubjectSettings,
    latest_alerts,
    message_id,
    subject_line,
    worst_status,
)

_SUBJECT: Final = 99
_ASCII: Final = ChannelFormat(
    escape=lambda character: character if character.isascii() else "?", ellipsis="..."
)
"""A subject has less than 100 characters, all of them visible and in ASCII."""

_ARN: Final = re.compile(r"arn:[a-z-]+:sns:([a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?")
_FIFO: Final = ".fifo"
_SERVER_ERROR: Final = 500
_ABOUT_THE_MESSAGE: Final = ("Invalid parameter: Message", "Invalid parameter: Subject")
_NOT_SENT: Final = frozenset(
    {
        "ConnectTimeoutError",
        "CredentialRetrievalError",
        "EndpointConnectionError",
        "InvalidEndpointConfigurationError",
        "NoCredentialsError",
        "NoRegionError",
        "ParamValidationError",
        "PartialCredentialsError",
        "ProxyConnectionError",
        "TokenRetrievalError",
    }
)
"""botocore's exceptions that come before the request is sent."""


class SnsSettings(SubjectSettings, frozen=True, kw_only=True):
    """Messages to the subscribers of a topic."""

    kind: ClassVar[str] = "sns"
    needs_extra: ClassVar[str] = "aws"
    needs_fields: ClassVar[tuple[str, ...]] = ("topic_arn",)

    topic_arn: Annotated[str, Meta(description="The ARN of the topic.")] = ""

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if self.topic_arn and not _ARN.fullmatch(self.topic_arn):
            fix = "write it like arn:aws:sns:eu-central-1:123456789012:alerts"
            yield SettingProblem("topic_arn", "not the ARN of a topic", fix)

    def open(self, clients: Clients) -> SnsNotifier:
        """Return the channel; AWS is not called before the first message."""
        return SnsNotifier(self, clients)


class SnsNotifier(Struct, frozen=True):
    """A topic.

    Attributes:
        seconds: for the whole exchange, the search for credentials included.
    """

    settings: SnsSettings
    clients: Clients
    seconds: float = 6.0

    def send(self, notification: Notification) -> None:
        """Publish one message, as :meth:`checkup.interfaces.Notifier.send` says."""
        topic = _ARN.fullmatch(self.settings.topic_arn)
        if topic is None:
            raise NotDeliveredError("no valid topic_arn is configured for sns")
        request = _request(notification, self.settings)

        def work(attempt: SendAttempt) -> None:
            client = self._client(topic[1])
            attempt.mark_sent()
            _publish(client, request)

        SendAttempt(work, _reason).within(self.seconds)

    def _client(self, region: str) -> Any:
        try:
            return self.clients.aws("sns", region_name=region, config=_config())
        except UnavailableError as error:
            raise NotDeliveredError(str(error)) from error


def _config() -> Any:
    """Return options for one request that ends within seconds; the outbox retries."""
    try:
        from botocore.config import Config  # an extra
    except ImportError:
        return None  # making the client says what is missing
    return Config(connect_timeout=2, read_timeout=4, retries={"total_max_attempts": 1})


def _request(notification: Notification, settings: SnsSettings) -> dict[str, Any]:
    """Return the parameters. A FIFO topic drops a repeat within five minutes."""
    alerts = notification.alerts
    request = {
        "TopicArn": settings.topic_arn,
        "Subject": _ASCII.escape_text(subject_line(notification, settings.subject), _SUBJECT),
        "Message": mail_message.plain_text(notification),
        "MessageAttributes": _attributes(alerts),
    }
    if settings.topic_arn.endswith(_FIFO):
        request["MessageGroupId"] = "checkup"
        request["MessageDeduplicationId"] = message_id(alerts)
    return request


def _attributes(alerts: Sequence[Alert]) -> dict[str, dict[str, str]]:
    """Return what subscriptions can filter by."""
    checkers = [alert.checker for alert in latest_alerts(alerts)[:MAX_LISTED]]
    return {
        "status": {"DataType": "String", "StringValue": str(worst_status(alerts))},
        "checkers": {"DataType": "String.Array", "StringValue": json.dumps(checkers)},
    }


def _publish(client: Any, request: dict[str, Any]) -> None:
    from botocore.exceptions import BotoCoreError, ClientError  # an extra

    try:
        client.publish(**request)
    except ClientError as error:
        raise _error_of(error.response) from None
    except BotoCoreError as error:
        name = type(error).__name__
        if name in _NOT_SENT:
            raise NotDeliveredError(f"SNS could not be reached ({name})") from None
        raise DeliveryUnknownError(f"request sent, but no response from SNS ({name})") from None


def _error_of(response: Any) -> DeliveryError:
    """Return what an error of SNS means.

    Its texts may name the account. What is wrong with topic, permissions or keys can be put right
    (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors).
    """
    error = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = re.sub(r"[^A-Za-z.]", "", str(error.get("Code", "")))[:60]
    said = f"SNS answered {status} ({code})"
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    wait = retry_after(headers.get("retry-after"))
    if status >= _SERVER_ERROR:
        return DeliveryUnknownError(said, wait)
    if str(error.get("Message", "")).startswith(_ABOUT_THE_MESSAGE):
        return MessageRejectedError(said)
    return NotDeliveredError(said, wait)


def _reason(error: Exception) -> str:
    return f"the request failed ({type(error).__name__})"
