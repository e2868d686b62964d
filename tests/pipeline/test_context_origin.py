"""Each stored run says which configuration and which version of the program it is from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checkup import __version__
from checkup.model import Status, run_key
from checkup.pipeline import RunContext, read_state, run_and_store, run_in_region
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import run, slot
from tests.pipeline.recording import monitor, soon

REGIONS = ("eu", "us")


def stored(storage: MemoryStorage, region: str = "", position: int = 0) -> list[dict[str, Any]]:
    found = storage.get(run_key(run(0, {}, region, position)))
    assert found is not None
    results: list[dict[str, Any]] = json.loads(found.body)
    return results


def region(storage: MemoryStorage, name: str, **definitions: str) -> RunContext:
    return monitor(storage, region=name, regions=REGIONS, target_digests=definitions, digest="d1")


@pytest.mark.row("S10.2")
def test_first_result_of_a_run_names_configuration_and_version() -> None:
    storage = MemoryStorage()
    run_and_store(monitor(storage, digest="0f1e2d"), slot(0), soon())
    first, second = stored(storage)
    assert (first["config"], first["version"]) == ("0f1e2d", __version__)
    assert not second.keys() & {"config", "version", "definition"}


@pytest.mark.row("S10.2")
def test_run_of_a_region_says_what_each_checker_looked_at() -> None:
    storage = MemoryStorage()
    run_in_region(region(storage, "us", a="one", b="two"), slot(0), soon())
    results = stored(storage, "us", 1)
    assert [result["definition"] for result in results] == ["one", "two"]
    assert [result["region"] for result in results] == ["us", "us"]
    assert [result.get("config") for result in results] == ["d1", None]


def test_run_of_nothing_is_an_empty_one() -> None:
    storage = MemoryStorage()
    run_and_store(monitor(storage, checkers=(), digest="d1"), slot(0), soon())
    assert stored(storage) == []


@pytest.mark.row("152")
def test_region_that_looks_at_something_else_is_named_and_does_not_count() -> None:
    storage = MemoryStorage()
    run_and_store(region(storage, "eu"), slot(0), soon())  # from here on runs are news
    run_in_region(region(storage, "us", a="old", b="same"), slot(1), soon())
    recorded = run_and_store(region(storage, "eu", a="new", b="same"), slot(1), soon())
    states = read_state(storage).checkers
    assert recorded.excluded_regions == ("us",)
    assert {name: state.excluded_regions for name, state in states.items()} == {
        "a": ("us",),
        "b": (),
    }


@pytest.mark.row("152")
def test_regions_that_look_at_the_same_are_in_nobodys_way() -> None:
    storage = MemoryStorage()
    run_and_store(region(storage, "eu"), slot(0), soon())
    run_in_region(region(storage, "us", a="same", b="same"), slot(1), soon())
    recorded = run_and_store(region(storage, "eu", a="same", b="same"), slot(1), soon())
    assert recorded.excluded_regions == ()
    assert {state.status for state in read_state(storage).checkers.values()} == {Status.HEALTHY}
