"""Run a checker as a run does, without storing anything."""

from __future__ import annotations

import socket
import time

from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.interfaces import Checker
from checkup.model import Attempt, Result

MILLISECOND = 1_000_000
GENEROUS = 3.0
"""Seconds; far more than anything takes here, far less than what hangs would."""


def result_of(checker: Checker) -> Result:
    return run_checks([checker], deadline=Deadline.after(30), concurrency=1)[0]


def attempt_of(checker: Checker, seconds: float = 10.0) -> Attempt:
    return checker.attempt(Deadline.after(seconds))


def is_fresh(result: Result) -> bool:
    return abs(time.time_ns() - result.timestamp) < 5_000 * MILLISECOND


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
