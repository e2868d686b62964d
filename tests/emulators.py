"""The AWS emulator as tests run it: ministack, a process of its own on a free port.

The suite never shares one between workers and ends each by its own process id, so that
nothing that runs beside it on the machine is touched.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "var" / "tools"
MINISTACK = TOOLS / "ministack" / "bin" / "ministack"

REGION = "us-east-1"
ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_STARTS = 3
_START_SECONDS = 30.0


@dataclass(frozen=True)
class Emulator:
    """One running emulator.

    Attributes:
        url: where every service of AWS answers.
        log: what the process prints.
    """

    url: str
    log: Path

    @property
    def environ(self) -> dict[str, str]:
        """What a program needs to find the emulator, and nothing of the machine's own AWS."""
        return {
            **ADMINISTRATOR,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def client(self, service: str, **options: Any) -> Any:
        """Return an administrator's client of a service; ``options`` as for ``boto3.client``."""
        session: Any = boto3.session.Session(
            aws_access_key_id=ADMINISTRATOR["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=ADMINISTRATOR["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        options.setdefault("config", Config(retries={"total_max_attempts": 2}))
        return session.client(service, endpoint_url=self.url, **options)


def require(tool: Path) -> Path:
    """Return the path of an installed tool, or fail and say how to install it."""
    if not tool.exists():
        pytest.fail(f"{tool.relative_to(ROOT)} is missing: run tests/stack/tools.sh", pytrace=False)
    return tool


@contextmanager
def ministack(folder: Path, *, auth: bool = False) -> Iterator[Emulator]:
    """Run an emulator while the block runs.

    Args:
        folder: an empty or absent folder for its log and its temporary files.
        auth: enforce IAM, so that what no policy allows is denied, as on AWS.
    """
    folder.mkdir(parents=True, exist_ok=True)
    emulator, process = _started(folder, auth=auth)
    try:
        yield emulator
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(folder: Path, *, auth: bool) -> tuple[Emulator, subprocess.Popen[bytes]]:
    # Between finding a free port and its use another process may take it: then once more.
    for number in range(_STARTS):
        port, log = free_port(), folder / f"ministack-{number}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [require(MINISTACK)],
                env=_environ(folder, port, auth=auth),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if _answers(port, process):
            return Emulator(f"http://127.0.0.1:{port}", log), process
        process.kill()
        process.wait()
    raise RuntimeError(f"ministack does not start:\n{log.read_text()[-2000:]}")


def _environ(folder: Path, port: int, *, auth: bool) -> Mapping[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return {
        **ADMINISTRATOR,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true" if auth else "false",
        "IOT_MTLS_ENABLED": "0",  # else it listens on all addresses of the machine
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "MINISTACK_REGION": REGION,
    }


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with (
            suppress(OSError),
            urlopen(f"http://127.0.0.1:{port}/_ministack/health", timeout=2) as answer,
        ):
            # An emulator of another worker may have taken the port before ours could.
            return bool(answer.status == 200 and process.poll() is None)
        time.sleep(0.05)
    return False


def free_port() -> int:
    """Return a TCP port of the loopback that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
