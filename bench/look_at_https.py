"""Looks at many HTTPS endpoints, with Checkup or as everybody would, and prints what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

LATENCY = 0.1


def peak() -> float:
    """Megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def checkup(url: str, count: int, in_flight: int) -> dict[str, float]:
    """One run of the engine."""
    from checkup.checkers.http import HttpChecker
    from checkup.deadline import Deadline
    from checkup.engine import look

    def run(number: int) -> list[float]:
        checkers = [HttpChecker(endpoint_url=f"{url}/{n}", id=str(n)) for n in range(number)]
        results = look(checkers, deadline=Deadline.after(60), concurrency=in_flight)
        assert all(result.healthy for result in results), results[0].error
        return [result.times[0].rtt / 1e6 - LATENCY * 1000 for result in results]

    run(20)
    before, cpu, wall = peak(), time.process_time(), time.monotonic()
    late = sorted(run(count))
    return {
        "cpu": (time.process_time() - cpu) * 1000 / count,
        "wall": time.monotonic() - wall,
        "memory": peak() - before,
        "p50": late[count // 2],
        "p95": late[count * 95 // 100],
        "max": late[-1],
    }


def naive(url: str, count: int, in_flight: int) -> dict[str, float]:
    """``requests.get`` in threads."""
    import requests

    def get(number: int) -> float:
        started = time.monotonic()
        assert requests.get(f"{url}/{number}", timeout=30).status_code == 200
        return (time.monotonic() - started) * 1000 - LATENCY * 1000

    with ThreadPoolExecutor(in_flight) as threads:
        list(threads.map(get, range(in_flight)))
        before, cpu, wall = peak(), time.process_time(), time.monotonic()
        late = sorted(threads.map(get, range(count)))
    return {
        "cpu": (time.process_time() - cpu) * 1000 / count,
        "wall": time.monotonic() - wall,
        "memory": peak() - before,
        "p50": late[count // 2],
        "p95": late[count * 95 // 100],
        "max": late[-1],
    }


if __name__ == "__main__":
    way, address, number, at_once = sys.argv[1:]
    measure = checkup if way == "checkup" else naive
    print(json.dumps(measure(address, int(number), int(at_once))))
