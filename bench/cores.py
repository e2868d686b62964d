"""Keeps the measured program on one processor and what it talks to on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORES = sorted(os.sched_getaffinity(0))
CLIENT, SERVER = frozenset(CORES[:1]), frozenset(CORES[-1:])


def alone(cores: frozenset[int] = CLIENT) -> None:
    """Keep this process to its cores and, where that is allowed, others away from them."""
    os.sched_setaffinity(0, cores)
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def measured(
    script: str, *arguments: str, environ: dict[str, str] | None = None
) -> dict[str, float]:
    """Run a module of this folder in a process of its own, and return the JSON that it prints."""
    ended = subprocess.run(
        [sys.executable, str(ROOT / "bench" / script), *arguments],
        env={**os.environ, **(environ or {}), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        preexec_fn=lambda: alone(CLIENT),
    )
    found: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return found


def server(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a server of this folder; its first line says where it is."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / script), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: alone(SERVER),  # noqa: PLW1509 - this process has no threads
    )
