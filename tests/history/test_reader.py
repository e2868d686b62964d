"""A year by checker: what pages of components are drawn from, read and kept in a storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.documents import decode, encode
from checkup.errors import StorageError
from checkup.evaluation import EvaluationRules
from checkup.history.documents import HistoryState, LatencyOfMonth
from checkup.history.latency import LatencyHistogram, merge_histograms
from checkup.history.reader import FEW, CheckerHistories, last_complete_hour
from checkup.history.series import SPANS, YEAR, CheckerHistory, YearDocument
from checkup.history.tally import ChartPoint, PeriodAggregate, Tally, add_tallies, percent
from checkup.model import Run, Status, run_key
from checkup.times import (
    DAY,
    HOUR,
    day_start,
    format_date,
    format_month,
    hour_start,
    month_start,
    next_month_start,
    parse_date,
)
from tests.history.test_store import Killed, World, keep, kept, rebuild
from tests.history.worlds import MINUTE, START, every, histories, integrated, run

HEALTHY, DOWN = Status.HEALTHY, Status.DOWN
DAWN = START + 5 * MINUTE
TWO_WEEKS = every(HOUR, [HEALTHY, HEALTHY, DOWN] * 110, start=DAWN)
NOW = TWO_WEEKS[-1].slot + 30 * MINUTE
TODAY = day_start(NOW)
FOUR_MONTHS = every(HOUR, [HEALTHY, HEALTHY, DOWN, HEALTHY] * 6 * 120, start=START)
SUMMER_DAY = day_start(FOUR_MONTHS[-1].slot)


def read(world: World, now: int = NOW, found: CheckerHistories | None = None) -> CheckerHistories:
    found = found or CheckerHistories()
    head = keep(world).head
    world.got.clear()
    world.wrote.clear()
    found.refresh(world, head, now)
    return found


def checker_history(runs: Sequence[Run], now: int = NOW) -> CheckerHistory:
    return read(kept(runs), now).get("api")


def total(points: Sequence[ChartPoint]) -> Tally:
    return add_tallies(point.tally for point in points)


def damage(world: World, body: bytes) -> None:
    """Put something else in the place of the checker's year."""
    stored = world.get(YEAR)
    assert stored is not None
    year = decode(stored.body, YearDocument).summary("api")
    damaged = stored.body.replace(encode(year, order="deterministic"), body)
    assert damaged != stored.body
    world.replace(YEAR, damaged, stored.version)


def test_a_history_ends_with_the_last_full_hour() -> None:
    found = checker_history(TWO_WEEKS)
    assert (found.first, found.until) == (DAWN, hour_start(NOW))
    assert [point.start for point in found.days] == [START + day * DAY for day in range(14)]
    assert found.days[-1].tally.counted == found.until - TODAY
    assert found.last_24h.tally.counted == DAY
    assert [it.start for it in found.hours] == list(range(TODAY - 6 * DAY, found.until, HOUR))


def test_an_hour_is_over_when_its_last_run_must_have_come() -> None:
    folded_past = HistoryState(hour=TODAY)
    assert last_complete_hour(folded_past, TODAY + MINUTE) == TODAY
    assert last_complete_hour(HistoryState(hour=TODAY - HOUR), TODAY + MINUTE) == TODAY - HOUR
    assert last_complete_hour(HistoryState(hour=TODAY - DAY), TODAY + 15 * MINUTE) == TODAY


@pytest.mark.row("138")
@given(histories(), st.integers(0, 40), st.data())
def test_a_history_counts_each_nanosecond_once(
    runs: list[Run], later: int, data: st.DataObject
) -> None:
    """Whatever was folded when, and however long nobody has looked since."""
    world = kept(runs, data.draw(st.lists(st.integers(0, len(runs)), max_size=3)))
    found = read(world, (runs[-1].slot if runs else START) + later * 7 * HOUR).get("api")
    seen = integrated([it for it in runs if it.slot < found.until], "api", found.until)
    year = total(found.days)
    if found.until - START < 365 * DAY:
        assert {state: getattr(year, state) for state in seen} == seen
    for points, length in ((found.days, DAY), (found.hours, HOUR)):
        for point in points:
            assert point.start < found.until
            assert point.tally.no_data(min(length, found.until - point.start)) >= 0
    assert found.last_24h.tally.no_data(DAY) >= 0
    week = [day.tally for day in found.days if day.start >= day_start(found.until) - 6 * DAY]
    assert total(found.hours) == add_tallies(week)


