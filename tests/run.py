"""Run the whole test suite in groups, and say how long each of them took.

The stack's tests spend most of their time waiting for a schedule, so they run beside the others.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parent.parent
GROUPS = {
    "core": ["core", "config", "alerting", "history", "incidents"],
    "sockets": ["checkers", "differential", "notifiers"],
    "storage": ["storage"],
    "pipeline": ["pipeline", "soak"],
    "cli": ["cli"],
    "page": ["page"],
    "project": ["project", "compatibility"],
}
BESIDE = "stack"


def main() -> int:
    """Return 0 if every group passed."""
    outcomes: dict[str, tuple[int, float]] = {}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output, ThreadPoolExecutor(1) as beside:
        stack = beside.submit(timed, pytest("-n", "0", f"tests/{BESIDE}"), output)
        for name, folders in GROUPS.items():
            print(f"\n=== {name}", flush=True)
            places = (f"tests/{folder}" for folder in folders)
            outcomes[name] = timed(pytest("-n", "2", "--dist", "loadgroup", *places))
        outcomes[BESIDE] = stack.result()
        print(f"\n=== {BESIDE}", flush=True)
        output.seek(0)
        print(output.read())
    print("\ngroup       seconds")
    for name, (code, seconds) in outcomes.items():
        print(f"{name:10} {seconds:8.0f}  {'passed' if code == 0 else 'FAILED'}")
    print(f"{'together':10} {time.monotonic() - began:8.0f}")
    return int(any(code for code, _ in outcomes.values()))


def timed(command: list[str], output: IO[str] | None = None) -> tuple[int, float]:
    """Return how a command ended and how many seconds it took."""
    start = time.monotonic()
    ended = subprocess.run(
        command, stdout=output, stderr=output and subprocess.STDOUT, cwd=ROOT, check=False
    )
    return ended.returncode, time.monotonic() - start


def pytest(*arguments: str) -> list[str]:
    """Return the command line of one group."""
    colour = "--color=yes" if sys.stdout.isatty() else "--color=no"
    return [sys.executable, "-m", "pytest", "-q", colour, *arguments]


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    sys.exit(main())
