"""Worlds that hypothesis thinks up: runs, repeated and late events, and faults anywhere."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from tests.protocol.worlds import CHANNEL_FAULTS, STORAGE_FAULTS, World, judge

LETTER = st.sampled_from("hhgddu")
FAULTS = st.sampled_from(tuple(dict.fromkeys(STORAGE_FAULTS + CHANNEL_FAULTS)))


class Event(Struct, frozen=True):
    """A run: at the next slot, at the same one again, or at one that is long over."""

    when: str
    letters: dict[str, str]
    faults: dict[int, str]


EVENTS = st.builds(
    Event,
    when=st.sampled_from(["next", "next", "next", "again", "late"]),
    letters=st.fixed_dictionaries({"a": LETTER, "b": LETTER}),
    faults=st.dictionaries(st.integers(0, 14), FAULTS, max_size=3),
)


@settings(deadline=None)
@given(st.lists(EVENTS, max_size=14), st.booleans())
def test_i12_to_i19_hold_in_every_world(events: list[Event], locks: bool) -> None:  # noqa: FBT001
    world, number = World(locks=locks, channels=("slack", "mail")), 10
    for event in events:
        number += event.when == "next"
        begin = len(world.steps)
        world.faults = {begin + offset: fault for offset, fault in event.faults.items()}
        world.happen(number - (5 if event.when == "late" else 0), event.letters)
    world.settle(number + 1, {"a": "h", "b": "h"})

    judge(world)
