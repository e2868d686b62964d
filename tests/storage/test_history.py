"""The history over every storage: counted step by step, in one step, and again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from checkup.evaluation import EvaluationRules
from checkup.interfaces import Storage
from checkup.maintenance import MaintenanceWindow
from checkup.model import Run, Status
from checkup.storage.memory import MemoryStorage
from checkup.times import HOUR
from tests.history.stories import (
    CHECKERS,
    REGIONS,
    Story,
    documents,
    keep,
    rebuild,
    seen,
    tell,
)
from tests.history.worlds import START
from tests.storage.places import Place

DOWN, HEALTHY, UNKNOWN = Status.DOWN, Status.HEALTHY, Status.UNKNOWN
SLOTS = [START + number * 5 * HOUR for number in range(7)]
SHOP = MaintenanceWindow(start=SLOTS[3] + 1, duration=6 * HOUR, checkers=frozenset({"shop"}))


def one_machine() -> Iterator[Run | None]:
    """Two days of one machine: by both programs, one run late, one twice, two in another order."""
    letters = [HEALTHY, HEALTHY, DOWN, DOWN, UNKNOWN, HEALTHY, HEALTHY]
    runs = [
        seen(slot, "", [status, DOWN], by_go=number % 3 == 1)
        for number, (slot, status) in enumerate(zip(SLOTS, letters, strict=True))
    ]
    yield from (runs[1], runs[0], None, runs[2], runs[3], None)
    yield seen(SLOTS[1] + 1, "", [DOWN, DOWN])
    yield from (runs[4], replace(runs[4], results=runs[0].results), None, *runs[5:])


def regions() -> Iterator[Run | None]:
    """Two slots in which three regions do not agree, and one vote that comes too late."""
    for slot in SLOTS[:2]:
        votes = [seen(slot, name, [of, DOWN]) for name, of in zip(REGIONS, Status, strict=False)]
        yield from (votes[2], votes[0], None, votes[1])


def told_here(story: Story, place: Place) -> tuple[Storage, dict[str, bytes]]:
    """Tell a story here and in memory; return the storage and what is kept, the same in both."""
    there, elsewhere = place.open(), MemoryStorage()
    tell(story, there)
    tell(story, elsewhere)
    kept = documents(there)
    assert kept == documents(elsewhere)
    return there, kept


@pytest.mark.row("138")
def test_it_has_the_same_bytes_however_it_was_counted(place: Place) -> None:
    windows = (SHOP,)
    setting = EvaluationRules(checkers=CHECKERS, windows=windows)
    story = Story(events=tuple(one_machine()), setting=setting)
    there, kept = told_here(story, place)

    assert len(kept) > 4
    in_one_step = MemoryStorage()
    for key, body in documents(there, "runs/").items():
        in_one_step.create(key, body)
    keep(in_one_step, setting, SLOTS[-1])
    assert kept == documents(in_one_step)
    again = place.open()
    rebuild(again, setting)
    assert documents(again) == kept


@pytest.mark.row("138")
def test_votes_of_regions_have_the_same_bytes_too(place: Place) -> None:
    setting = EvaluationRules(checkers=CHECKERS, regions=REGIONS)
    story = Story(events=tuple(regions()), setting=setting)
    there, kept = told_here(story, place)
    rebuild(there, setting)
    assert documents(there) == kept