@pytest.mark.row("138")
@given(st.integers(0, 10**18), st.integers(1, 10**18))
def test_uptime_is_between_nothing_and_all_and_never_too_high(part: int, rest: int) -> None:
    shown = percent(part, part + rest)
    assert shown is not None
    units, hundredths = shown.split(".")
    hundredth = int(units) * 100 + int(hundredths)
    assert 0 <= hundredth < 10_000
    assert hundredth * (part + rest) <= part * 10_000 < (hundredth + 1) * (part + rest)


@given(histories(), st.lists(st.integers(0, 40), max_size=4), st.data())
def test_the_year_is_the_same_whenever_it_was_made(
    runs: list[Run], cuts: list[int], data: st.DataObject
) -> None:
    """Once the last page shows the day that the history has reached, and so keeps the year."""
    now = runs[-1].slot if runs else START
    expected = World(runs)
    read(expected, now)
    world, done = World(), 0
    for cut in [*sorted(cuts), len(runs)]:
        world.store(runs[done:cut])
        read(world, runs[cut - 1].slot + HOUR if 0 < cut <= len(runs) else START)
        done = max(done, cut)
    read(world, now)
    assert world.history() == expected.history()
    for gone in runs[: data.draw(st.integers(0, len(runs)))]:
        world.delete(run_key(gone))
    rebuild(world)
    read(world, now)
    assert world.history() == expected.history()


def test_response_times_add_up_over_each_span() -> None:
    world = kept(every(HOUR, [HEALTHY] * 24 * 120, start=DAWN))
    now = START + 120 * DAY - 30 * MINUTE
    found = read(world, now).get("api")
    days: dict[str, Mapping[str, LatencyHistogram]] = {}
    for key in world.list("history/times/"):
        stored = world.get(key)
        assert stored is not None
        days |= decode(stored.body, LatencyOfMonth).days
    today = day_start(now)
    for span, times in zip((7, 30, 90, 365), found.times, strict=True):
        closed = range(max(START, today - (span - 1) * DAY), today, DAY)
        assert times.count == 24 * len(closed) + 23
        expected = merge_histograms(days[format_date(day)]["api"] for day in closed)
        assert times.count - expected.count == 23
        assert dict(expected.buckets).keys() == dict(times.buckets).keys()


def test_a_year_of_days_is_read_from_one_file_once_it_is_made() -> None:
    world = kept(TWO_WEEKS)
    known = read(world)
    week = [f"history/hours/{format_date(TODAY - back * DAY)}.json" for back in range(6, -1, -1)]
    months = [key for key in world.got if key.startswith(("history/days/", "history/times/"))]
    assert len(months) == 2 * 13
    assert world.wrote == [YEAR]
    read(world)
    assert (world.got, world.wrote) == ([YEAR, *week], [])
    read(world, NOW + MINUTE, known)
    assert world.got == []
    world.store([run(NOW + HOUR, api=HEALTHY)])
    read(world, NOW + HOUR + MINUTE, known)
    assert world.got == [YEAR, *week[-2:]]


def test_days_that_nobody_has_closed_yet_are_shown_and_not_stored() -> None:
    world = kept(every(DAY, [HEALTHY] * 5))
    found = read(world, START + 6 * DAY + 90 * MINUTE)
    assert [it.tally.healthy for it in found.get("api").days] == [HOUR, *[DAY] * 5, HOUR]
    assert world.wrote == []


