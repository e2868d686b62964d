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


@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("number", range(len(KINDS)), ids=KINDS)
def test_i12_to_i21_hold_for_killed_processes_11_86_87_88_106_107_110(
    number: int, stage: Stage
) -> None:
    tally = World(stage, plan(1, number, minutes=5)).live()

    assert tally.faults


@pytest.mark.xdist_group("soak")
def test_same_seed_is_the_same_world(stage: Stage) -> None:
    first, second = (World(stage, plan(2, 0, minutes=4)).live() for _ in range(2))

    assert first == second


@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("kind", STORAGES)
def test_i21_storing_runs_of_the_command_line_are_killed_11_99_103(kind: str, stage: Stage) -> None:
    tally = Place(stage, kind, f"3/{kind}", kills=8).live()

    assert tally.kills == 8


@pytest.mark.xdist_group("soak")
def test_14_i23_looks_by_hand_change_nothing_and_tell_nobody(stage: Stage) -> None:
    with World(stage, plan(4, 0)).prepared() as world:
        before = world.content()
        stage.show("dd")

        world.look_by_hand(5)

        assert world.content() == before
        assert stage.slacks["slack"].messages == []


@pytest.mark.xdist_group("soak")
@pytest.mark.parametrize("number", range(4, len(ORDERS), 30), ids=lambda n: "".join(ORDERS[n]))
def test_channel_reads_as_one_story_whatever_is_killed_114_117(number: int, stage: Stage) -> None:
    Story(stage, number).live()
