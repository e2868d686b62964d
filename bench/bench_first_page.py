"""Budget 14: the first publication of a page with many components, by the functions as deployed.

The check function has run once. Then the publish function is started, once a minute or when it
ended, until the page is whole: it reports no error, and each component has its page. One that takes
longer than its time, or more memory than it has, is ended.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Collection
from datetime import UTC, datetime

import cpu_share
from budgets import LONG, Table
from stack import PAGE, PUBLISH_TIMEOUT, Stack, stack

MINUTE = 60
SETTING_UP = 900
"""Seconds that the run before may take, which has a whole core and is not measured."""


def main() -> None:
    """Measure and judge."""
    table = Table()
    puts, tries = publication(table, 1_000, most=3)
    table.row("first-page-1000-puts", puts)
    table.row("first-page-1000-tries", tries)
    if LONG in os.environ:
        puts, tries = publication(table, 10_000, most=8)
        table.row("first-page-10000-puts", puts)
        table.row("first-page-10000-tries", tries)
    else:
        print("left out: 10,000 endpoints, which take up to ten minutes; see `run.py --long`")
    table.end()


def publication(table: Table, endpoints: int, most: int) -> tuple[float, float]:
    """Return PUTs ÷ files, and the tries; infinite if so many tries do not make the page whole."""
    with stack(endpoints) as it, cpu_share.group() as group:
        print(f"{endpoints} endpoints, limited {cpu_share.describe(group)}")
        run_once(it, endpoints)
        with it.function("publish", group) as publish:
            for number in range(1, most + 1):
                began = time.monotonic()
                answer = publish.invoke({"task": "publish"}, timeout=PUBLISH_TIMEOUT)
                puts = it.puts(PAGE)
                print(f"try {number}: {answer.error or 'no error'}, {len(puts)} files so far")
                table.note("seconds of this try", answer.seconds, "s")
                table.note("memory of the function", answer.memory, "MB")
                table.note("PUTs so far ÷ files so far", puts.total() / max(1, len(puts)))
                if not answer.error and is_whole(puts, endpoints):
                    return puts.total() / len(puts), number
                time.sleep(max(0.0, began + MINUTE - time.monotonic()) if number < most else 0)
    return math.inf, math.inf


def run_once(of: Stack, endpoints: int) -> None:
    """Check all endpoints, with all the time that it takes."""
    slot = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
    with of.function("check", RUN_DEADLINE=str(SETTING_UP)) as check:
        answer = check.invoke({"slot": slot}, timeout=SETTING_UP)
    if answer.error or answer.value["statuses"] != {"healthy": endpoints}:
        raise RuntimeError(f"the run before failed: {answer}")


def is_whole(files: Collection[str], endpoints: int) -> bool:
    """Say whether the page has its index and a page of each component."""
    pages = sum(name.startswith("components/") and name.endswith(".html") for name in files)
    return "index.html" in files and pages >= endpoints


if __name__ == "__main__":
    main()
