"""The time that a function has, and what is begun with it."""

from __future__ import annotations

import time

import pytest

from checkup.aws.check import run_deadline
from checkup.deadline import Deadline
from checkup.interfaces import Notification
from checkup.model import Attempt
from checkup.pipeline import run_and_store
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import Toy, slot
from tests.pipeline.recording import Ear, monitor

POSTS = 12.0
"""Seconds: the message, and the same to another channel if the first one is dead, of 6 each."""


class Watch(Ear):
    """A channel that notes when it is spoken to."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[float] = []

    def send(self, notification: Notification) -> None:
        self.at.append(time.monotonic())
        super().send(notification)


class Down(Toy, frozen=True, kw_only=True):
    """A checker of something that is down."""

    def attempt(self, deadline: Deadline) -> Attempt:
        del deadline
        return Attempt(error="refused", failure="connect_refused")


@pytest.mark.row("9")
@pytest.mark.parametrize("seconds", [5, 25, 30])
def test_message_is_begun_only_with_the_time_for_its_answer_and_its_receipt(
    seconds: int,
) -> None:
    for half_seconds in range(121):
        watch, left = Watch(), half_seconds / 2
        there = monitor(MemoryStorage(), checkers=(Down(id="a", recheck=0),), channels={"w": watch})
        end = time.monotonic() + left

        recorded = run_and_store(there, slot(0), run_deadline(seconds, int(left * 1000)))

        assert all(end - at > POSTS for at in watch.at), left
        assert len(watch.at) + recorded.undelivered == len(recorded.alerts), left

    assert len(watch.at) == 1  # with a whole minute
