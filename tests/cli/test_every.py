"""``checkup every``: again and again, until it is asked to stop."""

from __future__ import annotations

import signal
import time
from itertools import pairwise
from typing import Any

import pytest

from checkup.cli.check import parse_interval
from checkup.errors import CheckupError
from tests.cli.program import Program, wait_until
from tests.cli.service import Service

SECOND = 1_000_000_000


def config(service: Service, **more: Any) -> dict[str, Any]:
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": service.url, **more}
    return {"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}}


@pytest.mark.row("E12")
@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        pytest.param("second", SECOND, id="second"),
        pytest.param("Minute", 60 * SECOND, id="minute"),
        pytest.param("HOUR", 3_600 * SECOND, id="hour"),
        pytest.param("day", 86_400 * SECOND, id="day"),
        pytest.param("week", 604_800 * SECOND, id="week"),
        pytest.param("3s", 3 * SECOND, id="3s"),
        pytest.param("1.5h", 5_400 * SECOND, id="fraction"),
        pytest.param(".5s", SECOND // 2, id="no-zero"),
        pytest.param("1.s", SECOND, id="dot"),
        pytest.param("+5s", 5 * SECOND, id="sign"),
        pytest.param("1H30M", 5_400 * SECOND, id="case"),
        pytest.param("5µs", 5_000, id="micro"),
        pytest.param("1d12h", 129_600 * SECOND, id="days"),
        pytest.param("1w", 604_800 * SECOND, id="weeks"),
    ],
)
def test_interval_is_a_duration_or_a_word(text: str, nanoseconds: int) -> None:
    assert parse_interval(text) == nanoseconds


@pytest.mark.row("E13")
@pytest.mark.parametrize(
    "text",
    [pytest.param(text, id=f"{text}") for text in ("1", "1y", " 1s", "", "1e3s", "days")],
)
def test_anything_else_is_no_interval(text: str) -> None:
    with pytest.raises(CheckupError, match="is not a duration"):
        parse_interval(text)


@pytest.mark.row("E13", "E14")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("0s", id="zero"),
        pytest.param("0", id="bare-zero"),
        pytest.param("-1s", id="negative"),
        "1y",
    ],
)
def test_bad_interval_is_refused_before_the_file_is_read(checkup: Program, text: str) -> None:
    ended = checkup("every", text)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert text in ended.stderr
    assert "checkup.json" not in ended.stderr


@pytest.mark.row("E16")
@pytest.mark.parametrize(
    ("missing", "error"),
    [
        pytest.param("checkers", "no checkers configured", id="checkers"),
        pytest.param("storage", "no storage configured", id="storage"),
    ],
)
def test_it_needs_checkers_and_a_storage(
    checkup: Program, service: Service, missing: str, error: str
) -> None:
    content = config(service)
    del content[missing]
    checkup.write(content)

    ended = checkup("every", "1s")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.endswith(f" {error}\n")


@pytest.mark.row("E15")
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="int"), pytest.param(signal.SIGTERM, id="term")],
)
def test_first_run_is_at_once_and_a_signal_ends_it(
    checkup: Program, service: Service, number: int
) -> None:
    checkup.write(config(service))

    with checkup.start("every", "day") as process:
        wait_until((checkup.folder / "checks/state/head.json").exists)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout) == (0, "")
    (started,) = stderr.splitlines()
    assert started.endswith(
        "started; checkup.json: 1 checker every 24h0m0s, storage: fs, no notifiers"
    )
    assert len(checkup.runs()) == 1


def test_signal_ends_a_run_that_lasts(checkup: Program, service: Service) -> None:
    service.delay = 600
    checkup.write(config(service, timeout="20m") | {"run_deadline": "25m"})

    with checkup.start("every", "1s") as process:
        wait_until(lambda: service.requests)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)

    assert time.monotonic() - asked < 30
    assert (process.returncode, stdout, len(stderr.splitlines())) == (0, "", 1)
    assert checkup.runs() == []


@pytest.mark.row("E15")
@pytest.mark.parametrize("_", [pytest.param(0, id="no-overlap")])
def test_runs_do_not_overlap_and_missed_ticks_are_dropped(
    checkup: Program, service: Service, _: int
) -> None:
    service.delay = 0.5
    checkup.write(config(service))

    with checkup.start("every", "200ms"):
        wait_until(lambda: len(checkup.runs()) >= 3)

    slots = [int(run.name[:19]) for run in checkup.runs()]
    gaps = [later - earlier for earlier, later in pairwise(slots)]
    assert min(gaps) > SECOND // 2


@pytest.mark.row("E15")
@pytest.mark.parametrize("_", [pytest.param(0, id="survives")])
def test_run_that_fails_is_reported_and_the_next_takes_place(
    checkup: Program, service: Service, _: int
) -> None:
    checkup.write(config(service))
    (checkup.folder / "checks").write_text("in the way")

    with checkup.start("every", "300ms") as process:
        assert process.stderr is not None
        process.stderr.readline()
        first = process.stderr.readline()
        (checkup.folder / "checks").unlink()
        wait_until(checkup.runs)
        process.terminate()
        process.communicate(timeout=30)

    assert "checks" in first
    assert "Traceback" not in first
    assert process.returncode == 0


def test_storage_that_vanishes_is_made_again(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    with checkup.start("every", "300ms") as process:
        wait_until(checkup.runs)
        (checkup.folder / "checks").rename(checkup.folder / "gone")
        wait_until(checkup.runs)
        process.terminate()
        process.wait(30)

    assert process.returncode == 0


def test_edited_file_is_used_from_the_next_run_on_and_a_broken_one_is_not(
    checkup: Program, service: Service
) -> None:
    checkup.write(config(service))

    with checkup.start("every", "300ms") as process:
        assert process.stderr is not None
        assert "started; " in process.stderr.readline()
        wait_until(checkup.runs)
        checkup.write(config(service, attempts="two"))
        broken = [process.stderr.readline() for _ in range(2)]
        runs = len(checkup.runs())
        wait_until(lambda: len(checkup.runs()) > runs)
        checkup.write(config(service, must_contain="not there", recheck=0))
        reloaded, changed = process.stderr.readline(), process.stderr.readline()
        process.terminate()
        process.communicate(timeout=30)

    assert "checkers[0].attempts: " in broken[0]
    assert broken[1].endswith(" the last valid configuration stays in use\n")
    assert " reloaded checkup.json: 1 checker every " in reloaded
    assert " api is down, before: healthy: " in changed
    assert process.returncode == 0
