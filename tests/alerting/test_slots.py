"""When slots close, and what several regions agree on."""

from __future__ import annotations

from itertools import permutations, product

import pytest

from checkup.alerting.quorum import verdict
from checkup.alerting.slots import Calendar, closed_slots
from checkup.model import Run, Status
from checkup.runfile import run_key
from tests.alerting.worlds import MINUTE, result, run, slot

REGIONS = ("eu", "us", "ap")


def agreed(letters: str) -> Status:
    results = [result("a", letter, f"region-{n}") for n, letter in enumerate(letters)]
    return verdict(results, len(letters))[0]


def reports(number: int, regions: str) -> list[Run]:
    letters = {"a": "h"}
    return [run(number, letters, REGIONS[int(r)], int(r)) for r in regions]


def closed(runs: list[Run], now: int = 0) -> list[int]:
    calendar = Calendar(regions=REGIONS, grace=2 * MINUTE)
    return [found.slot for found in closed_slots(runs, calendar, now)]


def test_slot_of_one_machine_closes_with_its_run() -> None:
    slots = closed_slots([run(3, {"a": "h"}), run(5, {"a": "d"})], Calendar(), now=0)

    assert [found.slot for found in slots] == [slot(3), slot(5)]
    assert [found.cursor for found in slots] == [run_key(run(3, {})), run_key(run(5, {}))]


def test_slot_closes_when_all_regions_have_reported() -> None:
    assert closed(reports(1, "012") + reports(2, "02")) == [slot(1)]


def test_slot_closes_when_its_grace_is_over() -> None:
    runs = reports(1, "02")

    assert closed(runs, now=slot(3) - 1) == []
    assert closed(runs, now=slot(3)) == [slot(1)]


def test_7_open_slot_holds_back_those_after_it() -> None:
    assert closed(reports(1, "02") + reports(2, "012"), now=slot(2)) == []


def test_cursor_is_the_last_key_that_the_slot_can_have() -> None:
    (found,) = closed_slots(reports(1, "0"), Calendar(regions=REGIONS), slot(9))

    assert found.cursor == run_key(run(1, {}, position=2))


def test_run_of_an_unknown_region_never_votes_and_is_not_waited_for() -> None:
    laptop = run(1, {"a": "d"}, "laptop")

    (found,) = closed_slots([laptop], Calendar(regions=REGIONS, grace=10**20), now=0)

    assert found.runs == ()


def test_run_of_a_named_region_does_not_vote_on_a_single_machine() -> None:
    (found,) = closed_slots([run(1, {"a": "d"}, "laptop")], Calendar(), now=0)

    assert found.runs == ()


@pytest.mark.parametrize(
    ("letters", "status"),
    [
        ("ddh", "down"),
        ("dhh", "healthy"),
        ("dgh", "degraded"),
        ("ggh", "degraded"),
        ("duu", "unknown"),
        ("ddu", "down"),
        ("hhu", "healthy"),
        ("dhu", "healthy"),
        ("uuu", "unknown"),
        ("dh", "healthy"),
        ("dd", "down"),
        ("d", "down"),
        ("u", "unknown"),
    ],
)
def test_123_regions_agree_by_majority(letters: str, status: str) -> None:
    assert agreed(letters) == status


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_i11_verdict_does_not_depend_on_the_order_of_regions(count: int) -> None:
    for letters in product("hgdu", repeat=count):
        verdicts = {agreed("".join(order)) for order in permutations(letters)}
        assert len(verdicts) == 1


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_i11_one_more_failure_never_improves_the_verdict(count: int) -> None:
    severity = {"healthy": 0, "degraded": 1, "down": 2}
    for letters in product("hgd", repeat=count):
        for at in range(count):
            worse = "".join(letters[:at]) + "d" + "".join(letters[at + 1 :])
            assert severity[agreed(worse)] >= severity[agreed("".join(letters))]


@pytest.mark.parametrize("count", [3, 4, 5])
def test_i11_one_region_neither_makes_nor_hides_an_outage(count: int) -> None:
    for liar in "hgdu":
        assert agreed(liar + "h" * (count - 1)) == Status.HEALTHY
        assert agreed(liar + "d" * (count - 1)) == Status.DOWN
