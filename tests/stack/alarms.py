"""The alarms of the deployed stack: what they look at, and who hears of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stack.deployment import Deployment
from tests.stack.watching import Point, points, subject

SIGNS_OF_LIFE = ("NoRunsAlarm", "StalePageAlarm")
"""The alarms for which it is a bad sign that there is nothing to measure."""


def alarms_of(stack: Deployment) -> dict[str, Any]:
    """Return the alarms as they are now, by their names in the template."""
    found = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].split("-")[1]: alarm for alarm in found}


def measured(stack: Deployment) -> list[Point]:
    """Return what alarms look at: the numbers in both functions' logs, and those of Lambda."""
    filters = stack.client("logs").describe_metric_filters()["metricFilters"]
    groups = {"CheckFunctionName": "CheckLogs", "PublishFunctionName": "PublishLogs"}
    return [
        *counted_by_lambda(stack),
        *(
            point
            for output, group in groups.items()
            for point in points(
                stack.bridge.logs(stack.outputs[output]),
                [it for it in filters if it["logGroupName"].endswith(group)],
            )
        ),
    ]


def counted_by_lambda(stack: Deployment) -> Iterable[Point]:
    """Return what the emulator has counted, as Lambda does, of each function."""
    now = datetime.now(UTC)
    for alarm in alarms_of(stack).values():
        if alarm["Namespace"] != "AWS/Lambda":
            continue
        answer = stack.client("cloudwatch").get_metric_statistics(
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm["Dimensions"],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=[alarm["Statistic"]],
        )
        for one in answer["Datapoints"]:
            yield Point(
                alarm["Namespace"],
                alarm["MetricName"],
                one["Timestamp"].timestamp(),
                one[alarm["Statistic"]],
                subject(alarm),
            )


def announce(stack: Deployment, found: Iterable[Point]) -> None:
    """Hand over what the emulator does not measure; it looks at its alarms with each delivery."""
    for point in found:
        if point.namespace == "AWS/Lambda":
            continue
        datum: dict[str, Any] = {"MetricName": point.metric, "Value": point.value}
        datum["Dimensions"] = [{"Name": "QueueName", "Value": point.of}] if point.of else []
        stack.client("cloudwatch").put_metric_data(
            Namespace=point.namespace, MetricData=[{**datum, "Timestamp": point.at}]
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


def received(stack: Deployment, queue: str) -> list[dict[str, Any]]:
    """Take messages from a queue."""
    answer = stack.client("sqs").receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"]
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def heard(stack: Deployment, mailbox: str) -> set[str]:
    """Return the alarms of which the subscriber has heard since the last time."""
    told = set()
    while messages := received(stack, mailbox):
        for message in messages:
            stack.client("sqs").delete_message(
                QueueUrl=mailbox, ReceiptHandle=message["ReceiptHandle"]
            )
            alarm = json.loads(json.loads(message["Body"])["Message"])
            if alarm["NewStateValue"] == "ALARM":
                told.add(alarm["AlarmName"].split("-")[1])
    return told
