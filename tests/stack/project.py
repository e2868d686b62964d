"""A copy of what is deployed, with a configuration of the test's own, and the SAM CLI for it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import REGION, ROOT, TOOLS, require
from tests.stack import network

SAM = TOOLS / "sam" / "bin"
PROCESSOR = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
OTHER = "arm64" if PROCESSOR == "x86_64" else "x86_64"
_PARTS = ("template.yaml", "samconfig.toml", "functions", "layers", "statuspage", "events")


@dataclass(frozen=True)
class Project:
    """A folder that holds the parts of the repository that `sam` works on."""

    folder: Path

    @property
    def built(self) -> Path:
        """Where `sam build` puts its artefacts."""
        return self.folder / ".aws-sam" / "build"

    @property
    def configuration(self) -> dict[str, Any]:
        """What comes with the functions."""
        found: dict[str, Any] = json.loads(self._configuration.read_text())
        return found

    @property
    def _configuration(self) -> Path:
        return self.folder / "functions" / "checkup.json"

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Put a configuration in the place of the one that comes with the functions."""
        self._configuration.write_text(json.dumps(configuration))

    def build(self, processor: str, *options: str) -> None:
        """Build as `make build` does, with options of `sam build`."""
        script = ROOT / "scripts" / "build-stack"
        with network.of_the_machine():
            self.run([script, processor, require(SAM / "python"), *options], {})

    def sam(self, *arguments: str, environ: Mapping[str, str]) -> str:
        """Run the SAM CLI and return what it prints."""
        return self.run([require(SAM / "sam"), *arguments], environ)

    def run(self, command: list[str | Path], environ: Mapping[str, str]) -> str:
        """Run a program that has to succeed, with nothing of the machine's own AWS around it."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_")
        }
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={
                **inherited,
                "AWS_DEFAULT_REGION": REGION,
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": "0.5",
                "__SAM_CLI_APP_DIR": str(TOOLS / "sam-settings"),
                **environ,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            shown = " ".join(map(str, command))
            pytest.fail(f"{shown}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}", pytrace=False)
        return done.stdout


def copy_to(folder: Path, origin: Path = ROOT) -> Project:
    """Copy the parts into an absent folder."""
    folder.mkdir()
    for part in _PARTS:
        source, target = origin / part, folder / part
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return Project(folder)
