"""A published folder works on any static server and under any path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checkup.config.page import PageSettings
from checkup.config.settings import GroupSettings, MaintenanceSettings
from checkup.model import Status, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from checkup_page.publish import publish_once
from checkup_page.publishers.folder import FolderPublisher
from tests.page.following import followed, outside
from tests.page.worlds import MINUTE, NOW, checker, config, result, runs
from tests.servers.static import SERVERS, serving

KINDS = {
    ".html": "text/html",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of everything, below a server's root and at a deeper path of it."""
    root = tmp_path_factory.mktemp("root")
    for place in (root, root / "some" / "prefix"):
        publish_once(_world(), _storage(), FolderPublisher(place), NOW)
    return root


def _world() -> Any:
    names = ("API", "Web Shop", "Postfach")
    settings = PageSettings(title="Acme", languages=("en", "ko"))
    found = config((checker(name, group="Shop") for name in names), settings)
    window = MaintenanceSettings(title="Works", start=NOW + 60 * MINUTE, duration=60 * MINUTE)
    groups = (GroupSettings(name="Shop"),)
    return type(found)(
        checkers=found.checkers, page=found.page, maintenance=(window,), groups=groups
    )


def _storage() -> MemoryStorage:
    storage = MemoryStorage()
    for number, run in enumerate(runs([[]] * 120, newest=NOW - 20 * SECOND, every=60 * MINUTE)):
        down = Status.DOWN if number in range(40, 45) else Status.HEALTHY
        results = [
            result(it, down if it.title == "API" else Status.HEALTHY) for it in _world().checkers
        ]
        storage.create(run_key(run), encode_results(tuple(results)))
    return storage


@pytest.mark.parametrize("prefix", ["", "some/prefix/"])
@pytest.mark.parametrize("server", SERVERS)
def test_every_link_of_every_page_leads_somewhere(
    folder: Path, tmp_path: Path, server: str, prefix: str
) -> None:
    with serving(server, folder, tmp_path) as url:
        answers = followed(url + prefix)
        outer = outside(url + prefix, answers)

    assert {path: it.status for path, it in answers.items() if it.status != 200} == {}
    assert outer == set()
    folders = {path.split("/")[0] for path in answers if "/" in path}
    assert {"components", "history", "ko"} <= folders
    for path, answer in answers.items():
        kind = KINDS.get(Path(path or "index.html").suffix)
        assert kind is None or answer.content_type.partition(";")[0] == kind
