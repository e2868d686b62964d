"""Machines of one's own that vote as the regions of a stack do, and two that should."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cli.program import Program, wait_until
from tests.cli.service import Service

REGIONS = ["eu", "us", "ap"]


def config(service: Service, **more: Any) -> dict[str, Any]:
    checker = {"type": "http", "id": "api", "endpoint_name": "Api", "endpoint_url": service.url}
    return {
        "checkers": [{**checker, "recheck": 0}],
        "storage": {"type": "fs", "dir": "checks"},
        "regions": REGIONS,
        "interval": "2s",
        "run_deadline": "1m",
        **more,
    }


def results(checkup: Program, number: int = -1) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(checkup.runs()[number].read_text())
    return found


@pytest.mark.row("I27")
@pytest.mark.parametrize(
    ("arguments", "name", "error"),
    [
        pytest.param(
            ("--store",),
            "",
            "regions are configured, but not which of them this machine is; set CHECKUP_REGION"
            " to one of: eu, us, ap",
            id="no-name",
        ),
        pytest.param(("every", "2s"), "", "set CHECKUP_REGION to one of: eu, us, ap", id="every"),
        pytest.param(
            ("--store",),
            "uss",
            'no region "uss" in regions (eu, us, ap); did you mean "us"?',
            id="typo",
        ),
        pytest.param(
            ("every", "2s", "--region-name", "by"),
            "eu",
            'no region "by" in regions',
            id="option-first",
        ),
        pytest.param(
            ("every", "5s", "--region-name", "eu"),
            "",
            'set "interval": "5s", or run `checkup every 2s`',
            id="another-interval",
        ),
    ],
)
def test_run_that_would_not_vote_is_an_error_and_stores_nothing(
    checkup: Program, service: Service, arguments: tuple[str, ...], name: str, error: str
) -> None:
    checkup.write(config(service))

    ended = checkup(*arguments, **({"CHECKUP_REGION": name} if name else {}))

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.rstrip().endswith(error) or error in ended.stderr
    assert checkup.runs() == []


def test_region_name_without_regions_is_an_error(checkup: Program, service: Service) -> None:
    checkup.write(config(service, regions=[]))

    ended = checkup("every", "2s", "--region-name", "eu")

    assert ended.returncode == 1
    assert 'no regions are configured; add "regions"' in ended.stderr


def test_machine_that_is_away_is_named(checkup: Program, service: Service) -> None:
    checkup.write(config(service, interval="1s"))

    for name in ("eu", "us"):
        assert checkup("--store", CHECKUP_REGION=name).returncode == 0
    partly = checkup("status").stderr
    assert checkup("--store", CHECKUP_REGION="ap").returncode == 0

    assert "no recent run from ap\n" in partly
    assert "no recent run from" not in checkup("status").stderr


def test_checks_that_are_not_stored_need_no_name(checkup: Program, service: Service) -> None:
    checkup.write(config(service))

    assert checkup().returncode == 0


def test_runs_share_the_slots_of_the_interval(checkup: Program, service: Service) -> None:
    checkup.write(config(service, interval="1h", run_deadline="1h"))

    for name in REGIONS:
        assert checkup("--store", CHECKUP_REGION=name).returncode == 0

    times = [int(run.name[:19]) for run in checkup.runs()]
    assert {time // 3_600_000_000_000 for time in times} == {times[0] // 3_600_000_000_000}
    assert [time % 3_600_000_000_000 for time in times] == [0, 1, 2]
    assert [results(checkup, n)[0]["region"] for n in range(3)] == REGIONS
    assert "machine" not in results(checkup)[0]


@pytest.mark.row("I25")
def test_three_machines_share_every_slot_and_alert_once(checkup: Program, service: Service) -> None:
    # A slot in which a machine is missing closes 30 s after the deadline of its run.
    checkup.write(config(service, run_deadline="5s"))
    state = checkup.folder / "checks/state/head.json"

    with ExitStack() as stack:
        machines = [
            stack.enter_context(checkup.start("every", "2s", CHECKUP_REGION=name))
            for name in REGIONS
        ]
        wait_until(lambda: state.exists() and '"status":"healthy"' in state.read_text())
        service.status = 500
        wait_until(lambda: '"status":"down"' in state.read_text())
        for machine in machines:
            machine.send_signal(signal.SIGINT)
        errors = [machine.communicate(timeout=30)[1] for machine in machines]

    times = [int(run.name[:19]) for run in checkup.runs()]
    assert {time % 2_000_000_000 for time in times} == {0, 1, 2}
    assert sum(error.count("alert: ") for error in errors) <= 1
    assert not any("too late" in error for error in errors)


def test_run_of_some_checkers_and_a_message_are_stored_without_a_vote(
    checkup: Program, service: Service
) -> None:
    checkup.write(config(service))

    some, message = checkup("--store", "api"), checkup("message", "Soon back")

    assert (some.returncode, message.returncode) == (0, 0)
    assert "the run is stored but has no vote" in some.stderr
    assert [results(checkup, n)[0]["region"] for n in (0, 1)] == ["by-hand", "by-hand"]
    assert results(checkup)[0]["message"] == "Soon back"


@pytest.mark.row("I27")
@pytest.mark.parametrize("regions", [[], REGIONS], ids=["alone", "regions"])
def test_machines_that_disagree_without_regions_are_named(
    checkup: Program, service: Service, regions: list[str]
) -> None:
    checkup.write(config(service, regions=regions, interval="2s"))
    sees_a_failure = config(service, regions=regions)
    sees_a_failure["checkers"][0]["up_status"] = 299
    checkup.write(sees_a_failure, "other.json")
    names = ("eu", "us")

    errors = ""
    for _ in range(3):
        errors += checkup("--store", CHECKUP_REGION=names[0]).stderr
        errors += checkup("-c", "other.json", "--store", CHECKUP_REGION=names[1]).stderr

    text = 'eu and us store runs in one place without "regions" and disagree about Api'
    seen = "(healthy on eu, down on us)"
    is_named = not regions
    assert (text in errors and seen in errors) is is_named
    assert (text in checkup("status").stderr) is is_named


def test_machines_that_see_the_same_are_not_named(checkup: Program, service: Service) -> None:
    checkup.write(config(service, regions=[]))

    errors = ""
    for status in (200, 500, 500, 200):
        service.status = status
        errors += checkup("--store", CHECKUP_REGION="eu").stderr
        errors += checkup("--store", CHECKUP_REGION="us").stderr

    assert "disagree" not in errors + checkup("status").stderr
