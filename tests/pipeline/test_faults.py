"""Whatever goes wrong at whichever step: nothing lost, nothing doubled unnoticed, all at peace."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import pytest

from tests.alerting.worlds import toy
from tests.pipeline.judge import judge
from tests.pipeline.worlds import CHANNEL_FAULTS, STORAGE_FAULTS, World, letters

STORY = letters("hh dh dd hd hh")
SHORT = letters("hh dh hh")
END = {"a": "h", "b": "h"}
LOCKS = pytest.mark.parametrize("locks", [True, False], ids=["locks", "claims"])


def play(world: World, story: list[dict[str, str]]) -> World:
    for number, row in enumerate(story):
        world.happen(number, row)
    return world


def steps_of(story: list[dict[str, str]], *, locks: bool) -> list[str]:
    return play(World(locks=locks), story).steps


@LOCKS
def test_undisturbed_story_is_told_once(locks: bool) -> None:
    world = play(World(locks=locks), STORY)
    world.settle(len(STORY), END)

    judge(world, repeats=0)
    told = [
        (alert.split("/")[0], alert.split("/")[1])
        for ids, _ in world.received["slack"]
        for alert in ids
    ]
    assert told == [
        ("a", "open:down"),
        ("b", "open:down"),
        ("a", "resolve:healthy"),
        ("b", "resolve:healthy"),
    ]


@pytest.mark.row("I21")
@LOCKS
@pytest.mark.parametrize("fault", STORAGE_FAULTS)
def test_fault_at_every_step_of_the_storage(locks: bool, fault: str) -> None:
    steps = steps_of(STORY, locks=locks)
    for number, name in enumerate(steps):
        if name.startswith("send"):
            continue
        world = World(locks=locks)
        world.faults = {number: fault}
        play(world, STORY).settle(len(STORY), END)
        judge(world)


@pytest.mark.row("107", "I21")
@LOCKS
@pytest.mark.parametrize("fault", CHANNEL_FAULTS)
def test_fault_with_every_message(locks: bool, fault: str) -> None:
    steps = steps_of(STORY, locks=locks)
    sends = [number for number, name in enumerate(steps) if name.startswith("send")]
    assert len(sends) == 4
    for number in sends:
        world = World(locks=locks)
        world.faults = {number: fault}
        play(world, STORY).settle(len(STORY), END)
        judge(world)


@pytest.mark.row("11", "I21")
@LOCKS
def test_kill_at_every_pair_of_steps(locks: bool) -> None:
    steps = len(steps_of(SHORT, locks=locks)) + 10  # a kill makes the rest of the story longer
    for pair in combinations(range(steps), 2):
        world = World(locks=locks)
        world.faults = dict.fromkeys(pair, "killed-before")
        play(world, SHORT).settle(len(SHORT), END)
        judge(world)


@pytest.mark.row("I21")
@LOCKS
@pytest.mark.parametrize("second", ["answer-lost", "own-412", "not-applied"])
def test_kill_after_a_lost_answer(locks: bool, second: str) -> None:
    steps = steps_of(SHORT, locks=locks)
    for number, name in enumerate(steps):
        for later in range(1, 6):
            world = World(locks=locks)
            first = "killed-after" if name.startswith("send") else second
            world.faults = {number: first, number + later: "killed-after"}
            play(world, SHORT).settle(len(SHORT), END)
            judge(world)


@pytest.mark.row("8", "108", "D16")
@LOCKS
def test_another_run_in_between_at_every_step(locks: bool) -> None:
    """The other run is of a later slot and does everything; then this one goes on."""
    steps = steps_of(STORY, locks=locks)
    for number in range(len(steps)):
        world = World(locks=locks)
        world.faults = {number: partial(world.meanwhile, {"a": "d", "b": "h"})}
        play(world, STORY)
        world.settle(len(STORY), END)
        judge(world, repeats=0)


@pytest.mark.row("2")
@LOCKS
def test_run_that_failed_at_any_step_is_tried_again_twice(locks: bool) -> None:
    """The platform delivers the event of a failed run again, and what is done is not done again."""
    steps = steps_of(SHORT, locks=locks)
    for number in range(len(steps)):
        world = World(locks=locks)
        world.faults = {number: "killed-before"}
        for at, row in enumerate(SHORT):
            if world.happen(at, row) is None:
                world.again(row)
                world.again(row)
        world.settle(len(SHORT), END)
        judge(world)
        assert len({alert for ids, _ in world.received["slack"] for alert in ids}) == 2


@pytest.mark.row("1")
@LOCKS
def test_same_event_in_between_at_every_step(locks: bool) -> None:
    """The scheduler delivers twice: both processes look, see different things, and one counts."""
    steps = steps_of(STORY, locks=locks)
    for number in range(len(steps)):
        world = World(locks=locks)
        world.faults = {number: partial(world.again, {"a": "d", "b": "d"})}
        play(world, STORY)
        world.settle(len(STORY), END)
        judge(world, repeats=0)


@pytest.mark.row("126")
@pytest.mark.parametrize("fault", ["refused", "rejected", "never-arrived", "broken", "answer-lost"])
def test_bad_channel_does_not_harm_the_other(fault: str) -> None:
    world = World(channels=("slack", "mail"))
    world.sick = {"slack": fault}
    play(world, STORY)
    assert len(world.received["mail"]) == 4

    world.sick = {}
    world.settle(len(STORY), END)

    judge(world)
    assert not any(labelled for _, labelled in world.received["mail"])


@pytest.mark.row("114")
def test_dead_channel_is_told_everything_in_one_message_when_it_is_back() -> None:
    world = World()
    world.sick = {"slack": "refused"}
    play(world, STORY)

    world.sick = {}
    world.settle(len(STORY), END)

    judge(world, repeats=0)
    ((ids, labelled),) = world.received["slack"]
    assert (len(ids), labelled) == (4, False)


@pytest.mark.row("115", "D06")
def test_two_hundred_failures_are_one_message() -> None:
    names = [f"c{number}" for number in range(200)]
    world = World(checkers=[toy(name) for name in names])
    world.happen(0, dict.fromkeys(names, "h"))
    world.happen(1, dict.fromkeys(names, "d"))

    ((ids, labelled),) = world.received["slack"]
    assert (len(ids), labelled) == (200, False)


@pytest.mark.row("112")
def test_rejected_alert_is_on_the_dead_list_and_the_next_one_flows() -> None:
    world = World()
    world.sick = {"slack": "rejected"}
    world.happen(0, {"a": "d", "b": "h"})
    world.sick = {}
    world.happen(1, {"a": "d", "b": "d"})

    assert [(lost.alert.checker, lost.error) for lost in world.head().dead_letters] == [
        ("a", "nonsense")
    ]
    assert [ids[0].split("/")[0] for ids, _ in world.received["slack"]] == ["b"]


class TestClaims:
    """A run that is killed between its claim and the receipt."""

    def test_nobody_waits_where_locks_end_with_their_owner(self) -> None:
        world = killed_while_sending(locks=True)

        world.happen(1, {"a": "d", "b": "h"})

        assert [labelled for _, labelled in world.received["slack"]] == [True]

    def test_elsewhere_the_next_waits_until_the_owner_is_certainly_gone(self) -> None:
        world = killed_while_sending(locks=False)
        (entry,) = world.head().outboxes["slack"]
        world.now = entry.claimed_until - 1
        world.again({"a": "d", "b": "h"})
        assert world.received["slack"] == []

        world.now = entry.claimed_until
        world.again({"a": "d", "b": "h"})

        assert [labelled for _, labelled in world.received["slack"]] == [True]


def killed_while_sending(*, locks: bool) -> World:
    world = World(locks=locks)
    world.sick = {"slack": "killed-before"}
    world.happen(0, {"a": "d", "b": "h"})
    world.sick = {}
    assert len(world.head().outboxes["slack"]) == 1
    return world
