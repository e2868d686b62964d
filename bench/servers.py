"""The servers that benchmarks talk to, each a process on a core of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import certifi
import trustme
from cores import server

LATENCY = 0.1
"""Seconds that the HTTPS server takes for an answer."""


class Https(NamedTuple):
    """The HTTPS server.

    Attributes:
        environ: what programs need to trust its certificate as one among those of the world.
    """

    url: str
    environ: Mapping[str, str]


@contextmanager
def https() -> Iterator[Https]:
    """Run an HTTPS server with an RSA certificate of 2048 bits while the block runs."""
    rsa = trustme.KeyType.RSA
    authority = trustme.CA(key_type=rsa)
    issued = authority.issue_cert("127.0.0.1", "localhost", key_type=rsa)
    with tempfile.TemporaryDirectory() as folder:
        certificate, roots = Path(folder) / "server.pem", Path(folder) / "roots.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(certificate)
        roots.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        environ = {"SSL_CERT_FILE": str(roots), "REQUESTS_CA_BUNDLE": str(roots)}
        with _running("https_server.py", str(certificate), str(LATENCY)) as port:
            yield Https(f"https://127.0.0.1:{port}", environ)


@contextmanager
def s3(latency: float) -> Iterator[str]:
    """Run an emulator of S3 that takes so many seconds for an answer; yield its address."""
    with _running("s3_server.py", str(latency)) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _running(script: str, *arguments: str) -> Iterator[str]:
    process = server(script, *arguments)
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
