from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.evaluation import EvaluationRules
from checkup.history.aggregate import apply_runs, open_days
from checkup.history.documents import HistoryState
from checkup.history.tally import DayDisruption, Tally, add_tallies, percent
from checkup.maintenance import MaintenanceWindow
from checkup.model import Run, Status
from checkup.times import DAY, HOUR
from tests.history.worlds import (
    MINUTE,
    SETTING,
    START,
    STATES,
    as_bytes,
    every,
    folded,
    histories,
    integrated,
    result,
    run,
)

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN


def day(runs: list[Run], at: int, of: str = "api", setting: EvaluationRules = SETTING) -> Tally:
    """What is counted of the first day by a moment of it."""
    head, _ = folded(runs, setting)
    return open_days(head, at)[START][of].tally


def states(tally: Tally) -> dict[str, int]:
    return {state: getattr(tally, state) for state in STATES if getattr(tally, state)}


class TestHowLongAResultStands:
    def test_until_the_next_one(self) -> None:
        tally = day(every(MINUTE, [HEALTHY, DOWN, DOWN, HEALTHY]), START + 3 * MINUTE)
        assert states(tally) == {"healthy": MINUTE, "down": 2 * MINUTE}
        assert (tally.runs, tally.failures) == (4, 2)

    def test_three_usual_intervals_and_a_minute_at_most(self) -> None:
        runs = every(MINUTE, [HEALTHY] * 10)
        tally = day(runs, START + HOUR)
        assert states(tally) == {"healthy": (9 + 4) * MINUTE}
        assert tally.no_data(HOUR) == (60 - 13) * MINUTE

    def test_an_hour_at_most_when_nothing_is_usual_yet(self) -> None:
        assert states(day(every(MINUTE, [DOWN]), START + 2 * HOUR)) == {"down": HOUR}

    def test_an_odd_interval_is_not_the_usual_one(self) -> None:
        runs = every(MINUTE, [HEALTHY] * 10)
        late = run(START + 5 * HOUR, api=HEALTHY)
        tally = day([*runs, late], START + 10 * HOUR)
        assert states(tally) == {"healthy": (9 + 4 + 4) * MINUTE}

    def test_who_looks_once_a_week_has_no_gaps(self) -> None:
        _, closed = folded(every(7 * DAY, [HEALTHY] * 4))
        second = [closed.days[START + number * DAY]["api"].tally for number in range(7, 21)]
        assert {tally.no_data(DAY) for tally in second} == {0}

    def test_a_checker_that_runs_leave_out_is_valid_by_its_own_interval(self) -> None:
        runs = [
            run(
                START + number * MINUTE, api=HEALTHY, **({"slow": DOWN} if number % 20 == 0 else {})
            )
            for number in range(121)
        ]
        assert states(day(runs, START + 2 * HOUR, "slow")) == {"down": 2 * HOUR}


