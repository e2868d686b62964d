"""Web servers that people use for folders, each on a free port of the loopback."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulators import free_port

_STARTS, _START_SECONDS = 3, 30.0

_NGINX = """
daemon off; master_process off; pid {work}/pid; error_log stderr error;
events {{}}
http {{
  include /etc/nginx/mime.types;
  access_log off;
  client_body_temp_path {work}/a; proxy_temp_path {work}/b; fastcgi_temp_path {work}/c;
  uwsgi_temp_path {work}/d; scgi_temp_path {work}/e;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""
_CADDY = """
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  root * {root}
  file_server
}}
"""


def _python(root: Path, _: Path, port: int) -> Sequence[str]:
    return [
        *(sys.executable, "-m", "http.server", str(port)),
        *("--bind", "127.0.0.1", "--directory", str(root)),
    ]


def _nginx(root: Path, work: Path, port: int) -> Sequence[str]:
    (work / "nginx.conf").write_text(_NGINX.format(root=root, work=work, port=port))
    return [_installed("nginx"), "-p", str(work), "-c", str(work / "nginx.conf"), "-e", "stderr"]


def _caddy(root: Path, work: Path, port: int) -> Sequence[str]:
    (work / "Caddyfile").write_text(_CADDY.format(root=root, port=port))
    return [_installed("caddy"), "run", "--config", str(work / "Caddyfile")]


SERVERS: dict[str, Callable[[Path, Path, int], Sequence[str]]] = {
    "python": _python,
    "nginx": _nginx,
    "caddy": _caddy,
}


@contextmanager
def serving(name: str, root: Path, work: Path) -> Iterator[str]:
    """Run a server of that name for a folder while the block runs; yields its address.

    Args:
        work: an empty folder for what it writes.
    """
    process, url = _started(name, root, work)
    try:
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _started(name: str, root: Path, work: Path) -> tuple[subprocess.Popen[bytes], str]:
    # Between finding a free port and its use another process may take it: then once more.
    for _ in range(_STARTS):
        port = free_port()
        with (work / "log").open("wb") as log:
            process = subprocess.Popen(
                SERVERS[name](root, work, port),
                env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(work)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if _answers(port, process):
            return process, f"http://127.0.0.1:{port}/"
        process.kill()
        process.wait()
    raise RuntimeError(f"{name} does not start:\n{(work / 'log').read_text()}")


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("HEAD", "/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
        finally:
            connection.close()
    return False


def _installed(program: str) -> str:
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/bin:/usr/local/bin")
    if path is None:
        pytest.skip(f"needs {program}: sh tests/tools.sh as root")
    return path
