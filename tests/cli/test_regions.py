"""What an operator is shown of regions that look at different things."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, AlertState, encode_state
from checkup.model import Run, encode_results, run_key
from checkup.storage.folder import FolderStorage
from checkup.times import SECOND
from tests.alerting.worlds import result
from tests.cli.program import Program

MINUTE = 60 * SECOND
REGIONS = ["eu", "us"]


def store(checkup: Program, **definitions: str) -> None:
    """Put a run of each region into the storage, about two checkers, and a head before them."""
    checkup.write(
        {
            "regions": REGIONS,
            "checkers": [
                {"type": "tcp", "id": name, "endpoint_name": name.upper(), "endpoint_url": "a:1"}
                for name in "ab"
            ],
            "storage": {"type": "fs", "dir": "checks"},
        }
    )
    storage = FolderStorage(checkup.folder / "checks")
    slot = time.time_ns() // MINUTE * MINUTE
    cursor = run_key(Run(slot=slot - MINUTE, results=(), region_index=1))
    storage.create(STATE_KEY, encode_state(AlertState(revision=1, cursor=cursor)))
    for position, region in enumerate(REGIONS):
        seen = [result(name, "h", region) for name in "ab"]
        seen[0] = replace(seen[0], target_digest=definitions[region])
        run = Run(slot=slot, results=tuple(seen), region=region, region_index=position)
        storage.create(run_key(run), encode_results(run.results))


@pytest.mark.row("152")
def test_status_and_explain_name_the_region_and_the_checker(checkup: Program) -> None:
    store(checkup, eu="new", us="old")
    first, second = checkup("status").stdout.splitlines()[:2]
    assert first.startswith("A  unknown")
    assert first.endswith("not evaluated: us has a different configuration")
    assert second.startswith("B  healthy")
    assert "not evaluated" not in second
    explained = checkup("explain", "a").stdout.splitlines()
    assert "  excluded    us has a different configuration" in explained


@pytest.mark.row("152")
@pytest.mark.parametrize("command", [["status"], ["explain", "a"]])
def test_nothing_is_said_of_regions_that_look_at_the_same(
    checkup: Program, command: list[str]
) -> None:
    store(checkup, eu="same", us="same")
    ended = checkup(*command)
    assert ended.returncode == 0
    assert "not evaluated" not in ended.stdout
