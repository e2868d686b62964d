"""When slots close, and what several regions agree on."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from msgspec.structs import replace

from checkup.evaluation import SlotSchedule, apply_quorum, closed_slots, find_disagreements
from checkup.model import Run, Status, run_key
from tests.alerting.worlds import MINUTE, result, run, slot

REGIONS = ("eu", "us", "ap")


QUORUMS = ("majority", "all", "any", "1", "2", "3")


def agreed(letters: str, quorum: str = "majority", regions: int = 0) -> Status:
    results = [result("a", letter, f"region-{n}") for n, letter in enumerate(letters)]
    return apply_quorum(results, regions or len(letters), quorum).status


def reports(number: int, regions: str) -> list[Run]:
    letters = {"a": "h"}
    return [run(number, letters, REGIONS[int(r)], int(r)) for r in regions]


def closed(runs: list[Run], now: int = 0) -> list[int]:
    calendar = SlotSchedule(regions=REGIONS, grace=2 * MINUTE)
    return [found.slot for found in closed_slots(runs, calendar, now)]


def test_slot_of_one_machine_closes_with_its_run() -> None:
    slots = closed_slots([run(3, {"a": "h"}), run(5, {"a": "d"})], SlotSchedule(), now=0)

    assert [found.slot for found in slots] == [slot(3), slot(5)]
    assert [found.cursor for found in slots] == [run_key(run(3, {})), run_key(run(5, {}))]


def test_slot_closes_when_all_regions_have_reported() -> None:
    assert closed(reports(1, "012") + reports(2, "02")) == [slot(1)]


def test_slot_closes_when_its_grace_is_over() -> None:
    runs = reports(1, "02")

    assert closed(runs, now=slot(3) - 1) == []
    assert closed(runs, now=slot(3)) == [slot(1)]


@pytest.mark.row("7")
def test_open_slot_holds_back_those_after_it() -> None:
    assert closed(reports(1, "02") + reports(2, "012"), now=slot(2)) == []


class TestMissingSlots:
    """Slots of a schedule of which there is no run."""

    several = SlotSchedule(regions=REGIONS, interval=MINUTE, grace=2 * MINUTE)
    one = SlotSchedule(interval=MINUTE, grace=2 * MINUTE)
    before = run_key(run(1, {}, position=2))

    def closed(self, calendar: SlotSchedule, now: int, runs: list[Run]) -> list[tuple[int, int]]:
        before = self.before if calendar.regions else run_key(run(1, {}))
        found = closed_slots(runs, calendar, now, before)
        return [(each.slot, each.missed_ns) for each in found]

    @pytest.mark.row("4")
    def test_missing_slot_of_one_region_is_over_at_once(self) -> None:
        assert self.closed(self.one, 0, [run(3, {"a": "h"})]) == [(slot(3), MINUTE)]

    @pytest.mark.row("4")
    def test_missing_slot_of_several_regions_is_waited_for(self) -> None:
        runs = reports(3, "012")

        assert self.closed(self.several, slot(4) - 1, runs) == []
        assert self.closed(self.several, slot(4), runs) == [(slot(3), MINUTE)]

    def test_next_slot_is_not_missing(self) -> None:
        assert self.closed(self.several, 0, reports(2, "012")) == [(slot(2), 0)]

    @pytest.mark.parametrize("position", range(6))
    def test_next_slot_is_not_missing_when_there_were_fewer_or_more_regions(
        self, position: int
    ) -> None:
        cursor = run_key(run(1, {}, position=position))

        (found,) = closed_slots(reports(2, "012"), self.several, 0, cursor)

        assert found.missed_ns == 0

    def test_first_slot_ever_misses_nothing(self) -> None:
        (found,) = closed_slots(reports(9, "012"), self.several, 0)

        assert found.missed_ns == 0

    def test_without_a_schedule_nothing_is_missing(self) -> None:
        calendar = SlotSchedule(regions=REGIONS, grace=2 * MINUTE)

        assert self.closed(calendar, 0, reports(9, "012")) == [(slot(9), 0)]


def test_cursor_is_the_last_key_that_the_slot_can_have() -> None:
    (found,) = closed_slots(reports(1, "0"), SlotSchedule(regions=REGIONS), slot(9))

    assert found.cursor == run_key(run(1, {}, position=2))


def test_run_of_an_unknown_region_never_votes_and_is_not_waited_for() -> None:
    laptop = run(1, {"a": "d"}, "laptop")

    (found,) = closed_slots([laptop], SlotSchedule(regions=REGIONS, grace=10**20), now=0)

    assert found.runs == ()


def test_run_that_somebody_adds_between_two_slots_closes_neither() -> None:
    calendar = SlotSchedule(regions=REGIONS, interval=MINUTE, grace=2 * MINUTE)
    before, added = reports(1, "012"), run(2.5, {"a": "d"}, "laptop")
    cursor = run_key(run(1, {}, position=2))

    early = closed_slots([added], calendar, slot(9), cursor)
    found = closed_slots([*reports(2, "012"), added], calendar, slot(9), cursor)

    assert (before[-1].slot, early) == (slot(1), ())
    assert [(each.slot, len(each.runs)) for each in found] == [(slot(2), 3)]


@pytest.mark.parametrize(
    ("script", "named"),
    [
        pytest.param("AhBdAhBd", "down on B, healthy on A", id="all-the-time"),
        pytest.param("AhBhAhBd", "", id="once"),
        pytest.param("AhBhAdBd", "", id="change"),
        pytest.param("AhAhBdBd", "", id="one-after-the-other"),
        pytest.param("AhBuAhBu", "", id="unknown"),
        pytest.param("AhAdAhAd", "", id="one-machine-that-flaps"),
        pytest.param("AhBdChAhBdCh", "down on B, healthy on A", id="three"),
    ],
)
def test_machines_disagree_where_each_sees_the_same_all_the_time(script: str, named: str) -> None:
    runs = []
    for number, (machine, letter) in enumerate(zip(script[::2], script[1::2], strict=True)):
        seen = run(number, {"a": letter})
        runs.append(replace(seen, results=(replace(seen.results[0], machine=machine),)))

    texts = [str(found) for found in find_disagreements(runs)]

    assert len(texts) == bool(named)
    assert all(part in texts[0] for part in named.split(", ") if named)
    assert find_disagreements(run(n, {"a": "hd"[n % 2]}) for n in range(6)) == ()


def test_run_of_a_named_region_does_not_vote_on_a_single_machine() -> None:
    (found,) = closed_slots([run(1, {"a": "d"}, "laptop")], SlotSchedule(), now=0)

    assert found.runs == ()


@pytest.mark.row("123")
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
def test_regions_agree_by_majority(letters: str, status: str) -> None:
    assert agreed(letters) == status


@pytest.mark.row("123")
@pytest.mark.parametrize(
    ("letters", "quorum", "status"),
    [
        ("dhh", "any", "down"),
        ("guu", "any", "degraded"),
        ("uuu", "any", "unknown"),
        ("ddh", "all", "healthy"),
        ("ddg", "all", "degraded"),
        ("ddd", "all", "down"),
        ("ddu", "all", "down"),
        ("duu", "all", "unknown"),
        ("dhh", "2", "healthy"),
        ("ddh", "2", "down"),
        ("duu", "2", "unknown"),
        ("d", "2", "down"),
        ("ddd", "9", "down"),
    ],
)
def test_quorum_can_be_another(letters: str, quorum: str, status: str) -> None:
    assert agreed(letters, quorum) == status


@pytest.mark.row("123")
def test_failure_that_too_few_see_is_partial() -> None:
    results = [result("a", letter, region) for letter, region in zip("hdg", REGIONS, strict=True)]

    assert apply_quorum(results[:2], 3)[:3] == (Status.HEALTHY, results[0], ("us",))
    assert apply_quorum(results, 3)[:3] == (Status.DEGRADED, results[1], ())


@pytest.mark.row("I11")
@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_verdict_does_not_depend_on_the_order_of_regions(count: int, quorum: str) -> None:
    for letters in product("hgdu", repeat=count):
        verdicts = {agreed("".join(order), quorum) for order in permutations(letters)}
        assert len(verdicts) == 1


@pytest.mark.row("I11")
@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_one_more_failure_never_improves_the_verdict(count: int, quorum: str) -> None:
    severity = {"healthy": 0, "degraded": 1, "down": 2}
    for letters in product("hgd", repeat=count):
        for at in range(count):
            worse = "".join(letters[:at]) + "d" + "".join(letters[at + 1 :])
            assert severity[agreed(worse, quorum)] >= severity[agreed("".join(letters), quorum)]


@pytest.mark.row("I11")
@pytest.mark.parametrize("quorum", QUORUMS)
@pytest.mark.parametrize("letter", "hgdu")
def test_one_region_decides_alone(letter: str, quorum: str) -> None:
    assert agreed(letter, quorum) == result("a", letter).status


@pytest.mark.row("I11")
@pytest.mark.parametrize("count", [3, 4, 5])
def test_one_region_neither_makes_nor_hides_an_outage(count: int) -> None:
    for liar in "hgdu":
        assert agreed(liar + "h" * (count - 1)) == Status.HEALTHY
        assert agreed(liar + "d" * (count - 1)) == Status.DOWN
