"""How far a run has come is shown to people, and to nobody else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from contextlib import suppress
from typing import IO, Any

import pytest

from tests.cli.program import SCRIPT, Program
from tests.cli.service import Service

WIPE = "\r\x1b[K"


def slow(checkup: Program, service: Service, seconds: float, **more: Any) -> None:
    service.delay = seconds
    titles = ("api", "shop")
    checkers = [{"type": "http", "endpoint_name": t, "endpoint_url": service.url} for t in titles]
    checkup.write({"checkers": checkers, **more})


def on_a_terminal(
    checkup: Program, *arguments: str, stdout: IO[bytes] | None = None, term: str = "xterm"
) -> str:
    """Return everything that a terminal shows while the program runs to its end."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [SCRIPT, *arguments],
        cwd=checkup.folder,
        env=checkup.environment | {"TERM": term, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=stdout or theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # how Linux tells that nobody has the other end any more
            while chunk := os.read(ours, 65_536):
                shown += chunk
        os.close(ours)
        assert process.wait(60) == 0
    return shown.decode()


def test_long_run_shows_how_far_it_has_come_and_wipes_it(
    checkup: Program, service: Service
) -> None:
    slow(checkup, service, 2.5)

    shown = on_a_terminal(checkup)

    bars, _, results = shown.rpartition(WIPE)
    assert re.search(r"\[\.{24}\] 0 of 2 checked", bars)
    assert results.startswith("api  ")
    assert "of 2 checked" not in results
    assert results.count("  healthy  ") == 2


def test_storing_run_shows_it_too(checkup: Program, service: Service) -> None:
    slow(checkup, service, 2.5, storage={"type": "fs", "dir": "checks"})

    shown = on_a_terminal(checkup, "--store")

    assert " of 2 checked" in shown
    assert shown.endswith(WIPE)
    assert len(checkup.runs()) == 1


def test_short_run_shows_nothing(checkup: Program, service: Service) -> None:
    slow(checkup, service, 0)

    assert "checked" not in on_a_terminal(checkup)


@pytest.mark.parametrize("arguments", [["--json"], ["-v"]], ids=["json", "verbose"])
def test_other_output_is_not_disturbed(
    checkup: Program, service: Service, arguments: list[str]
) -> None:
    slow(checkup, service, 1.6)

    assert "\x1b" not in on_a_terminal(checkup, *arguments)


def test_no_bar_on_a_dumb_terminal(checkup: Program, service: Service) -> None:
    slow(checkup, service, 1.6)

    assert "\x1b" not in on_a_terminal(checkup, term="dumb")


def test_no_bar_beside_a_pipe(checkup: Program, service: Service) -> None:
    slow(checkup, service, 1.6)

    with (checkup.folder / "out").open("wb") as out:
        assert on_a_terminal(checkup, stdout=out) == ""
    assert "Assessment: healthy" in (checkup.folder / "out").read_text()
