"""Publishing one page again and again: what is read, and when anything is written."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar

import pytest

from checkup.alerting.state import STATE_KEY, AlertState, CheckerState, encode_state
from checkup.deadline import Deadline
from checkup.errors import NewerPageError, PublishError, UnfinishedPageError
from checkup.interfaces import PageFile, PageVersion
from checkup.model import Status, encode_results, run_key
from checkup.times import SECOND
from checkup_page.build import build_page
from checkup_page.publish import PagePublisher, TargetResult, describe_results
from checkup_page.publishers.manifest import Manifest, PublishPlan
from tests.page.test_publish import API, CONFIG, Counted
from tests.page.worlds import MINUTE, NOW, result, runs

START = NOW // (5 * MINUTE) * 5 * MINUTE


class Wall:
    """A place that notes what is put there, and when."""

    throttles_writes: ClassVar[bool] = True

    def __init__(self) -> None:
        self.manifest = Manifest()
        self.put: list[tuple[int, Sequence[str]]] = []
        self.overtaken = False

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        if self.overtaken:
            raise NewerPageError("a newer page is there already")
        plan = PublishPlan.of(files, version, self.manifest, throttled=self.throttles_writes)
        self.manifest = plan.manifest
        self.put.append(((version.made - START) // SECOND, plan.write))
        return plan.write


class Place(Wall):
    """One in which writing costs nothing."""

    throttles_writes: ClassVar[bool] = False


def paths(results: Sequence[TargetResult]) -> list[str]:
    return [path for result in results for path in result.written]


def head(storage: Counted, cursor: int, status: Status = Status.HEALTHY) -> None:
    """Let the state between runs be that after some run."""
    state = AlertState(
        revision=cursor, cursor=f"runs/{cursor:019d}-check.json", applied_runs=(f"{cursor}",)
    )
    whole = encode_state(
        AlertState(
            **{
                **{name: getattr(state, name) for name in state.__struct_fields__},
                "checkers": {"api": CheckerState(status=status, since=START)},
            }
        )
    )
    there = storage.get(STATE_KEY)
    if there is None:
        storage.create(STATE_KEY, whole)
    else:
        storage.replace(STATE_KEY, whole, there.version)


@pytest.fixture
def storage() -> Counted:
    found = Counted(runs([[result(API)]] * 100, newest=START - MINUTE))
    head(found, START - MINUTE)
    return found


def run(storage: Counted, at: int, status: Status = Status.HEALTHY) -> None:
    (one,) = runs([[result(API, status)]], newest=START + at)
    storage.create(run_key(one), encode_results(one.results))


def test_the_state_that_only_moves_on_is_no_reason_to_read_anything(storage: Counted) -> None:
    wall = Wall()
    page = PagePublisher(storage, {"wall": wall})
    page.publish_if_due(CONFIG, START + SECOND)
    storage.got.clear()
    storage.listed = 0
    run(storage, MINUTE)
    head(storage, START + MINUTE)

    assert page.publish_if_due(CONFIG, START + MINUTE + SECOND) == ()

    assert (storage.listed, storage.runs_got) == (0, 0)
    assert len(wall.put) == 1


def test_news_are_published_at_once(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": (wall := Wall())})
    page.publish_if_due(CONFIG, START + SECOND)
    run(storage, MINUTE, Status.DOWN)
    head(storage, START + MINUTE, Status.DOWN)

    written = paths(page.publish_if_due(CONFIG, START + MINUTE + SECOND))

    assert {"index.html", "api/v2/summary.json", "api/v2/status.json"} <= set(written)
    assert any(path.startswith("components/") for path in written)
    assert wall.put[-1][0] == 61


def test_what_only_the_runs_say_is_published_when_somebody_asks(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": Wall()})
    page.publish_if_due(CONFIG, START + SECOND)
    (one,) = runs([[result(API, message="Soon back")]], newest=START + MINUTE)
    storage.create(run_key(one), encode_results(one.results))
    assert page.publish_if_due(CONFIG, START + MINUTE) == ()

    page.force()

    assert "index.html" in paths(page.publish_if_due(CONFIG, START + MINUTE + SECOND))


def test_an_hour_without_news_is_twelve_editions(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": (wall := Wall())})
    for minute in range(60):
        run(storage, minute * MINUTE)
        head(storage, START + minute * MINUTE)
        page.publish_if_due(CONFIG, START + minute * MINUTE + SECOND)

    assert [at for at, _ in wall.put] == [1 + 300 * number for number in range(12)]
    quiet = {path for _, put in wall.put[2:] for path in put}
    assert {re.sub("/[0-9a-z]{12}", "/*", path) for path in quiet} <= {
        *("index.html", "metrics.txt", "api/v2/summary.json", "api/v2/status.json"),
        *("api/v2/components.json", "components/*.html", "uptime.csv", "badges/*/uptime-24h.json"),
    }


def test_where_writing_is_free_every_run_is_shown(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": (place := Place())})
    for second in (1, 2):
        page.publish_if_due(CONFIG, START + second * SECOND)
    assert len(place.put) == 2


@pytest.mark.row("130")
def test_a_newer_page_is_left_alone_and_tried_again(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": (wall := Wall())})
    wall.overtaken = True
    assert paths(page.publish_if_due(CONFIG, START)) == []
    wall.overtaken = False
    assert "index.html" in paths(page.publish_if_due(CONFIG, START + SECOND))


@pytest.mark.row("136")
def test_every_file_may_be_kept_for_seconds_or_minutes(storage: Counted) -> None:
    ages = {path: file.max_age for path, file in build_page(CONFIG, storage, START).items()}
    assert {path for path, age in ages.items() if not 10 <= age <= 3600} == set()
    assert max(ages[path] for path in ("index.html", "api/v2/summary.json")) <= 60


def test_days_that_were_counted_again_wait_for_nothing(storage: Counted) -> None:
    page = PagePublisher(storage, {"wall": Wall()})
    page.publish_if_due(CONFIG, START + SECOND)
    run(storage, MINUTE)
    assert page.publish_if_due(CONFIG, START + MINUTE) == ()

    page.reset()

    assert {"index.html", "metrics.txt"} <= {*paths(page.publish_if_due(CONFIG, START + MINUTE))}
    assert page.publish_if_due(CONFIG, START + MINUTE + SECOND) == ()


class Dead(Wall):
    """A place that cannot be written for a while, or is slow to say so."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__()
        self.seconds = seconds

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        time.sleep(self.seconds)
        raise PublishError("it is dead")