class TestPeriods:
    def test_time_is_shared_out_to_the_hours_that_it_lies_in(self) -> None:
        _, closed = folded(every(50 * MINUTE, [HEALTHY, DOWN, HEALTHY, HEALTHY]))
        hours = {
            (at - START) // HOUR: states(rows["api"].tally) for at, rows in closed.hours.items()
        }
        assert hours == {
            0: {"healthy": 50 * MINUTE, "down": 10 * MINUTE},
            1: {"down": 40 * MINUTE, "healthy": 20 * MINUTE},
        }

    def test_a_day_is_closed_by_the_first_run_after_it(self) -> None:
        runs = every(MINUTE, [HEALTHY] * 1441)
        _, before = folded(runs[:-1])
        _, after = folded(runs)
        assert before.days == {}
        assert list(after.days) == [START]
        assert states(after.days[START]["api"].tally) == {"healthy": DAY}

    def test_disruptions_of_a_day_are_kept_one_by_one(self) -> None:
        seen = [HEALTHY, DOWN, DOWN, DEGRADED, HEALTHY, UNKNOWN, DOWN, HEALTHY]
        assert day(every(MINUTE, seen), START + 8 * MINUTE).disruptions == (
            DayDisruption(MINUTE, 2 * MINUTE, DOWN),
            DayDisruption(3 * MINUTE, MINUTE, DEGRADED),
            DayDisruption(6 * MINUTE, MINUTE, DOWN),
        )

    def test_what_nobody_saw_the_end_of_is_still_a_disruption(self) -> None:
        seen = [HEALTHY, DOWN, UNKNOWN, DOWN, HEALTHY, UNKNOWN]
        assert day(every(MINUTE, seen), START + 6 * MINUTE).disruptions == (
            DayDisruption(MINUTE, MINUTE, DOWN),
            DayDisruption(2 * MINUTE, MINUTE, UNKNOWN),
            DayDisruption(3 * MINUTE, MINUTE, DOWN),
        )

    def test_of_many_disruptions_the_longest_are_kept(self) -> None:
        seen = [HEALTHY, DOWN] * 25 + [HEALTHY] + [DOWN] * 9 + [HEALTHY, DOWN] * 25
        troubles = day(every(MINUTE, seen), START + 110 * MINUTE).disruptions
        assert len(troubles) == 20
        assert DayDisruption(51 * MINUTE, 9 * MINUTE, DOWN) in troubles

    def test_a_disruption_continues_over_the_end_of_an_hour(self) -> None:
        tally = day(every(30 * MINUTE, [DOWN] * 5), START + 2 * HOUR)
        assert tally.disruptions == (DayDisruption(0, 2 * HOUR, DOWN),)

    def test_a_day_of_flapping_stays_small(self) -> None:
        tally = day(every(MINUTE, [HEALTHY, DOWN] * 500), START + 1000 * MINUTE)
        assert len(tally.disruptions) == 20
        assert tally.down == 500 * MINUTE

    @pytest.mark.row("138")
    def test_maintenance_is_counted_apart_whatever_was_seen(self) -> None:
        window = MaintenanceWindow(
            start=START + MINUTE, duration=2 * MINUTE, checkers=frozenset({"api"})
        )
        tally = day(
            every(MINUTE, [HEALTHY, DOWN, UNKNOWN, DOWN]),
            START + 4 * MINUTE,
            setting=EvaluationRules(windows=[window]),
        )
        assert states(tally) == {"healthy": MINUTE, "maintenance": 2 * MINUTE, "down": MINUTE}
        assert tally.disruptions == (DayDisruption(3 * MINUTE, MINUTE, DOWN),)

    def test_an_account_without_results_is_forgotten(self) -> None:
        runs = [run(START, gone=HEALTHY), run(START + 402 * DAY, api=HEALTHY)]
        assert set(folded(runs)[0].checkers) == {"api"}


class TestRegions:
    VOTING = EvaluationRules(regions=("east", "west", "north"))

    def runs(self, *statuses: Status) -> list[Run]:
        return [
            Run(slot=START, results=(result("api", status),), region=region, region_index=number)
            for number, (region, status) in enumerate(
                zip(self.VOTING.regions, statuses, strict=True)
            )
        ]

    @pytest.mark.row("123")
    @pytest.mark.parametrize(
        ("statuses", "counts"),
        [
            ((HEALTHY, HEALTHY, DOWN), "healthy"),
            ((DOWN, HEALTHY, DOWN), "down"),
            ((DOWN, UNKNOWN, UNKNOWN), "unknown"),
        ],
    )
    def test_what_most_regions_see_counts(
        self, statuses: tuple[Status, Status, Status], counts: str
    ) -> None:
        tally = day(self.runs(*statuses), START + HOUR, setting=self.VOTING)
        assert states(tally) == {counts: HOUR}
        assert tally.runs == 1

    def test_a_region_that_is_not_configured_does_not_count(self) -> None:
        laptop = Run(slot=START, results=(result("api", DOWN),), region="laptop")
        assert folded([laptop], self.VOTING)[0].checkers == {}

    @pytest.mark.parametrize("by_go", [False, True])
    def test_a_run_in_which_our_own_network_failed_is_unknown(self, *, by_go: bool) -> None:
        checkers = [HttpChecker(endpoint_name=name, id=name) for name in ("api", "reference")]
        setting = EvaluationRules(checkers=checkers, references=frozenset({"reference"}))
        seen = run(START, api=DOWN, reference=DOWN)
        if by_go:  # which knows no ids
            seen = replace(seen, results=tuple(replace(it, id="") for it in seen.results))
        tally = day([seen], START + HOUR, setting=setting)
        assert states(tally) == {"unknown": HOUR}


