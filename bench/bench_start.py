"""Budgets 1 and 2: what a cold start costs, of the check function and of the command."""

from __future__ import annotations

import compileall
import os
import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from budgets import Table
from cores import ROOT, alone

ROUNDS = 15
PACKAGES = sysconfig.get_paths()["purelib"]
TIMED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
CLIENT = "import boto3; boto3.client('s3', region_name='eu-central-1')"
SLOW = "boto3 requests urllib3 jinja2 dns botocore"


def main() -> None:
    """Measure and judge."""
    for folder in ("layers/core/checkup", "functions"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    table = Table()
    with tempfile.TemporaryDirectory() as home:
        function, client = in_turn(lambda: cold("import check", home), lambda: cold(CLIENT, home))
        table.row("function-import", function / client)
        table.note("import of the check function", function * 1000, "ms")
    program = str(Path(sys.executable).parent / "checkup")
    version, nothing = in_turn(
        lambda: wall(program, "--version"), lambda: wall(sys.executable, "-c", "pass")
    )
    table.row("version-wall", version / nothing)
    table.row("version-libraries", loaded())
    table.end()


def in_turn(*measures: Callable[[], float]) -> list[float]:
    """Return the medians; the measures take turns, in changing order."""
    found: list[list[float]] = [[] for _ in measures]
    for _ in range(ROUNDS):
        for number in random.sample(range(len(measures)), len(measures)):
            found[number].append(measures[number]())
    return [statistics.median(times) for times in found]


def cold(statement: str, home: str) -> float:
    """Return the seconds that a statement takes in a fresh interpreter, as on Lambda."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": home,
        "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT / 'layers/core'}:{PACKAGES}",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_LAMBDA_FUNCTION_NAME": "check",
        "STATE_BUCKET": "state",
    }
    said = subprocess.run(
        [sys.executable, "-S", "-c", TIMED.format(statement)],
        cwd=ROOT / "functions",
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=alone,
    )
    return float(said.stdout.splitlines()[-1])


def wall(*command: str) -> float:
    """Return the seconds that a command takes."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, preexec_fn=alone)
    return time.perf_counter() - started


def loaded() -> int:
    """Return how many of the slow libraries the command loads to tell its version."""
    script = (
        "import sys; sys.argv = ['checkup', '--version']; from checkup.cli import main; main();"
        f"print(len(set({SLOW.split()!r}) & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return int(said.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
