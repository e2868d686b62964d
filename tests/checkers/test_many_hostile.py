"""Fifty hostile servers at once: a result for each, in time, and the memory stays small."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from checkup.checkers.http import HttpChecker
from checkup.checkers.runner import run_checks
from checkup.deadline import Deadline
from checkup.model import Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS
from tests.servers.web import WebServer

HOSTILE = (
    "silent",
    "trickled-headers",
    "trickled-body",
    "endless-headers",
    "endless-header",
    "endless-body",
    "endless-interim",
    "slow-interim",
    "bomb",
    "stalled-body",
)


def checkers(url: str) -> list[HttpChecker]:
    return [
        HttpChecker(
            endpoint_url=f"{url}/{HOSTILE[number % len(HOSTILE)]}",
            id=str(number),
            must_contain="never there",
            timeout=60 * SECOND,
        )
        for number in range(50)
    ]


@pytest.mark.row("25", "X2")
@pytest.mark.parametrize("seconds", [pytest.param(2.0, id="34-35-37-39-40")])
def test_run_ends_with_a_result_for_each(web: WebServer, seconds: float) -> None:
    started = time.monotonic()

    results = run_checks(checkers(web.url("")), deadline=Deadline.after(seconds), concurrency=50)

    assert time.monotonic() - started < seconds + GENEROUS
    assert [result.id for result in results] == [str(number) for number in range(50)]
    assert not any(result.status is Status.HEALTHY for result in results)
    assert all(result.error and result.failure for result in results)


SCRIPT = """
import json, resource, sys
from checkup.deadline import Deadline
from checkup.checkers.runner import run_checks
from checkup.checkers.http import HttpChecker
from tests.checkers.test_many_hostile import checkers
warm_up = [HttpChecker(endpoint_url=sys.argv[1] + "/up")] * 3
run_checks(warm_up, deadline=Deadline.after(9), concurrency=3)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
results = run_checks(checkers(sys.argv[1]), deadline=Deadline.after(3), concurrency=50)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"more": after - before, "results": len(results)}))
"""


@pytest.mark.row("39", "X2")
@pytest.mark.parametrize("most", [pytest.param(32 * 1024, id="40")])
def test_memory_stays_small(web: WebServer, most: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, web.url("")], capture_output=True, text=True, check=True
    )

    printed = json.loads(ended.stdout)
    assert printed["results"] == 50
    assert printed["more"] < most  # KiB
