"""A bad hour of the watchman himself, in the middle of the day: what his alarms make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.slack import FakeSlack
from tests.stack.alarms import alarms_of, announce, measured, received, subscribed
from tests.stack.day import MINUTE, minutes_ago
from tests.stack.deployment import Deployment, due, wait_for
from tests.stack.invoking import ByHand
from tests.stack.services import Service
from tests.stack.watching import Point

BROKEN = {"nobody": "sends this"}
FAILURES = 3  # of which at least two lie in the same five minutes


@dataclass(frozen=True)
class Trouble:
    """What came of everything that the stack has an alarm for, but silence and slowness.

    Attributes:
        quiet: what there was to measure before, in good times.
        found: what there is by now.
        alarms: all alarms of the stack, by their names in the template.
        mailbox: the queue of who has subscribed to the topic of alarms.
        failed: the event that was given up, as it is kept.
        refusal: what AWS said when the function could not start.
        summary: of the run whose configuration nobody could read.
    """

    quiet: list[Point]
    found: list[Point]
    alarms: Mapping[str, Any]
    mailbox: str
    failed: Any
    refusal: str
    summary: Any


@pytest.fixture(scope="session")
def trouble(stack: Deployment, by_hand: ByHand, slack: FakeSlack, users: Service) -> Trouble:
    assert by_hand
    quiet = measured(stack)
    mailbox = subscribed(stack)
    begin = minutes_ago(40)
    vex_slack(stack, slack, users, begin)
    fail(stack)
    refusal = throttle(stack)
    summary = misconfigure(stack, begin + 15 * MINUTE)
    kept = wait_for(lambda: received(stack, stack.outputs["FailedEventsUrl"]), "a failed event")
    failed = [counted_by_sqs(stack, message) for message in kept]
    found = [*measured(stack), *failed]
    announce(stack, found)
    alarms = alarms_of(stack)
    return Trouble(quiet, found, alarms, mailbox, json.loads(kept[0]["Body"]), refusal, summary)


def vex_slack(stack: Deployment, slack: FakeSlack, users: Service, begin: int) -> None:
    """Let news of an outage wait for longer than ten minutes, and those of its end for ever."""
    users.well = False
    slack.behave("500")
    stack.check(begin)
    stack.check(begin + 12 * MINUTE)  # the alert still waits
    slack.behave("ok")
    stack.check(begin + 13 * MINUTE)
    users.well = True
    slack.behave("400")
    stack.check(begin + 14 * MINUTE)  # Slack will never take the news that all is well
    slack.behave("ok")


def fail(stack: Deployment) -> None:
    """Let both functions fail, and one of them until its event is given up."""
    stack.invoke_later("CheckFunctionName", BROKEN)
    for output in ("CheckFunctionName", "PublishFunctionName"):
        for _ in range(FAILURES):  # the emulator counts those only for which somebody waits
            stack.client("lambda").invoke(
                FunctionName=stack.outputs[output], Payload=json.dumps(BROKEN)
            )


def throttle(stack: Deployment) -> str:
    """Let the function be asked for when no more of it may run; return AWS's word for that."""
    client, name = stack.client("lambda"), stack.outputs["CheckFunctionName"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        client.invoke(FunctionName=name, Payload=json.dumps(due(minutes_ago(1))))
    except client.exceptions.TooManyRequestsException as refusal:
        return str(refusal.response["Reason"])
    finally:
        client.delete_function_concurrency(FunctionName=name)
    return ""


def misconfigure(stack: Deployment, slot: int) -> Any:
    """Let a run find a configuration that is cut off, and return its summary."""
    stack.configure_with(b'{"checkers": [')
    try:
        return stack.check(slot)
    finally:
        # Other bytes than before, or functions would know it by the name of that version.
        stack.configure_with(json.dumps(stack.project.configuration, indent=1).encode())


def counted_by_sqs(stack: Deployment, message: Mapping[str, Any]) -> Point:
    """Return what SQS counts for a message in the queue of failed events; the emulator does not.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    queue = stack.outputs["FailedEventsUrl"].rpartition("/")[2]
    at = int(message["Attributes"]["SentTimestamp"]) / 1000
    return Point("AWS/SQS", "NumberOfMessagesSent", at, 1, queue)
