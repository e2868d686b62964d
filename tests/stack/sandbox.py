"""What a function has on Lambda and no more: see ``sandbox.sh``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

SCRIPT = Path(__file__).with_suffix(".sh")
LANGUAGE = Path(sys.base_prefix)


class Places(NamedTuple):
    """Where a function finds what belongs to it."""

    task: Path
    layers: Path
    language: Path
    runtime: Path
    lent: Path


INSIDE = Places(*map(Path, ("/var/task", "/opt", "/var/lang", "/var/runtime", "/mnt")))


def sandboxed(folder: Path, megabytes: int, outside: Places, command: list[str]) -> list[str]:
    """Return the command that runs a command in a sandbox.

    Args:
        folder: where the sandbox keeps what it needs.
        outside: what appears in ``INSIDE``; what is lent lies in the subfolder ``lent``.
    """
    return [*map(str, (SCRIPT, folder, megabytes, *outside[:-1])), *command]


@cache
def why_not_sandboxed() -> str:
    """Return why functions run without a sandbox here; empty if they have one."""
    return _trial()[0]


@cache
def why_without_limit() -> str:
    """Return why functions get all the memory that there is; empty if they do not."""
    return _trial()[1]


@cache
def _trial() -> tuple[str, str]:
    if os.geteuid() != 0:
        return "not root", "not root"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = Places(folder, folder, LANGUAGE, folder, folder)
        command = sandboxed(folder, 64, places, ["/bin/true"])
        trial = subprocess.run(command, capture_output=True, text=True, check=False)
        is_limited = _note(folder).exists()
        forget_memory_group(folder)
    reason = trial.stderr.strip().splitlines()[-1] if trial.returncode else ""
    return reason, reason or ("" if is_limited else "no control group for memory can be made")


def forget_memory_group(folder: Path) -> None:
    """Remove what the kernel keeps of a sandbox whose processes have ended."""
    if not _note(folder).exists():
        return
    group = Path(_note(folder).read_text().strip())
    for _ in range(100):  # the kernel lets go of the last process a moment after its end
        with suppress(OSError):
            group.rmdir()
            return
        time.sleep(0.02)


def _note(folder: Path) -> Path:
    return folder / "memory-group"
