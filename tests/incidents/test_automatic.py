"""Outages, read off the history that runs leave behind."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkup.checkers.http import HttpChecker
from checkup.evaluation import EvaluationRules
from checkup.history.aggregate import open_days
from checkup.incidents.automatic import (
    AutomaticIncident,
    DetectionInput,
    detect_incidents,
    disruptions_of,
    join_disruptions,
)
from checkup.maintenance import MaintenanceWindow
from checkup.model import Run, Status
from checkup.times import DAY
from tests.history.worlds import MINUTE, START, folded, histories, run

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN
LETTERS = {"h": HEALTHY, "g": DEGRADED, "d": DOWN, "u": UNKNOWN}
BEGIN = START + 8 * 3600 * 1_000_000_000


def checker(name: str, **fields: object) -> HttpChecker:
    return HttpChecker(id=name, endpoint_name=name, endpoint_url="http://x/", **fields)  # type: ignore[arg-type]


API, SHOP, MAIL = checker("api"), checker("shop"), checker("mail", depends_on=("api",))


def script(begin: int = BEGIN, /, **letters: str) -> list[Run]:
    """One run per letter, a minute apart; a dot leaves the checker out."""
    length = max(map(len, letters.values()))
    return [
        run(
            begin + number * MINUTE,
            **{
                name: LETTERS[word[number]]
                for name, word in letters.items()
                if number < len(word) and word[number] != "."
            },
        )
        for number in range(length)
    ]


def found(
    runs: Sequence[Run],
    now: int | None = None,
    checkers: Sequence[HttpChecker] = (API, SHOP, MAIL),
    cuts: Sequence[int] = (),
    **setting: object,
) -> list[AutomaticIncident]:
    """The outages that there are shortly after the last run."""
    now = (runs[-1].slot + 1 if runs else BEGIN) if now is None else now
    head, closed = folded(runs, EvaluationRules(**setting), cuts)  # type: ignore[arg-type]
    days = [
        {day: {name: period.tally for name, period in rows.items()} for day, rows in part.items()}
        for part in (closed.days, open_days(head, now))
    ]
    watch = DetectionInput(
        checkers=checkers,
        counters=head.checkers,
        interval=MINUTE,
        since=START - DAY,
        now=now,
        windows=setting.get("windows", ()),  # type: ignore[arg-type]
    )
    return list(
        detect_incidents(
            join_disruptions([disruptions_of(days[0]), disruptions_of(days[1])]), watch
        )
    )


def spans(seen: Sequence[AutomaticIncident]) -> list[tuple[float, float | None, set[str]]]:
    """Begin and end in minutes, and whom it is about."""
    return [
        (
            (it.start - BEGIN) / MINUTE,
            None if it.end is None else (it.end - BEGIN) / MINUTE,
            {*it.episodes},
        )
        for it in seen
    ]


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param({"api": "hhhhh"}, [], id="all-is-well"),
        pytest.param({"api": "hddhh"}, [(1, 3, {"api"})], id="one"),
        pytest.param({"api": "hddd"}, [(1, None, {"api"})], id="it-lasts"),
        pytest.param({"api": "hddhh", "shop": "hdhhh"}, [(1, 3, {"api", "shop"})], id="same-run"),
        pytest.param(
            {"api": "hddhh", "shop": "hhddh"}, [(1, 3, {"api"}), (2, 4, {"shop"})], id="apart"
        ),
        pytest.param({"api": "hdddh", "mail": "hhddd"}, [(1, None, {"api", "mail"})], id="caused"),
        pytest.param({"api": "hghhh"}, [], id="one-slow-run-is-none"),
        pytest.param({"api": "hggggh"}, [(1, 5, {"api"})], id="slow-for-long"),
        pytest.param({"api": "hdhhdh"}, [(1, 5, {"api"})], id="again-so-soon"),
        pytest.param({"api": "hdhhhhhhhdh"}, [(1, 2, {"api"}), (9, 10, {"api"})], id="again-later"),
        pytest.param({"api": "hdduuuuuuuuh"}, [(1, 11, {"api"})], id="nobody-saw-the-end"),
        pytest.param({"api": "hdduu"}, [(1, None, {"api"})], id="nobody-knows-now"),
        pytest.param({"api": "huuuu"}, [], id="unknown-is-no-outage"),
    ],
)
def test_outages_of_a_script(
    letters: dict[str, str], expected: list[tuple[float, float | None, set[str]]]
) -> None:
    assert spans(found(script(**letters))) == expected


def test_the_monitor_that_stands_still_ends_no_outage() -> None:
    runs = script(api="hhhddd")
    assert spans(found(runs, now=runs[-1].slot + 3 * 3600 * 10**9)) == [(3, None, {"api"})]


def test_a_threshold_counts_for_outages_as_for_announcements() -> None:
    patient = checker("api", failure_threshold=3, degraded_threshold=4)
    assert found(script(api="hhhddhhhh"), checkers=[patient]) == []
    assert len(found(script(api="hhhdddhhh"), checkers=[patient])) == 1


def test_maintenance_is_no_outage() -> None:
    window = MaintenanceWindow(start=BEGIN, duration=30 * MINUTE, checkers=frozenset({"api"}))
    seen = found(script(api="hdddh", shop="hdddh"), windows=[window])
    assert [{*it.episodes} for it in seen] == [{"shop"}]


def test_an_outage_over_midnight_is_one() -> None:
    (one,) = found(script(START + DAY - 3 * MINUTE, api="hhddddddh"))
    assert one.end == START + DAY + 5 * MINUTE


def test_who_is_not_asked_for_is_not_spoken_of() -> None:
    assert found(script(secret="hddh"), checkers=[API]) == []


@settings(max_examples=60)
@given(histories(), st.data())
def test_the_same_runs_give_the_same_outages_however_they_are_counted(
    runs: list[Run], data: st.DataObject
) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(runs)), max_size=4).map(sorted))
    checkers = [checker(name) for name in sorted({r.id for it in runs for r in it.results})]
    once = found(runs, checkers=checkers)
    assert found(runs, checkers=checkers, cuts=cuts) == once
    assert len({it.id for it in once}) == len(once)
    assert all(it.end is None or it.start < it.end for it in once)


class TestStrangers:
    """Components share an incident only if they have more in common than the time."""

    OTHERS = tuple(checker(f"other{number}") for number in range(6))

    @pytest.mark.parametrize(
        ("fields", "together"),
        [
            pytest.param(({}, {}), False, id="nothing"),
            pytest.param(({"group": "Shop"}, {"group": "Blog"}), False, id="two-groups"),
            pytest.param(({"group": "Shop"}, {"group": "Shop"}), True, id="a-group"),
            pytest.param(({}, {"depends_on": ("one",)}), True, id="a-dependency"),
            pytest.param(
                ({"depends_on": ("db",)}, {"depends_on": ("db",)}), True, id="the-same-dependency"
            ),
        ],
    )
    def test_what_fails_in_the_same_run_is_one_incident_if_it_is_related(
        self, fields: tuple[dict[str, object], dict[str, object]], *, together: bool
    ) -> None:
        checkers = [checker("one", **fields[0]), checker("two", **fields[1]), *self.OTHERS]
        wells = {it.id: "hhhhhhhh" for it in self.OTHERS}
        seen = found(script(one="hddddddh", two="hddhhhhh", **wells), checkers=checkers)

        one, two = (1, 7, {"one"}), (1, 3, {"two"})
        assert spans(seen) == ([(1, 7, {"one", "two"})] if together else [one, two])
        assert len({it.id for it in seen}) == len(seen)

    def test_most_failing_in_the_same_run_is_one_incident(self) -> None:
        bad = {it.id: "hddh" for it in self.OTHERS[:4]}
        wells = {it.id: "hhhh" for it in self.OTHERS[4:]}
        (one,) = found(script(**bad, **wells), checkers=self.OTHERS)
        assert {*one.episodes} == {*bad}

    def test_a_dependent_joins_only_while_what_it_depends_on_fails(self) -> None:
        db = checker("db", group="G")
        long, late = checker("long", group="G"), checker("late", depends_on=("db",))
        letters = {"db": "hddhhhhhhh", "long": "hddddddddd", "late": "hhhhhhdddd"}
        wells = {it.id: "h" * 10 for it in self.OTHERS}
        seen = found(script(**letters, **wells), checkers=[db, long, late, *self.OTHERS])
        assert spans(seen) == [(1, None, {"db", "long"}), (6, None, {"late"})]

    def test_the_first_to_be_confirmed_keeps_the_id_when_another_one_follows(self) -> None:
        slow = checker("slow", failure_threshold=4, degraded_threshold=4)
        checkers = [slow, checker("fast"), *self.OTHERS]
        wells = {it.id: "h" * 9 for it in self.OTHERS}
        runs = script(slow="hdddddddd", fast="hdddddddd", **wells)
        (early,) = found(runs[:3], checkers=checkers)
        later = found(runs, checkers=checkers)
        assert {*early.episodes} == {"fast"}
        assert {it.id: {*it.episodes} for it in later}[early.id] == {"fast"}
        assert len({it.id for it in later}) == 2


WINDOW = MaintenanceWindow(
    start=BEGIN + 4 * MINUTE, duration=5 * MINUTE, checkers=frozenset({"api"})
)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("hddddd", [(1, None)], id="meanwhile-down"),
        pytest.param("hdddhh", [(1, 4)], id="meanwhile-well"),
        pytest.param("hdddddddddd", [(1, None)], id="down-afterwards"),
        pytest.param("hddddddddddh", [(1, 11)], id="recovered-later"),
        pytest.param("hdddhhhhhhhhhhhhhhd", [(1, 4), (18, None)], id="another-one-later"),
    ],
)
def test_maintenance_ends_no_outage(
    letters: str, expected: list[tuple[float, float | None]]
) -> None:
    seen = found(script(api=letters, shop="h" * len(letters)), windows=[WINDOW])
    assert [(begin, end) for begin, end, _ in spans(seen)] == expected