def test_time_since_the_last_run_is_missing() -> None:
    found = checker_history(TWO_WEEKS, NOW + 3 * DAY)
    assert found.last_24h == PeriodAggregate()
    assert found.until == hour_start(NOW + 3 * DAY)
    assert found.days[-1].start == TODAY


def test_who_is_unknown_has_an_empty_history() -> None:
    found = read(kept(TWO_WEEKS)).get("nobody")
    assert (found.first, found.days, found.hours) == (None, (), ())
    assert [times.count for times in found.times] == [0, 0, 0, 0]


def test_the_runs_of_the_go_program_are_in_the_history() -> None:
    """They carry no id; they are the checker's whose title they have."""
    its = HttpChecker(id="api", endpoint_name="api", endpoint_url="http://api.internal/")
    runs = [replace(it, results=(replace(it.results[0], id="", kind=""),)) for it in TWO_WEEKS]
    world = World(runs)
    found = CheckerHistories()
    found.refresh(world, keep(world, EvaluationRules(checkers=(its,))).head, NOW)
    assert found.get("api") == checker_history(TWO_WEEKS)


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"", b"\x00garbage", b'{"schema":1,"end":5}', b"[]"])
def test_a_year_that_cannot_be_read_is_made_again(body: bytes) -> None:
    world = kept(TWO_WEEKS)
    before = read(world).get("api")
    world.delete(YEAR)
    world.create(YEAR, body)
    assert read(world).get("api") == before
    stored = world.get(YEAR)
    assert stored is not None
    assert decode(stored.body, YearDocument).end == format_date(TODAY)


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"[]", b'{"days":[["x"]]}', b'{"times":[{}]}'])
def test_a_checker_whose_year_cannot_be_read_has_none(body: bytes) -> None:
    world = kept(TWO_WEEKS)
    read(world)
    damage(world, body)
    assert read(world).get("api").days[:-1] == ()


@pytest.mark.parametrize("days", [1, 2, 3, 4])
def test_a_year_goes_on_as_if_it_had_been_made_again(days: int) -> None:
    world, expected = World(), World(FOUR_MONTHS)
    now, then = SUMMER_DAY + HOUR, SUMMER_DAY - days * DAY + HOUR
    world.store([it for it in FOUR_MONTHS if it.slot <= then])
    read(world, then)
    world.store([it for it in FOUR_MONTHS if it.slot > then])
    read(world, now)
    read(expected, now)
    assert world.history() == expected.history()
    months = [key for key in world.got if key.startswith("history/times/")]
    assert len(months) == (len(SPANS) + 1) * days if days <= FEW else 13


def test_a_year_from_which_something_else_would_be_taken_is_made_again() -> None:
    """Somebody has repaired a file by hand; or it cannot be read any more."""
    then = SUMMER_DAY - DAY + HOUR
    world = kept([it for it in FOUR_MONTHS if it.slot <= then])
    read(world, then)
    world.store([it for it in FOUR_MONTHS if it.slot > then])
    keep(world)
    key = f"history/times/{format_month(SUMMER_DAY - 6 * DAY)}.json"
    stored = world.get(key)
    assert stored is not None
    world.replace(key, b'{"schema":1,"days":{}}', stored.version)
    found = read(world, SUMMER_DAY + HOUR)
    world.delete(YEAR)
    assert found.get("api") == read(world, SUMMER_DAY + HOUR).get("api")


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"[]", b'{"days":[["x"]]}', b'{"times":[{}]}'])
def test_a_checker_whose_year_cannot_be_read_has_one_on_the_next_day(body: bytes) -> None:
    world = kept(TWO_WEEKS)
    read(world)
    damage(world, body)
    world.store(every(HOUR, [HEALTHY] * 24, start=TWO_WEEKS[-1].slot + HOUR))
    assert len(read(world, NOW + DAY).get("api").days) == 15


def test_a_year_of_a_newer_version_is_left_alone() -> None:
    world = kept(TWO_WEEKS)
    world.create(YEAR, b'{"schema":2}')
    with pytest.raises(StorageError, match="newer version"):
        read(world)


