"""Budgets 6 and 7: servers that hang, trickle, flood and bomb."""

from __future__ import annotations

import json
import resource
import sys
import time

from budgets import Table
from cores import measured, server

SECONDS = 3.0


def main() -> None:
    """Measure and judge."""
    running = server("bench_hostile.py", "serve")
    try:
        assert running.stdout
        url = running.stdout.readline().strip()
        table = Table()
        one = measured("bench_hostile.py", "hanging", url)
        table.row("hanging-late", one["late"])
        many = measured("bench_hostile.py", "hostile", url)
        table.row("hostile-memory", many["memory"])
        table.row("hostile-late", many["late"])
        table.end()
    finally:
        running.kill()
        running.wait()


def serve() -> None:
    """Misbehave until killed."""
    from tests.servers.web import WebServer

    with WebServer() as web:
        print(web.url(""), flush=True)
        time.sleep(3600)


def look_at(paths: list[str]) -> dict[str, float]:
    """Look at 50 endpoints at once."""
    from checkup.checkers.http import HttpChecker
    from checkup.checkers.runner import run_checks
    from checkup.deadline import Deadline
    from checkup.times import SECOND

    def run(some: list[str], seconds: float) -> float:
        checkers = [
            HttpChecker(endpoint_url=path, id=str(n), must_contain="no", timeout=60 * SECOND)
            for n, path in enumerate(some)
        ]
        started = time.monotonic()
        results = run_checks(checkers, deadline=Deadline.after(seconds), concurrency=50)
        assert len(results) == len(some)
        return time.monotonic() - started - seconds

    run([paths[0].rpartition("/")[0] + "/up"] * 3, SECONDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    late = run(paths, SECONDS)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"late": late, "memory": (after - before) / 1024}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["hanging", address]:
            print(json.dumps(look_at([f"{address}/silent"] + [f"{address}/up"] * 49)))
        case ["hostile", address]:
            from tests.checkers.test_many_hostile import HOSTILE

            rude = [f"{address}/{HOSTILE[n % len(HOSTILE)]}" for n in range(50)]
            print(json.dumps(look_at(rude)))
        case _:
            main()
