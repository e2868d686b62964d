"""Both functions of the deployed stack, invoked by hand with the SAM CLI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.servers.slack import FakeSlack
from tests.stack.deployment import STACK, Deployment
from tests.stack.outage import Outage
from tests.stack.services import Service


@dataclass(frozen=True)
class ByHand:
    """What came of the SAM CLI's `remote invoke` of both functions.

    Attributes:
        results: of the check function.
        changed: by the publish function.
        before, after: all versions of all documents of the state bucket but the publisher's.
        told: how many messages Slack got.
    """

    results: Any
    changed: Any
    before: list[str]
    after: list[str]
    told: int


@pytest.fixture(scope="session")
def by_hand(stack: Deployment, outage: Outage, slack: FakeSlack, users: Service) -> ByHand:
    before = versions(stack)
    users.well = False
    try:
        results = remote_invoke(stack, "CheckFunction", "events/adhoc.json")
    finally:
        users.well = True
    changed = remote_invoke(stack, "PublishFunction", "events/state-changed.json")
    told = len(slack.messages) - outage.told[-1]
    return ByHand(results, changed, before, versions(stack), told)


def remote_invoke(stack: Deployment, function: str, event_file: str) -> Any:
    printed = stack.project.sam(
        *("remote", "invoke", function, "--stack-name", STACK),
        *("--event-file", event_file, "--output", "text"),
        environ=stack.emulator.environ,
    )
    return json.loads(printed)


def versions(stack: Deployment) -> list[str]:
    """Return all versions of all documents in the state bucket but the publisher's."""
    listed = stack.emulator.client("s3").list_object_versions(
        Bucket=stack.outputs["StateBucketName"]
    )
    return [it["VersionId"] for it in listed["Versions"] if not it["Key"].startswith("history/")]
