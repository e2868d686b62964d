"""Budget 13: the check function with many endpoints in the CPU share of its default memory.

Its first run is measured, from the event to the last result. All endpoints are healthy: where the
function reports another status, it could not find out.
"""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime

import cpu_share
from budgets import Table
from stack import RUN_DEADLINE, STATE, Answer, stack


def main() -> None:
    """Measure and judge."""
    table = Table()
    _, unknown, answer = first_run(1_000)
    table.row("function-1000", unknown)
    note(table, answer)
    seconds, unknown, answer = first_run(500)
    table.row("function-500", seconds / RUN_DEADLINE * 100)
    table.note("endpoints left unknown", unknown)
    note(table, answer)
    table.end()


def first_run(endpoints: int) -> tuple[float, int, Answer]:
    """Return the seconds until the last result, how many are unknown, and the answer."""
    with stack(endpoints) as it, cpu_share.group() as group:
        print(f"limited {cpu_share.describe(group)}")
        with it.function("check", group) as check:
            began = time.time_ns()
            slot = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
            answer = check.invoke({"slot": slot})
        client = it.client()
        stored = client.list_objects_v2(Bucket=STATE, Prefix="runs/").get("Contents", [])
        if not stored:
            return math.inf, endpoints, answer
        body = client.get_object(Bucket=STATE, Key=stored[0]["Key"])["Body"].read()
        results = json.loads(body)
        ends = (it["timestamp"] + sum(t["rtt"] for t in it.get("times", ())) for it in results)
        healthy = sum("healthy" in it for it in results)
        return (max(ends) - began) / 1e9, endpoints - healthy, answer


def note(table: Table, answer: Answer) -> None:
    """Print what the function answered."""
    table.note("the function's whole time", answer.seconds, "s")
    table.note("its memory", answer.memory, "MB")
    print(answer.error or answer.value)


if __name__ == "__main__":
    main()
