"""A state that somebody damaged, and how the deployed stack went on."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from checkup.alerting.state import STATE_KEY
from tests.stack.day import MINUTE
from tests.stack.deployment import Deployment

DAMAGED = b'{"schema": 1, "che'


@dataclass(frozen=True)
class Mended:
    """What became of a state that somebody damaged.

    Attributes:
        aside: the damaged bytes, as they were kept.
        head: the state after the next run.
        history: the keys of what the publisher has counted by then.
    """

    aside: list[bytes]
    head: bytes
    history: list[str]


@pytest.fixture(scope="session")
def mended(stack: Deployment, repeated: list[str]) -> Mended:
    assert repeated
    bucket = stack.outputs["StateBucketName"]
    stack.emulator.client("s3").put_object(Bucket=bucket, Key=STATE_KEY, Body=DAMAGED)
    stack.check(int(time.time()) // MINUTE * MINUTE)
    aside = [stack.read(key) for key in stack.keys("quarantine/")]
    return Mended(aside, stack.read(STATE_KEY), stack.keys("history/"))