@given(histories(), st.data())
def test_any_split_of_the_runs_gives_the_same_bytes(runs: list[Run], data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(runs)), max_size=6))
    assert as_bytes(*folded(runs, cuts=cuts)) == as_bytes(*folded(runs))


@given(histories(), st.data())
def test_order_and_repetition_of_runs_do_not_matter(runs: list[Run], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(runs), max_size=10)) if runs else []
    shuffled = data.draw(st.permutations([*runs, *again]))
    assert as_bytes(*folded(shuffled)) == as_bytes(*folded(runs))


@given(histories())
def test_folding_again_changes_nothing(runs: list[Run]) -> None:
    head, _ = folded(runs)
    again = apply_runs(head, runs, EvaluationRules())
    assert again.head == head
    assert again.closed.days == {}


@pytest.mark.row("138")
@given(histories(), st.integers(0, 30 * DAY))
def test_all_time_is_counted_once(runs: list[Run], later: int) -> None:
    """The sum over days is what one gets without days, to the nanosecond."""
    if not runs:
        return
    end = runs[-1].slot + later
    head, closed = folded(runs)
    days = {**closed.days, **open_days(head, end)}
    for of in ("api", "shop"):
        total = add_tallies(rows[of].tally for rows in days.values() if of in rows)
        assert {state: getattr(total, state) for state in STATES} == integrated(runs, of, end)


@pytest.mark.row("138")
@given(histories())
def test_the_intervals_of_a_day_sum_to_its_length(runs: list[Run]) -> None:
    _, closed = folded(runs)
    for length, periods in ((HOUR, closed.hours), (DAY, closed.days)):
        for tally in _tallies(periods):
            assert 0 <= tally.no_data(length) <= length
            assert tally.counted + tally.no_data(length) == length
            assert min(getattr(tally, state) for state in STATES) >= 0


@given(histories())
def test_hours_sum_to_their_days(runs: list[Run]) -> None:
    _, closed = folded(runs)
    for start, rows in closed.days.items():
        for name, period in rows.items():
            hours = [
                closed.hours[hour][name]
                for hour in range(start, start + DAY, HOUR)
                if name in closed.hours.get(hour, {})
            ]
            sums = Counter[str]()
            for hour in hours:
                sums += Counter(states(hour.tally))
            assert dict(sums) == states(period.tally)
            assert sum(hour.latency.count for hour in hours) == period.latency.count


@pytest.mark.row("138")
@given(histories())
def test_uptime_is_a_share(runs: list[Run]) -> None:
    _, closed = folded(runs)
    for tally in _tallies(closed.days):
        assert 0 <= tally.up <= tally.observed
        shown = tally.uptime_percent
        assert shown is None or 0 <= float(shown) <= 100
        assert (shown == "100.00") == (tally.observed > 0 and tally.down == 0)


@pytest.mark.row("138")
@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        pytest.param(0, 0, None, id="138-nothing-known"),
        pytest.param(99_996, 100_000, "99.99", id="138-never-rounded-up"),
        pytest.param(90 * DAY - 1, 90 * DAY, "99.99", id="138-a-nanosecond-down"),
        pytest.param(90 * DAY, 90 * DAY, "100.00", id="138-always-up"),
        pytest.param(1, 3, "33.33", id="a-third"),
        pytest.param(0, 1, "0.00", id="never-up"),
    ],
)
def test_percent_rounds_down(part: int, whole: int, shown: str | None) -> None:
    assert percent(part, whole) == shown


def _tallies(periods: Mapping[int, Mapping[str, object]]) -> list[Tally]:
    return [period.tally for rows in periods.values() for period in rows.values()]  # type: ignore[attr-defined]


def test_without_runs_there_is_nothing() -> None:
    assert open_days(HistoryState(), START) == {}
