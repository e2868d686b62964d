"""``checkup run``: everything in one process, with real signals, sockets and files."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from checkup.cli import options
from checkup.cli.service import Service as RunService
from tests.cli.program import Program, wait_until
from tests.cli.service import Service, closed_port

ROOT = Path(__file__).parents[2]


def config(service: Service, title: str = "api", **more: Any) -> dict[str, Any]:
    checker = {"type": "http", "endpoint_name": title, "id": "api", "endpoint_url": service.url}
    return {"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}, **more}


class Running:
    """A ``checkup run`` and the lines that it has logged so far."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        self.lines.extend(line[20:].rstrip() for line in self.process.stderr)

    def wait_for(self, text: str) -> None:
        """Wait for a line; show all of them if it does not come."""
        try:
            wait_until(lambda: any(text in line for line in self.lines), 30)
        except AssertionError:
            pytest.fail(f"no line with {text!r} in {self.lines}")

    def get(self, path: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=30
            ) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@contextmanager
def running(checkup: Program, interval: str = "1s", **environment: str) -> Iterator[Running]:
    port = closed_port()
    words = ("run", interval, "--listen", f"127.0.0.1:{port}")
    with checkup.start(*words, **environment) as process:
        it = Running(process, port)
        it.wait_for("the status page is on")
        yield it


def test_one_process_checks_stores_publishes_and_serves(
    checkup: Program, service: Service, tmp_path: Path
) -> None:
    checkup.write(config(service, publish={"type": "fs", "dir": "public"}))

    with running(checkup) as it:
        wait_until(lambda: len(checkup.runs()) >= 2)
        wait_until((tmp_path / "public" / "index.html").exists)
        status, page = it.get("/")
        health, body = it.get("/healthz")

        assert status == health == HTTPStatus.OK
        assert b"api" in page
        assert json.loads(body)["status"] == "ok"
        assert json.loads(body)["checkers"] == 1
        # Unlike those of `serve`, its readers may be anybody.
        assert it.get(f"/{checkup.runs()[0].name}")[0] == HTTPStatus.NOT_FOUND
        assert it.get("/index.json")[0] == HTTPStatus.NOT_FOUND

        it.process.send_signal(signal.SIGTERM)
        assert it.process.wait(30) == 0
    assert it.lines[0].endswith(
        "started; checkup.json: 1 checker every 1s, storage: fs, no notifiers"
    )
    assert it.lines[-1] == "stopped"


def test_each_change_of_a_status_is_a_line(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with running(checkup) as it:
        wait_until(lambda: len(checkup.runs()) >= 2)
        service.down()
        it.wait_for("api is down, before: healthy: connection refused")
        service.up()
        it.wait_for("api is healthy, before: down")

    changes = [line for line in it.lines if ", before: " in line]
    assert len(changes) == 2


def test_edited_file_is_used_from_the_next_run_on(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with running(checkup) as it:
        wait_until(lambda: len(checkup.runs()) >= 1)
        checkup.write(config(service, "shop"))
        it.wait_for("reloaded checkup.json: 1 checker every 1s")
        wait_until(lambda: b"shop" in checkup.runs()[-1].read_bytes())
        wait_until(lambda: b"shop" in it.get("/")[1])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="not JSON"),
        pytest.param('{"checkers": []}', id="no checkers"),
        pytest.param('{"checkers": [{"type": "tcp", "endpoint_url": "a:1"}]}', id="no storage"),
    ],
)
def test_broken_file_leaves_the_last_valid_configuration(
    checkup: Program, service: Service, text: str
) -> None:
    path = checkup.write(config(service))

    with running(checkup) as it:
        wait_until(lambda: len(checkup.runs()) >= 1)
        path.write_text(text)
        it.wait_for("the last valid configuration stays in use")
        stored = len(checkup.runs())
        wait_until(lambda: len(checkup.runs()) >= stored + 2)
        checkup.write(config(service, "shop"))
        it.wait_for("reloaded")

    assert sum("stays in use" in line for line in it.lines) == 1


def test_hangup_reloads_and_runs_at_once(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with running(checkup, "1h") as it:
        wait_until(lambda: len(checkup.runs()) == 1)
        it.process.send_signal(signal.SIGHUP)
        it.wait_for("reloaded")
        wait_until(lambda: len(checkup.runs()) == 2)


def test_systemd_hears_of_start_watchdog_reload_and_end(
    checkup: Program, service: Service, tmp_path: Path
) -> None:
    checkup.write(config(service))
    address = str(tmp_path / "notify")
    said: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)

        def listen() -> None:
            while True:
                said.append(systemd.recv(4096).decode())

        threading.Thread(target=listen, daemon=True).start()
        with running(checkup, "1h", NOTIFY_SOCKET=address, WATCHDOG_USEC="200000") as it:
            wait_until(lambda: said.count("WATCHDOG=1") >= 3)
            it.process.send_signal(signal.SIGHUP)
            wait_until(
                lambda: any(text.startswith("RELOADING=1\nMONOTONIC_USEC=") for text in said)
            )
            wait_until(lambda: "READY=1" in said)
            it.process.send_signal(signal.SIGTERM)
            assert it.process.wait(30) == 0
            wait_until(lambda: "STOPPING=1" in said)

    assert said[0].startswith("READY=1\nSTATUS=checkup.json: 1 checker every 1h0m0s")


def test_health_is_bad_when_runs_are_no_longer_stored(
    checkup: Program, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = checkup.write(config(service))
    monkeypatch.chdir(path.parent)
    running = RunService(options.read_config(str(path)), str(path), 0, verbose=False)
    assert running.health().status == HTTPStatus.OK

    running._last_stored -= 3600

    assert running.health().status == HTTPStatus.SERVICE_UNAVAILABLE
    assert json.loads(running.health().file.body)["status"] == "late"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["nonsense"], "is not a duration", id="interval"),
        pytest.param(["1m", "--listen", "8080"], 'invalid --listen "8080"', id="address"),
    ],
)
def test_bad_arguments_are_named(
    checkup: Program, service: Service, words: list[str], text: str
) -> None:
    checkup.write(config(service))

    ended = checkup("run", *words)

    assert ended.returncode == 1
    assert text in ended.stderr


def test_it_needs_no_port(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with checkup.start("run", "1s", "--listen", "none") as process:
        wait_until(lambda: len(checkup.runs()) >= 2)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0


def test_unit_of_systemd_starts_it(checkup: Program, service: Service) -> None:
    unit = (ROOT / "examples/systemd/checkup.service").read_text()
    (command,) = re.findall(r"^ExecStart=/opt/checkup/bin/checkup (.+)$", unit, re.MULTILINE)
    path = checkup.write(config(service))
    words = command.replace("/etc/checkup/checkup.json", str(path)).split()
    words[-1] = f"127.0.0.1:{closed_port()}"

    with checkup.start(*words) as process:
        wait_until(lambda: len(checkup.runs()) >= 1)
        process.send_signal(signal.SIGHUP)  # ExecReload
        wait_until(lambda: len(checkup.runs()) >= 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
