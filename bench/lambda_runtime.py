"""Serves events with one of the functions of the stack, as Lambda's runtime does.

    lambda_runtime.py MODULE TIMEOUT GROUP

Each line on stdin is an event, and each line on stdout what came of it. The function starts with a
whole core and serves its events with part of one, unless GROUP is "whole". An event that takes
longer than the timeout ends the process.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

import cpu_share


class Context(NamedTuple):
    """What a handler is told of its invocation."""

    end: float
    function_name: str = "function"
    memory_limit_in_mb: int = cpu_share.MEGABYTES
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """Return the life that is left to the invocation."""
        return int((self.end - time.monotonic()) * 1000)


def main(module: str, timeout: str, group: str) -> None:
    """Serve events until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the function's log
    if group != "whole":
        cpu_share.enter(group)
    handler = importlib.import_module(module).handler
    if group != "whole":
        cpu_share.throttle(group)
    for line in sys.stdin:
        started = time.monotonic()
        signal.alarm(int(timeout))
        value, error = None, ""
        try:
            value = handler(json.loads(line), Context(started + int(timeout)))
        except Exception as problem:  # noqa: BLE001 - Lambda hands on what it is
            error = f"{type(problem).__name__}: {problem}"
        signal.alarm(0)
        answer = {
            "value": value,
            "error": error,
            "seconds": time.monotonic() - started,
            "memory": peak(),
        }
        print(json.dumps(answer, default=str), file=answers, flush=True)


def peak() -> float:
    """Return the most memory that this process has had, in megabytes."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
