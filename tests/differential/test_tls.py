"""TLS servers are what curl says they are, except where we mean to differ."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checkup.checkers.http import HttpChecker
from tests.checkers.results import attempt_of
from tests.differential.http_clients import curl_version
from tests.differential.tls_shapes import (
    ROOT,
    TLS_DIFFERENCES,
    TlsServer,
    TlsShape,
    pem,
    tls_shapes,
)

SHAPES = tls_shapes()
MEANT = {name: said for difference in TLS_DIFFERENCES for name, said in difference.ours.items()}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not curl_version():
        pytest.skip("needs curl: apt-get install --no-install-recommends curl")
    file = tmp_path_factory.mktemp("roots") / "roots.pem"
    file.write_bytes(pem(ROOT))
    return file


def ask_us(shape: TlsShape, port: int, roots: Path) -> str:
    checker = HttpChecker(
        endpoint_url=f"https://127.0.0.1:{port}/",
        server_name=shape.name,
        tls_ca_file=str(roots),
        must_contain="hello",
    )
    return attempt_of(checker).error


def ask_curl(shape: TlsShape, port: int, roots: Path) -> str:
    ended = subprocess.run(
        [
            *("curl", "--disable", "--silent", "--show-error", "--max-time", "10"),
            *("--cacert", str(roots), "--connect-to", f"::127.0.0.1:{port}", "--noproxy", "*"),
            f"https://{shape.name}/",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
    )
    return "" if ended.stdout == "hello" and not ended.returncode else ended.stderr or "no body"


@pytest.mark.parametrize("name", SHAPES)
def test_tls_as_curl(roots: Path, name: str) -> None:
    with TlsServer(SHAPES[name]) as server:
        ours = ask_us(SHAPES[name], server.port, roots)
        theirs = ask_curl(SHAPES[name], server.port, roots)

    if name in MEANT:
        assert (not ours) is MEANT[name], ours
        assert bool(ours) is not bool(theirs), "no difference any more"
    else:
        assert bool(ours) is bool(theirs), (ours, theirs)
