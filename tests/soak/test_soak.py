"""A small part of the soak test: one scene of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.soak.place import STORAGES, Place
from tests.soak.plan import KINDS, plan
from tests.soak.stage import Stage
from tests.soak.story import ORDERS, Story
from tests.soak.world import World


@pytest.fixture(scope="module", name="stage")
def _stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("soak")) as stage:
        yield stage


@pytest.mark.row(
    "11",
    "86",
    "87",
    "88",
    "106",
    "107",
    "110",
    "I12",
    "I13",
    "I14",
    "I15",
    "I16",
    "I17",
    "I18",
    "I19",
    "I20",
    "I21",
)
@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_hold_for_killed_processes(number: int, stage: Stage) -> None:
    tally = World(stage, plan(1, number, minutes=12 if KINDS[number] == "planned" else 5)).live()

    assert tally.faults


@pytest.mark.xdist_group("soak")
def test_same_seed_is_the_same_world(stage: Stage) -> None:
    first, second = (World(stage, plan(2, 0, minutes=4)).live() for _ in range(2))

    assert first == second


@pytest.mark.row("11", "99", "103", "I21")
@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("kind", STORAGES)
def test_storing_runs_of_the_command_line_are_killed(kind: str, stage: Stage) -> None:
    tally = Place(stage, kind, f"3/{kind}", kills=8).live()

    assert tally.kills == 8


@pytest.mark.row("14", "I23")
@pytest.mark.xdist_group("soak")
def test_looks_by_hand_change_nothing_and_tell_nobody(stage: Stage) -> None:
    with World(stage, plan(4, 0)).prepared() as world:
        before = world.content()
        stage.show("dd")

        world.look_by_hand(5)

        assert world.content() == before
        assert stage.slacks["slack"].messages == []


@pytest.mark.row("114", "117")
@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("number", range(4, len(ORDERS), 30), ids=lambda n: "".join(ORDERS[n]))
def test_channel_reads_as_one_story_whatever_is_killed(number: int, stage: Stage) -> None:
    Story(stage, number).live()
