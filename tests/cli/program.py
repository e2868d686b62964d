"""The program as its users start it: a process of its own, in a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCRIPT = Path(sys.executable).with_name("checkup")
PATIENCE = 60.0
"""Seconds after which a process that should have ended is given up."""

Ended = subprocess.CompletedProcess[str]


class Program:
    """Runs ``checkup`` in one folder, with nothing of this process's environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
        }

    def write(self, content: Mapping[str, Any], name: str = "checkup.json") -> Path:
        """Write a configuration."""
        path = self.folder / name
        path.write_text(json.dumps(content, indent=2))
        return path

    def __call__(self, *arguments: str, **environment: str) -> Ended:
        """Run it to its end."""
        return subprocess.run(
            [SCRIPT, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    @contextmanager
    def start(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """Run it beside the test, and kill it if it is still there at the end."""
        with subprocess.Popen(
            [SCRIPT, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def runs(self, folder: str = "checks") -> list[Path]:
        """Return the run files of a storage, oldest first."""
        return sorted((self.folder / folder).glob("*-check.json"))


def wait_until(what: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is true; fail if it does not come true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
