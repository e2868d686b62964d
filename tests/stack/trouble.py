"""A bad hour of the watchman himself, in the middle of the day: what his alarms make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.slack import FakeSlack
from tests.stack.day import MINUTE, ByHand, minutes_ago
from tests.stack.deployment import Deployment, wait_for
from tests.stack.services import Service
from tests.stack.watching import Point, points

BROKEN = {"nobody": "sends this"}


@dataclass(frozen=True)
class Trouble:
    """What came of a Slack that refuses and of an event that cannot be served.

    Attributes:
        quiet: the names of the metrics that were there before, in good times.
        found: what the stack's metric filters find in the logs by now.
        alarms: all alarms of the stack, by their names in the template.
        failed: the event that was given up, as it is kept.
        told: the alarms that the subscriber of the topic heard of.
    """

    quiet: set[str]
    found: list[Point]
    alarms: Mapping[str, Any]
    failed: Any
    told: set[str]


@pytest.fixture(scope="session")
def trouble(stack: Deployment, by_hand: ByHand, slack: FakeSlack, users: Service) -> Trouble:
    assert by_hand
    quiet = {point.metric for point in measured(stack)}
    mailbox = subscribed(stack)
    users.well = False
    slack.behave("500")
    outage = minutes_ago(40)
    stack.check(outage)
    stack.check(outage + 12 * MINUTE)  # the alert still waits
    slack.behave("ok")
    stack.check(outage + 13 * MINUTE)
    users.well = True
    slack.behave("400")
    stack.check(outage + 14 * MINUTE)  # Slack will never take the news that all is well
    slack.behave("ok")
    stack.invoke_later("CheckFunctionName", BROKEN)
    for _ in range(2):  # the emulator counts the errors of those only who wait for the answer
        stack.client("lambda").invoke(
            FunctionName=stack.outputs["CheckFunctionName"], Payload=json.dumps(BROKEN)
        )
    failed = wait_for(lambda: received(stack, stack.outputs["FailedEventsUrl"]), "a failed event")
    found = measured(stack)
    publish(stack, found)
    told = wait_for(lambda: received(stack, mailbox), "an alarm")
    return Trouble(
        quiet,
        found,
        alarms_of(stack),
        json.loads(failed[0]),
        {json.loads(json.loads(body)["Message"])["AlarmName"].split("-")[1] for body in told},
    )


def measured(stack: Deployment) -> list[Point]:
    """Do what CloudWatch Logs does: read numbers out of both functions' logs."""
    filters = stack.client("logs").describe_metric_filters()["metricFilters"]
    return [
        point
        for output, group in (
            ("CheckFunctionName", "CheckLogs"),
            ("PublishFunctionName", "PublishLogs"),
        )
        for point in points(
            stack.bridge.logs(stack.outputs[output]),
            [it for it in filters if it["logGroupName"].endswith(group)],
        )
    ]


def publish(stack: Deployment, found: list[Point]) -> None:
    """Hand over what was found; the emulator looks at its alarms with each delivery."""
    stack.client("cloudwatch").put_metric_data(
        Namespace="Checkup/checkup",
        MetricData=[
            {"MetricName": it.metric, "Value": it.value, "Timestamp": it.at} for it in found
        ],
    )


def subscribed(stack: Deployment) -> str:
    """Subscribe to the topic of alarms; return the address of the queue that hears of them."""
    sqs, topic = stack.client("sqs"), stack.outputs["AlarmTopicArn"]
    queue = str(sqs.create_queue(QueueName="mailbox")["QueueUrl"])
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attributes["QueueArn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    stack.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    return queue


def received(stack: Deployment, queue: str) -> list[str]:
    answer = stack.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    return [message["Body"] for message in answer.get("Messages", [])]


def alarms_of(stack: Deployment) -> dict[str, Any]:
    found = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].split("-")[1]: alarm for alarm in found}
