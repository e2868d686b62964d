"""A new checker, storage, notifier or publisher is one file and one line in a registry."""

from __future__ import annotations

import json
import time
from pathlib import Path

from checkup import app, config, model
from checkup.config.settings import Config, Kinds
from checkup.deadline import Deadline
from checkup.model import Status
from checkup.pipeline import confirmed_statuses, read_state, run_and_store
from checkup_page.publish import publish_once
from tests.project.toys.toy_notifier import HEARD
from tests.project.toys.toy_publisher import WALLS
from tests.project.toys.toy_storage import SHELVES

TOYS = "tests.project.toys"


def kinds_and_toys() -> Kinds:
    ours = app.registered_kinds()
    return Kinds(
        checkers=ours.checkers.with_kind("toy", f"{TOYS}.toy_checker:ToyChecker"),
        storages=ours.storages.with_kind("toy", f"{TOYS}.toy_storage:ToyStorageSettings"),
        notifiers=ours.notifiers.with_kind("toy", f"{TOYS}.toy_notifier:ToyNotifierSettings"),
        publishers=ours.publishers.with_kind("toy", f"{TOYS}.toy_publisher:ToyPublishing"),
    )


def load(folder: Path, **words: str) -> Config:
    path = folder / "checkup.json"
    path.write_text(
        json.dumps(
            {
                "recheck": 0,
                "checkers": [
                    {"type": "toy", "endpoint_name": name, "word": word}
                    for name, word in words.items()
                ],
                "storage": {"type": "toy", "shelf": str(folder)},
                "notifiers": [{"type": "toy", "ear": str(folder)}],
                "publish": {"type": "toy", "wall": str(folder)},
            }
        )
    )
    return config.load(str(path), kinds_and_toys(), {})


def run_once(settings: Config) -> None:
    monitor = app.run_context(settings, {})
    run_and_store(monitor, time.time_ns(), Deadline.after(10))


def test_toys_are_checked_stored_and_announced_like_any_other_kind(tmp_path: Path) -> None:
    run_once(load(tmp_path, Even="even", Odd="odd"))
    run_once(load(tmp_path, Even="even", Odd="even"))

    storage = SHELVES[str(tmp_path)]
    runs = [storage.get(key) for key in storage.list("runs/")]
    results = [model.decode_results(run.body) for run in runs if run]
    assert [[result.status for result in run] for run in results] == [
        [Status.HEALTHY, Status.DOWN],
        [Status.HEALTHY, Status.HEALTHY],
    ]
    assert {result.kind for run in results for result in run} == {"toy"}
    assert confirmed_statuses(read_state(storage)) == {
        "even": Status.HEALTHY,
        "odd": Status.HEALTHY,
    }
    assert HEARD[str(tmp_path)] == ["Odd is down", "Odd is healthy"]


def test_the_page_is_put_into_a_toy_like_into_any_other_place(tmp_path: Path) -> None:
    settings = load(tmp_path, Even="even")
    run_once(settings)
    clients = app.make_clients(settings, {})
    (place,) = (it.open(clients) for it in settings.publish)

    publish_once(settings, SHELVES[str(tmp_path)], place, time.time_ns())

    assert b"Even" in WALLS[str(tmp_path)]["index.html"]
