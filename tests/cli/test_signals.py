"""A signal that the kernel hands to another thread than the one that waits."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread, Timer
from typing import Any

import pytest

from checkup.cli.process import interruptible_sleep, run_until_stopped
from tests.cli.program import Program, wait_until
from tests.cli.service import Service

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads are found in /proc")


def config(service: Service, **more: str) -> dict[str, Any]:
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": service.url}
    return {
        "checkers": [{**checker, "timeout": "20m"}],
        "storage": {"type": "fs", "dir": "checks"},
        **more,
    }


def signal_another_thread(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Send a signal to a thread that is not the main one."""

    def others() -> list[int]:
        tasks = Path(f"/proc/{process.pid}/task").iterdir()
        return [int(task.name) for task in tasks if int(task.name) != process.pid]

    wait_until(others)
    assert ctypes.CDLL(None).tgkill(process.pid, others()[0], number) == 0


@pytest.mark.parametrize("to", ["the main thread", "another thread"])
def test_run_is_interrupted(checkup: Program, service: Service, to: str) -> None:
    """The check over HTTP waits in the main thread, that of a name server has its own."""
    service.delay = 600
    settings = config(service, run_deadline="20m")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        dns = {
            "type": "dns",
            "endpoint_name": "b",
            "endpoint_url": f"127.0.0.1:{silent.getsockname()[1]}",
            "hostname_fqdn": "a.test",
            "timeout": "20m",
        }
        checkup.write({**settings, "checkers": [*settings["checkers"], dns]})

        with checkup.start() as process:
            wait_until(lambda: service.requests)
            if to == "another thread":
                signal_another_thread(process, signal.SIGINT)
            else:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)

    assert process.returncode == 130


def test_pause_between_runs_is_ended() -> None:
    done = Event()
    other = Thread(target=done.wait)
    other.start()
    began = time.monotonic()
    assert other.ident
    later = Timer(0.2, signal.pthread_kill, [other.ident, signal.SIGTERM])
    try:
        with run_until_stopped():
            later.start()
            interruptible_sleep(60)
    finally:
        done.set()

    assert time.monotonic() - began < 30


def test_serve_is_stopped(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with checkup.start("serve", "--listen", "127.0.0.1:0") as process:
        assert process.stdout
        place = process.stdout.readline().split("//")[1].split("/")[0]
        host, _, port = place.partition(":")
        with socket.create_connection((host, int(port))):  # has a thread of its own
            signal_another_thread(process, signal.SIGTERM)
            process.communicate(timeout=30)

    assert process.returncode == 0
