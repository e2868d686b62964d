"""Whatever comes late, twice or out of order: counted again, the history has the same bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkup.evaluation import EvaluationRules
from checkup.model import Status
from checkup.storage.memory import MemoryStorage
from checkup.times import DAY, HOUR
from tests.history.stories import (
    CHECKERS,
    REGIONS,
    Story,
    documents,
    keep,
    rebuild,
    seen,
    stories,
    tell,
)
from tests.history.worlds import MINUTE, START

DOWN, HEALTHY = Status.DOWN, Status.HEALTHY


@pytest.mark.row("138")
@given(stories())
@settings(max_examples=80)
def test_what_was_kept_step_by_step_is_what_one_step_would_have_kept(story: Story) -> None:
    """Of the runs that lie there: what came late lies apart, and of two the first one."""
    told, fresh = MemoryStorage(), MemoryStorage()
    tell(story, told)
    for key, body in documents(told, "runs/").items():
        fresh.create(key, body)
    slots = [event.slot for event in story.events if event is not None]
    if slots:
        keep(fresh, story.setting, max(slots))
    assert documents(told) == documents(fresh)


@pytest.mark.row("138")
@given(stories(), st.data())
@settings(max_examples=80)
def test_what_is_counted_again_is_what_was_kept(story: Story, data: st.DataObject) -> None:
    """As far as its runs are still there; what is older stays."""
    told = MemoryStorage()
    tell(story, told)
    runs, before = sorted(documents(told, "runs/")), documents(told)
    for gone in runs[: data.draw(st.integers(0, max(0, len(runs) - 1)))]:
        told.delete(gone)
    if runs:
        rebuild(told, story.setting)
    assert documents(told) == before


@pytest.mark.parametrize("gone", [0, 1])
def test_a_day_of_which_no_run_is_kept_begins_no_other(gone: int) -> None:
    """The last result of the first day stands for hours of the second, which has no run."""
    slots = [START + 14 * HOUR, START + 21 * HOUR, START + 2 * DAY + HOUR]
    runs = [seen(slot, "", [DOWN, HEALTHY]) for slot in slots]
    told = MemoryStorage()
    tell(Story(events=tuple(runs), setting=EvaluationRules(checkers=CHECKERS)), told)
    before = documents(told)
    assert "history/hours/2026-08-04.json" in before
    for key in sorted(documents(told, "runs/"))[:gone]:
        told.delete(key)
    rebuild(told, EvaluationRules(checkers=CHECKERS))
    assert documents(told) == before


def test_a_day_that_began_without_its_first_region_is_counted_again() -> None:
    setting = EvaluationRules(checkers=CHECKERS, regions=REGIONS)
    runs = [seen(START + at * HOUR, name, [DOWN, DOWN]) for at in (0, 30) for name in REGIONS[1:]]
    told = MemoryStorage()
    tell(Story(events=tuple(runs), setting=setting), told)
    before = documents(told)
    told.delete("history/days/2026-08.json")
    rebuild(told, setting)
    assert documents(told) == before


def one_of_each() -> Story:
    """A story in which everything happens once."""
    on_time = [seen(START + at * MINUTE, "", [HEALTHY, HEALTHY]) for at in range(6)]
    late = seen(START + 2 * MINUTE + 1, "", [DOWN, DOWN])
    doubled = seen(START + 4 * MINUTE, "", [DOWN, DOWN])
    by_go = seen(START + 7 * MINUTE, "", [HEALTHY, DOWN], by_go=True)
    events = (*on_time[1:4], None, on_time[0], late, *on_time[4:], doubled, by_go)
    return Story(events=events, setting=EvaluationRules(checkers=CHECKERS))


def test_what_is_late_lies_apart_and_would_have_counted() -> None:
    """Else the stories above could not go wrong."""
    told = MemoryStorage()
    tell(one_of_each(), told)
    before = documents(told)
    late = documents(told, "late/")
    assert len(late) == 2
    assert b'"down":true' not in documents(told, "runs/")[f"runs/{START + 4 * MINUTE}-check.json"]
    for key, body in late.items():
        told.create(key.replace("late/", "runs/"), body)
    rebuild(told, one_of_each().setting)
    assert documents(told) != before


def test_runs_of_the_go_program_and_votes_of_regions_count() -> None:
    story = one_of_each()
    *others, by_go = story.events
    assert by_go is not None
    ours = seen(by_go.slot, "", [HEALTHY, DOWN])
    heads = set()
    for last in ([by_go], [ours], []):
        told = MemoryStorage()
        tell(Story(events=(*others, *last), setting=story.setting), told)
        heads.add(documents(told)["history/head.json"])
    assert len(heads) == 2
    votes = [seen(START, region, [DOWN, DOWN]) for region in REGIONS]
    counted = set()
    for regions in (votes, votes[:1]):
        setting = EvaluationRules(checkers=CHECKERS, regions=REGIONS)
        tell(Story(events=tuple(regions), setting=setting), there := MemoryStorage())
        counted.add(documents(there)["history/head.json"])
    assert len(counted) == 2
