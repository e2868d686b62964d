"""Worlds that hypothesis thinks up: runs, repeated and late events, and faults anywhere."""

from __future__ import annotations

import json
from functools import partial
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from checkup.model import run_key
from tests.alerting.worlds import MINUTE, run, toy
from tests.pipeline.judge import judge, judge_claims
from tests.pipeline.worlds import CHANNEL_FAULTS, STORAGE_FAULTS, World

KEYS = st.sampled_from(["id", "title", "times", "rtt", "down", "healthy", "timestamp", "region"])
LETTER = st.sampled_from("hhgddu")
FAULTS = st.sampled_from(tuple(dict.fromkeys(STORAGE_FAULTS + CHANNEL_FAULTS)))
MEANWHILE = "meanwhile"
"""Another run, of a later slot, comes in between and does everything."""


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
    faults=st.dictionaries(st.integers(0, 14), FAULTS | st.just(MEANWHILE), max_size=3),
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
        between = partial(world.meanwhile, event.letters)
        world.faults = {
            begin + offset: between if fault == MEANWHILE else fault
            for offset, fault in event.faults.items()
        }
        at = number - (5 if event.when == "late" else 0)
        world.happen(at, event.letters, event.region if world.regions else "")
    world.settle(number + 1, {"a": "h", "b": "h"})
    judge(world)


@pytest.mark.row("I12", "I13", "I14", "I15", "I16", "I17", "I18", "I19", "I20")
@settings(deadline=None)
@given(st.lists(EVENTS, max_size=14), st.booleans())
def test_hold_in_every_world(events: list[Event], locks: bool) -> None:
    live_through(World(locks=locks, channels=("slack", "mail"), checkers=CALM), events)


@pytest.mark.row("I12", "I13", "I14", "I15", "I16", "I17", "I18", "I19", "I20")
@settings(deadline=None)
@given(st.lists(EVENTS, max_size=30))
def test_hold_where_there_is_more_to_tell(events: list[Event]) -> None:
    live_through(World(checkers=LIVELY), events)


@pytest.mark.row("123", "I12", "I13", "I14", "I15", "I16", "I17", "I18", "I19", "I20")
@settings(deadline=None)
@given(st.lists(EVENTS, max_size=24))
def test_hold_with_several_regions(events: list[Event]) -> None:
    live_through(World(checkers=LIVELY, regions=REGIONS), events)


def pause(world: World, letters: dict[str, str]) -> None:
    """Let a run be paused for minutes, in which another one does everything.

    One that is paused while it sends cannot know that its message has become a repeat.
    """
    if not world.steps[-1].startswith("send "):
        world.lose_receipt()
        world.now += 4 * MINUTE
        world.meanwhile(letters)


@pytest.mark.row("I26")
@settings(deadline=None, max_examples=60)
@given(st.lists(EVENTS, min_size=1, max_size=8), st.lists(st.integers(0, 14)), st.booleans())
def test_hold_for_machines_that_are_paused(
    events: list[Event], pauses: list[int], locks: bool
) -> None:
    world = World(locks=locks, checkers=CALM, asleep=True)
    for number, (event, step) in enumerate(
        zip(events, chain(pauses, repeat(14)), strict=False), 10
    ):
        at = number * 6  # a pause lasts for some slots
        begin = len(world.steps)
        world.faults = {begin + offset: fault for offset, fault in event.faults.items()}
        world.faults = {
            offset: fault for offset, fault in world.faults.items() if fault != MEANWHILE
        }
        world.faults[begin + step] = partial(pause, world, event.letters)
        world.happen(at, event.letters)
    world.settle(number * 6 + 6, {"a": "h", "b": "h"})
    judge(world)


CLAIMING = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.sampled_from(["killed-after", "not-applied", "answer-lost", MEANWHILE]),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.row("I20")
@settings(deadline=None)
@given(st.lists(CLAIMING, min_size=1, max_size=6))
def test_one_claim_at_most_is_alive_whoever_comes_in_between(faults: list[Any]) -> None:
    """Every run has something to deliver, and no lock says who is doing it."""
    world = World(channels=("slack", "mail"))
    for number, disturbed in enumerate(faults, 10):
        letters = {"a": "dh"[number % 2], "b": "h"}
        begin = len(world.steps)
        between = partial(world.meanwhile, letters)
        world.faults = {
            begin + step: between if fault == MEANWHILE else fault for step, fault in disturbed
        }
        world.happen(number, letters)
        judge_claims(world.heads)
    world.settle(20, {"a": "h", "b": "h"})
    judge(world)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@pytest.mark.row("95", "I22")
@settings(deadline=None)
@given(st.binary(max_size=60) | JSON.map(lambda tree: json.dumps(tree).encode()))
def test_any_bytes_as_a_run_harm_nobody_and_are_kept(body: bytes) -> None:
    world = World()
    poison = run_key(run(1, {}))
    world.documents.create(poison, body)

    world.happen(0, {"a": "h", "b": "h"})
    world.happen(2, {"a": "d", "b": "h"})
    world.settle(3, {"a": "d", "b": "h"})

    kept = world.documents.get(poison)
    assert kept is not None
    assert kept.body == body
    told = [alert for ids, _ in world.received["slack"] for alert in ids]
    assert any(alert.startswith("a/open:down/") for alert in told)
