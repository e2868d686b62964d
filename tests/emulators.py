"""The AWS emulator as tests run it: ministack, a process of its own on a free port.

The suite never shares one between workers and ends each by its own process id, so that
nothing that runs beside it on the machine is touched.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.request import urlopen

import boto3
import pytest
import trustme
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "var" / "tools"
MINISTACK = TOOLS / "ministack" / "bin" / "ministack"

REGION = "us-east-1"
ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_STARTS = 3
_START_SECONDS = 30.0
_STOP_SECONDS = 3.0  # open connections would keep it for long


_MAKING = Lock()
"""A session can be used by one thread at a time."""


@cache
def _session() -> Any:
    """Return one session for all clients, for it reads the descriptions of services only once."""
    return boto3.session.Session(
        aws_access_key_id=ADMINISTRATOR["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=ADMINISTRATOR["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


@dataclass(frozen=True)
class Emulator:
    """One running emulator.

    Attributes:
        url: where every service of AWS answers.
        log: what the process prints.
        authority: the certificate to trust when the emulator speaks TLS, else None.
    """

    url: str
    log: Path
    authority: Path | None = None

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
            **({"AWS_CA_BUNDLE": str(self.authority)} if self.authority else {}),
        }

    def client(self, service: str, **options: Any) -> Any:
        """Return an administrator's client of a service; ``options`` as for ``boto3.client``."""
        options.setdefault("config", Config(retries={"total_max_attempts": 2}))
        options.setdefault("verify", str(self.authority) if self.authority else None)
        with _MAKING:
            return _session().client(service, endpoint_url=self.url, **options)


def require(tool: Path) -> Path:
    """Return the path of an installed tool, or fail and say how to install it."""
    if not tool.exists():
        pytest.fail(f"{tool.relative_to(ROOT)} is missing: run `make tools`", pytrace=False)
    return tool


@contextmanager
def ministack(folder: Path, *, auth: bool = False, tls: bool = False) -> Iterator[Emulator]:
    """Run an emulator while the block runs.

    Args:
        folder: an empty or absent folder for its log and its temporary files.
        auth: enforce IAM, so that what no policy allows is denied, as on AWS.
        tls: speak HTTPS, with a certificate for the loopback and for CloudFront's names; on port
            443 too, if this network has it to give.
    """
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    emulator, process = _started(folder, _environ(folder, auth=auth, tls=tls), tls=tls)
    try:
        yield emulator
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _started(
    folder: Path, environ: Mapping[str, str], *, tls: bool
) -> tuple[Emulator, subprocess.Popen[bytes]]:
    # Between finding a free port and its use another process may take it: then once more.
    for number in range(_STARTS):
        log = folder / f"ministack-{number}.log"
        port = free_port()
        emulator = Emulator(
            url=f"{'https' if tls else 'http'}://127.0.0.1:{port}",
            log=log,
            authority=folder / "authority.pem" if tls else None,
        )
        with log.open("wb") as output:
            process = subprocess.Popen(
                [require(MINISTACK)],
                env={**environ, "GATEWAY_PORT": str(port), "AWS_ENDPOINT_URL": emulator.url},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        if _answers(emulator, process):
            return emulator, process
        process.kill()
        process.wait()
    raise RuntimeError(f"ministack does not start:\n{log.read_text()[-2000:]}")


def _environ(folder: Path, *, auth: bool, tls: bool) -> Mapping[str, str]:
    return {
        **ADMINISTRATOR,
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true" if auth else "false",
        "IOT_MTLS_ENABLED": "0",  # else it listens on all addresses of the machine
        "MINISTACK_REGION": REGION,
        **(_certificate(folder) if tls else {}),
    }


def _certificate(folder: Path) -> Mapping[str, str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    server = authority.issue_cert("127.0.0.1", "localhost", "*.cloudfront.net")
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    server_file = str(folder / "server.pem")
    return {
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": server_file,
        "MINISTACK_SSL_KEY": server_file,
    }


def _answers(emulator: Emulator, process: subprocess.Popen[bytes]) -> bool:
    context = ssl.create_default_context(cafile=emulator.authority)
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with (
            suppress(OSError),
            urlopen(f"{emulator.url}/_ministack/health", timeout=2, context=context) as answer,
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
