"""From a storage to the files of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.alerting.state import (
    NOT_MONITORED_AFTER,
    STATE_KEY,
    AlertState,
    CheckerState,
    encode_state,
)
from checkup.config.page import PageSettings
from checkup.config.settings import MaintenanceSettings
from checkup.errors import StorageError
from checkup.interfaces import PageFile, StoredDocument
from checkup.model import Run, Status, run_key
from checkup.model import encode_results as encode_run
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from checkup_page.build import PageCache, build_page
from tests.page.worlds import MINUTE, NOW, checker, config, result, runs

API = checker("API")
CONFIG = config([API])


class Counted(MemoryStorage):
    """A storage that says what was asked of it."""

    def __init__(self, stored: Iterable[Run] = ()) -> None:
        super().__init__()
        self.got: list[str] = []
        self.listed = 0
        for run in stored:
            self.create(run_key(run), encode_run(run.results))

    def get(self, key: str) -> StoredDocument | None:
        self.got.append(key)
        return super().get(key)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        self.listed += 1
        return super().list(prefix, after)

    @property
    def runs_got(self) -> int:
        return sum(key.startswith("runs/") for key in self.got)


def summary(files: dict[str, PageFile]) -> Any:
    return json.loads(files["api/v2/summary.json"].body)


def states(files: dict[str, PageFile]) -> dict[str, str]:
    return {item["name"]: item["x_state"] for item in summary(files)["components"]}


def text(files: dict[str, PageFile]) -> str:
    return files["index.html"].body.decode()


def test_the_page_is_for_people_and_for_programs() -> None:
    files = build_page(CONFIG, Counted(runs([[result(API)]])), NOW)
    kinds = {path: file.content_type for path, file in files.items()}
    assert kinds["index.html"] == kinds["404.html"] == "text/html; charset=utf-8"
    assert kinds["api/v2/summary.json"] == "application/json; charset=utf-8"
    assert kinds["history.atom"] == "application/atom+xml; charset=utf-8"
    assert kinds["maintenance.ics"] == "text/calendar; charset=utf-8"
    assert kinds["metrics.txt"].startswith("application/openmetrics-text; version=1.0.0")
    assert kinds["uptime.csv"].startswith("text/csv; charset=utf-8")
    assert states(files) == {"API": "operational"}


def test_the_same_storage_at_the_same_time_gives_the_same_page() -> None:
    storage = Counted(runs([[result(API)]] * 3))
    assert build_page(CONFIG, storage, NOW) == build_page(CONFIG, storage, NOW)


@pytest.mark.row("128", "F04")
def test_an_empty_storage_collects_first_results() -> None:
    files = build_page(CONFIG, Counted(), NOW)
    assert "Collecting first results" in text(files)
    assert states(files) == {"API": "unknown"}


def test_what_is_read_does_not_grow_with_what_is_stored() -> None:
    storage = Counted(runs([[result(API)]] * 200))
    assert "90 runs since" in text(build_page(CONFIG, storage, NOW))
    assert storage.runs_got == 200  # the first page counts them all, once and for all
    storage.got.clear()
    storage.listed = 0
    build_page(CONFIG, storage, NOW)
    lists = 2  # of the runs, and of the months in which something was announced
    assert (storage.runs_got, storage.listed) == (90, lists)
    months, week, year = 4, 7, 1  # 90 days lie in four months at most
    heads = 4  # the state, the history, the incidents, and the source of the public ids
    assert len(storage.got) == 90 + heads + months + week + year


def test_only_the_runs_of_the_time_frame_are_shown() -> None:
    short = config([API], PageSettings(timeframe=10 * MINUTE))
    assert "10 runs since" in text(build_page(short, Counted(runs([[result(API)]] * 50)), NOW))


@pytest.mark.row("F09", "F10")
def test_a_day_is_shown_and_looked_at_again_after_a_minute() -> None:
    seen = runs([[result(API)]] * 30, newest=NOW - MINUTE, every=60 * MINUTE)
    page = text(build_page(CONFIG, Counted(seen), NOW))
    assert "24 runs since" in page
    assert "3 Aug 2026, 10:01 UTC" in page
    assert PageSettings().refresh_interval == 60


def test_when_the_time_frame_is_empty_the_newest_runs_are_shown() -> None:
    old = Counted(runs([[result(API)]] * 5, newest=NOW - 400 * 24 * 60 * MINUTE))
    files = build_page(CONFIG, old, NOW)
    assert "5 runs since" in text(files)
    assert "Status unknown" in text(files)
    assert states(files) == {"API": "unknown"}


def test_a_run_of_the_future_does_not_look_new_for_ever() -> None:
    future = runs([[result(API)]], newest=NOW + 60 * MINUTE)
    storage = Counted([*runs([[result(API, Status.DOWN)]] * 2), *future])
    files = build_page(CONFIG, storage, NOW)
    assert states(files) == {"API": "major_outage"}
    assert summary(files)["status"]["x_checked_at"] == "2026-08-03T10:02:30.000Z"


@pytest.mark.row("132", "F05")
@pytest.mark.parametrize("body", [b"", b"{}", b"[1.5]", b"\xff\xfe", b'[{"title": 5}]'])
def test_a_run_that_cannot_be_read_is_passed_over(body: bytes) -> None:
    good = runs([[result(API)]] * 3)
    storage = Counted(good[:2])
    storage.create(run_key(good[2]), body)
    files = build_page(CONFIG, storage, NOW)
    assert "2 runs since" in text(files)
    assert "1 stored run could not be read" in text(files)
    assert states(files) == {"API": "operational"}


def test_a_caller_who_builds_again_reads_only_what_is_new() -> None:
    all_runs = runs([[result(API)]] * 100)
    storage = Counted(all_runs[:95])
    memory = PageCache()
    build_page(CONFIG, storage, NOW, cache=memory)
    storage.got.clear()
    storage.create(run_key(all_runs[95]), encode_run(all_runs[95].results))
    again = build_page(CONFIG, storage, NOW, cache=memory)
    assert storage.runs_got == 1
    assert len(memory.recent_runs.read) == 90
    assert again == build_page(CONFIG, storage, NOW)


def head(storage: MemoryStorage, cursor: str, **checkers: CheckerState) -> None:
    storage.create(
        STATE_KEY, encode_state(AlertState(revision=1, cursor=cursor, checkers=checkers))
    )


def test_the_state_between_runs_decides() -> None:
    seen = runs([[result(API)], [result(API)], [result(API, Status.DEGRADED)]])
    storage = Counted(seen)
    head(
        storage, run_key(seen[-1]), api=CheckerState(status=Status.HEALTHY, since=NOW - 90 * SECOND)
    )
    files = build_page(CONFIG, storage, NOW)
    assert states(files) == {"API": "operational"}
    assert summary(files)["components"][0]["updated_at"] == "2026-08-03T10:01:12.000Z"


def test_a_checker_that_is_not_monitored_is_unknown_whatever_it_was() -> None:
    seen = runs([[result(API, Status.UNKNOWN)]] * 3)
    storage = Counted(seen)
    head(
        storage,
        run_key(seen[-1]),
        api=CheckerState(status=Status.HEALTHY, unknown_runs=NOT_MONITORED_AFTER),
    )
    assert states(build_page(CONFIG, storage, NOW)) == {"API": "unknown"}


def test_a_state_that_no_longer_follows_the_runs_is_not_believed() -> None:
    seen = runs([[result(API, Status.DOWN)]] * 3)
    before = runs([[result(API)]], newest=NOW - 60 * MINUTE)
    storage = Counted(seen)
    head(storage, run_key(before[0]), api=CheckerState(status=Status.HEALTHY))
    assert states(build_page(CONFIG, storage, NOW)) == {"API": "major_outage"}


def test_a_state_that_cannot_be_read_does_not_take_the_page_away() -> None:
    storage = Counted(runs([[result(API, Status.DOWN)]]))
    storage.create(STATE_KEY, b"\x00garbage")
    assert states(build_page(CONFIG, storage, NOW)) == {"API": "major_outage"}


class Broken(MemoryStorage):
    """A storage that does not answer."""

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        raise StorageError(f"{prefix}: no answer after {after!r}")


@pytest.mark.row("141")
def test_a_storage_that_fails_leaves_the_page_as_it_is() -> None:
    with pytest.raises(StorageError):
        build_page(CONFIG, Broken(), NOW)


# What a version of the Go program wrote in 2017, the names changed.
GO_FILE = (
    b'[{"title":"Example HTTP","endpoint":"http://www.example.com","timestamp":1501606921788181521,'
    b'"times":[{"rtt":117995608},{"rtt":46557590}],"healthy":true},'
    b'{"title":"Example TCP","endpoint":"www.example.com:80","timestamp":1501606921783983405,'
    b'"times":[{"rtt":112201880,"error":"dial tcp 10.0.0.1:80: i/o timeout"}],"down":true}]'
)


def test_the_runs_of_the_go_program_are_shown() -> None:
    storage = Counted()
    storage.create("runs/1501606923405043499-check.json", GO_FILE)
    files = build_page(config(), storage, NOW)
    assert states(files) == {"Example HTTP": "unknown", "Example TCP": "unknown"}
    assert "Last checked" in text(files)
    assert "1 Aug 2017, 17:02 UTC" in text(files)
    assert "82 ms" in text(files)
    assert "10.0.0.1" not in text(files)


def test_the_runs_of_the_go_program_belong_to_the_checkers_of_its_file() -> None:
    storage = Counted()
    storage.create("runs/1501606923405043499-check.json", GO_FILE)
    http = checker("Example HTTP", id="web", endpoint_url="http://www.example.com")
    hidden = checker("Example TCP", id="tcp", hidden=True)
    assert states(build_page(config([http, hidden]), storage, NOW)) == {"Example HTTP": "unknown"}


def steady(count: int, every: int = 60 * MINUTE, newest: int = NOW - 20 * MINUTE) -> Counted:
    """A storage with an hourly run over some time, one of which saw an outage."""
    seen = [
        [result(API, Status.DOWN if number == 30 else Status.HEALTHY)] for number in range(count)
    ]
    return Counted(runs(seen, newest=newest, every=every))


def test_after_some_days_a_bar_is_a_day() -> None:
    page = text(build_page(CONFIG, steady(24 * 5), NOW))
    assert "Each bar is one day in UTC." in page
    assert "<b>99.16%</b> uptime" in page
    assert '1 day with incidents: 30 Jul 1 h down"' in page


def test_in_the_first_days_a_bar_is_a_run() -> None:
    assert "Each bar is one run" in text(build_page(CONFIG, steady(24), NOW))


def test_history_is_kept_for_the_next_page_and_runs_may_go() -> None:
    storage = steady(24 * 5)
    before = build_page(CONFIG, storage, NOW)
    for key in list(storage.list("runs/"))[:-90]:
        storage.delete(key)
    storage.got.clear()
    assert build_page(CONFIG, storage, NOW) == before


def test_the_runs_of_the_go_program_count() -> None:
    storage = Counted()
    for it in runs([[result(API)]] * 24 * 5, newest=NOW - 20 * MINUTE, every=60 * MINUTE):
        storage.create(run_key(it), encode_run([replace(it.results[0], id="", kind="")]))
    assert "<b>100.00%</b> uptime" in text(build_page(CONFIG, storage, NOW))


class ReadOnly(Counted):
    """A storage that takes nothing new."""

    full = False

    def create(self, key: str, body: bytes) -> str:
        if self.full:
            raise StorageError(f"{key}: no space left")
        return super().create(key, body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        raise StorageError(f"{key}: no space left, {version} stays with {len(body)}")


@pytest.mark.row("141")
def test_a_history_that_cannot_be_written_does_not_take_the_page_away() -> None:
    storage = ReadOnly(runs([[result(API)]] * 5))
    storage.full = True
    assert states(build_page(CONFIG, storage, NOW)) == {"API": "operational"}


@pytest.mark.row("132")
@pytest.mark.parametrize("body", [b"\x00garbage", b'{"schema":99}', b"[]"])
def test_a_history_that_cannot_be_read_does_not_take_the_page_away(body: bytes) -> None:
    storage = steady(24 * 5)
    storage.create("history/head.json", body)
    storage.create("history/days/2026-07.json", body)
    assert states(build_page(CONFIG, storage, NOW)) == {"API": "operational"}


@pytest.mark.row("138")
def test_maintenance_is_shown_and_counts_neither_way() -> None:
    outage = NOW - 20 * MINUTE - 89 * 60 * MINUTE
    window = MaintenanceSettings(start=outage - MINUTE, duration=30 * 60 * MINUTE)
    page = text(build_page(replace(CONFIG, maintenance=(window,)), steady(24 * 5), NOW))
    assert "<b>100.00%</b> uptime" in page
    assert "</svg>Maintenance</li>" in page


def test_a_checker_that_is_new_has_no_days_yet() -> None:
    storage = steady(24 * 5)
    page = text(build_page(config([API, checker("New")]), storage, NOW))
    assert "New, last day: no data" in page


def test_a_hidden_checker_is_not_in_the_days() -> None:
    secret = checker("Secret", hidden=True)
    seen = [[result(API), result(secret, Status.DOWN)]] * 24 * 5
    storage = Counted(runs(seen, newest=NOW - 20 * MINUTE, every=60 * MINUTE))
    page = text(build_page(config([API, secret]), storage, NOW))
    assert "Each bar is one day" in page
    assert "Secret" not in page
    assert "secret" not in page
