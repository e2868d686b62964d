"""A small part of the soak test, one world of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.soak.plan import KINDS
from tests.soak.stage import Stage
from tests.soak.workers import live

MINUTES = 8


@pytest.fixture(scope="module", name="stage")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("soak")) as stage:
        yield stage


@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_8_11_i12_to_i24_hold_for_processes_that_are_killed(number: int, stage: Stage) -> None:
    tally = live(1, number, stage, minutes=MINUTES)

    assert tally.runs > MINUTES
    assert tally.faults


@pytest.mark.xdist_group("soak")
def test_same_seed_is_the_same_world(stage: Stage) -> None:
    first, second = (live(2, 0, stage, minutes=MINUTES) for _ in range(2))

    assert first == second