def test_a_dead_place_does_not_hold_up_the_others(storage: Counted) -> None:
    one, two = Wall(), Wall()
    page = PagePublisher(storage, {"one": one, "dead": Dead(0.5), "two": two})

    results = page.publish_if_due(CONFIG, START + SECOND)

    assert [(it.address, bool(it.written)) for it in results] == [
        ("one", True),
        ("dead", False),
        ("two", True),
    ]
    assert [it.is_failed for it in results] == [False, True, False]
    assert one.manifest == two.manifest


def test_a_place_that_failed_is_tried_again_and_says_how_old_its_page_is(storage: Counted) -> None:
    class Mortal(Wall):
        dead = False

        def publish(
            self,
            files: Mapping[str, PageFile],
            version: PageVersion,
            deadline: Deadline | None = None,
        ) -> Sequence[str]:
            if self.dead:
                raise PublishError("it is dead")
            return super().publish(files, version, deadline)

    wall, mortal = Wall(), Mortal()
    page = PagePublisher(storage, {"wall": wall, "mortal": mortal})
    page.publish_if_due(CONFIG, START + SECOND)
    mortal.dead = True
    wall_result, failed = page.publish_if_due(CONFIG, START + 5 * MINUTE)
    assert (wall_result.error, failed.age_ns) == (None, 5 * MINUTE - SECOND)
    mortal.dead = False
    (again,) = page.publish_if_due(CONFIG, START + 6 * MINUTE)
    assert (again.address, bool(again.written)) == ("mortal", True)


def test_where_no_place_can_be_written_each_says_why(storage: Counted) -> None:
    page = PagePublisher(storage, {"one": Dead(), "two": Dead()})
    results = page.publish_if_due(CONFIG, START + SECOND)
    assert [str(it.error) for it in results] == ["it is dead", "it is dead"]


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ([None], "page published"),
        ([NewerPageError("newer")], "page published"),
        ([UnfinishedPageError("time is up")], "page not complete yet"),
        ([PublishError("dead"), None], "page published"),
        ([PublishError("dead"), UnfinishedPageError("time is up")], "page not published"),
    ],
    ids=["all-well", "a-newer-page", "unfinished", "one-of-two", "neither"],
)
def test_only_a_page_that_is_complete_somewhere_counts_as_published(
    errors: Sequence[PublishError | None], message: str
) -> None:
    results = [TargetResult(address=f"{n}", error=error) for n, error in enumerate(errors)]
    said, fields = describe_results(results)
    assert said == message
    assert ("not_published" in fields) == any(errors)
