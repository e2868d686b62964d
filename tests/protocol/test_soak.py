"""Worlds that hypothesis thinks up: runs, repeated and late events, and faults anywhere."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.alerting.worlds import MINUTE, toy
from tests.protocol.judge import judge
from tests.protocol.worlds import CHANNEL_FAULTS, STORAGE_FAULTS, World

LETTER = st.sampled_from("hhgddu")
FAULTS = st.sampled_from(tuple(dict.fromkeys(STORAGE_FAULTS + CHANNEL_FAULTS)))


class Event(Struct, frozen=True):
    """A run: at the next slot, at the same one again, or at one that is long over."""

    when: str
    letters: dict[str, str]
    faults: dict[int, str]
    region: str = ""


EVENTS = st.builds(
    Event,
    when=st.sampled_from(["next", "next", "next", "again", "late"]),
    letters=st.fixed_dictionaries({"a": LETTER, "b": LETTER}),
    faults=st.dictionaries(st.integers(0, 14), FAULTS, max_size=3),
    region=st.sampled_from(["eu", "us", "ap"]),
)


REGIONS = ("eu", "us", "ap")

CALM = (toy("a"), toy("b"))
LIVELY = (
    toy("a", flapping=True, remind_every=5 * MINUTE),
    toy("b", failure=2, success=2, flapping=True, depends_on=("a",)),
)
"""Checkers of which there is more to tell, and less."""


def live_through(world: World, events: list[Event]) -> None:
    """Let everything happen, then three undisturbed runs, and judge."""
    number = 10
    for event in events:
        number += event.when == "next"
        begin = len(world.steps)
        world.faults = {begin + offset: fault for offset, fault in event.faults.items()}
        at = number - (5 if event.when == "late" else 0)
        world.happen(at, event.letters, event.region if world.regions else "")
    world.settle(number + 1, {"a": "h", "b": "h"})
    judge(world)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=14), st.booleans())
def test_i12_to_i19_hold_in_every_world(events: list[Event], locks: bool) -> None:  # noqa: FBT001
    live_through(World(locks=locks, channels=("slack", "mail"), checkers=CALM), events)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=30))
def test_i12_to_i19_hold_where_there_is_more_to_tell(events: list[Event]) -> None:
    live_through(World(checkers=LIVELY), events)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=24))
def test_123_i12_to_i19_hold_with_several_regions(events: list[Event]) -> None:
    live_through(World(checkers=LIVELY, regions=REGIONS), events)