@pytest.mark.row("141")
def test_a_year_that_cannot_be_kept_is_shown_nevertheless() -> None:
    def fail() -> None:
        raise StorageError("no space left")

    world = kept(TWO_WEEKS)
    before = read(kept(TWO_WEEKS)).get("api")
    head = keep(world).head
    world.wrote.clear()
    world.at[1, "before"] = fail
    found = CheckerHistories()
    found.refresh(world, head, NOW)
    assert found.get("api") == before
    assert YEAR not in world.history()


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_process_that_is_killed_when_it_keeps_the_year_does_no_harm(moment: str) -> None:
    expected = kept(TWO_WEEKS)
    read(expected)
    world = kept(TWO_WEEKS)
    head = keep(world).head
    world.wrote.clear()

    def die() -> None:
        raise Killed

    world.at[1, moment] = die
    with pytest.raises(Killed):
        CheckerHistories().refresh(world, head, NOW)
    world.at.clear()
    read(world)
    assert world.history() == expected.history()


def test_two_at_once_keep_the_same_year() -> None:
    expected = kept(TWO_WEEKS)
    read(expected)
    world = kept(TWO_WEEKS)
    head = keep(world).head
    world.wrote.clear()
    world.at[1, "before"] = MakeAside(world, head)
    CheckerHistories().refresh(world, head, NOW)
    assert world.history() == expected.history()


class MakeAside:
    """Another process that makes the year meanwhile."""

    def __init__(self, world: World, head: HistoryState) -> None:
        self._world, self._head = world, head

    def __call__(self) -> None:
        self._world.at.clear()
        CheckerHistories().refresh(self._world, self._head, NOW)


@pytest.mark.parametrize("meanwhile", [False, True], ids=["alone", "a-page-is-made-meanwhile"])
def test_what_was_counted_again_is_summed_up_again(*, meanwhile: bool) -> None:
    world = kept(TWO_WEEKS)
    read(world)
    key = "history/days/2026-08.json"
    stored = world.get(key)
    assert stored is not None
    world.replace(key, b'{"schema":1,"days":{}}', stored.version)
    world.wrote.clear()
    if meanwhile:
        world.at[2, "before"] = MakeAside(world, keep(world).head)
    rebuild(world)
    found = read(world).get("api")
    assert [it.start for it in found.days] == [START + day * DAY for day in range(14)]


@pytest.mark.parametrize(
    ("day", "begin", "end"),
    [
        ("2026-08-03", "2026-08-01", "2026-09-01"),
        ("2026-12-31", "2026-12-01", "2027-01-01"),
        ("2028-02-29", "2028-02-01", "2028-03-01"),
    ],
)
def test_months_begin_where_calendars_say(day: str, begin: str, end: str) -> None:
    moment = parse_date(day) + 5 * HOUR
    assert (month_start(moment), next_month_start(moment)) == (parse_date(begin), parse_date(end))


@pytest.mark.row("132")
@pytest.mark.parametrize("name", ["hours/2026-08-16", "times/2026-08"])
def test_a_damaged_part_of_a_file_takes_nothing_else_away(name: str) -> None:
    world = kept(TWO_WEEKS)
    before = read(world).get("api")
    world.delete(YEAR)
    key = f"history/{name}.json"
    stored = world.get(key)
    assert stored is not None
    parts = msgspec.json.decode(stored.body)
    part = "hours" if "hours" in parts else "days"
    parts[part]["07" if part == "hours" else "2026-08-07"] = {"api": {"tally": 5, "buckets": 5}}
    world.replace(key, encode(parts, order="deterministic"), stored.version)
    found = read(world).get("api")
    assert len(found.hours) == len(before.hours) - (part == "hours")
    assert [it.start for it in found.days] == [it.start for it in before.days]
    assert found.times[-1].count == before.times[-1].count - (1 if part == "hours" else 16)
