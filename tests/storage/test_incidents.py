"""Words about an incident that several people write at once, over every storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from checkup.incidents.store import load_incidents
from tests.incidents.writer import add
from tests.storage.places import Place

WRITERS, WORDS = 2, 2


def test_no_word_is_lost(place: Place) -> None:
    start = Barrier(WRITERS)

    def write(name: str) -> None:
        storage = place.open()
        start.wait()
        for number in range(WORDS):
            add(storage, name, number)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, "ab"))

    said = load_incidents(place.open()).incidents["aaa"].updates
    assert sorted(it.id for it in said) == ["a-0", "a-1", "b-0", "b-1", "first"]
