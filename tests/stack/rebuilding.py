"""The page's days, counted again in the middle of the day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.stack.day import minutes_ago
from tests.stack.deployment import Deployment
from tests.stack.operators import Operator
from tests.stack.trouble import Trouble

IMPORTED = 10
YEAR = "history/year.json"
"""Made of the others once a day."""


@dataclass(frozen=True)
class Rebuilt:
    """What there is of the history, by key: hours, days and times that are over.

    Attributes:
        kept: as the publisher has kept it all day.
        again: when it was counted again on request of an event.
        imported: when it was counted again from the command line, after somebody had put runs into
            the bucket by hand.
        said: by the program.
        confirmed: when it was counted again after that, by an event.
    """

    kept: Mapping[str, bytes]
    again: Mapping[str, bytes]
    imported: Mapping[str, bytes]
    said: str
    confirmed: Mapping[str, bytes]


@pytest.fixture(scope="session")
def rebuilt(stack: Deployment, trouble: Trouble, operator: Operator) -> Rebuilt:
    """Count again while each run has followed the one before, in one and the same configuration."""
    assert trouble
    stack.invoke("PublishFunctionName", {"task": "publish"})
    kept = history(stack)
    stack.invoke("PublishFunctionName", {"task": "rebuild"})
    again = history(stack)
    put_by_hand(stack)
    said = operator.says("rebuild")
    imported = history(stack)
    stack.invoke("PublishFunctionName", {"task": "rebuild"})
    return Rebuilt(kept, again, imported, said, history(stack))


def history(stack: Deployment) -> dict[str, bytes]:
    """Return what is counted, by key."""
    return {key: stack.read(key) for key in stack.keys("history/") if key != YEAR}


def put_by_hand(stack: Deployment) -> None:
    """Put runs of minutes into the bucket in which there was none, as if from another storage."""
    good = stack.read(stack.keys("runs/")[0])
    for minute in range(IMPORTED):
        slot = minutes_ago(55 - minute) * 10**9
        stack.client("s3").put_object(
            Bucket=stack.outputs["StateBucketName"], Key=f"runs/{slot}-check.json", Body=good
        )
