"""Keeps the measured program on one processor and what it talks to on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
CORES = sorted(os.sched_getaffinity(0))
CLIENT, SERVER = frozenset(CORES[:1]), frozenset(CORES[-1:])


class Took(NamedTuple):
    """What a program took, in seconds and megabytes, and what it printed."""

    code: int
    cpu: float
    memory: float
    wall: float
    output: str


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


def cold(*command: str, environ: Mapping[str, str] | None = None, share: str = "whole") -> Took:
    """Run a program that has to succeed, and return what all of its process took.

    Args:
        share: what it has of a core; see ``launcher.py``.
    """
    launcher = [sys.executable, "-S", str(ROOT / "bench" / "launcher.py"), str(min(CLIENT)), share]
    ended = subprocess.run(
        [*launcher, *command],
        env={**os.environ, **(environ or {})},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    output, _, took = ended.stdout.rstrip("\n").rpartition("\n")
    found = Took(**json.loads(took), output=output)
    if found.code:
        raise RuntimeError(f"exit code {found.code}: {command[0]}: {output[:500]}")
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
