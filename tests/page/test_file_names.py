"""What files are called, on file systems that tell fewer names apart than people do."""

from __future__ import annotations

import json
import unicodedata
from pathlib import PurePosixPath

import pytest

from checkup.config import load
from checkup.model import encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup_page.build import build_page
from tests.config.world import KINDS
from tests.page.worlds import NOW, result, runs

TITLES = ("Shop", "SHOP", "shop", "Caf\u00e9", "Cafe\u0301", "x" * 400, "X" * 400, "CON", "a/../b")
LONGEST = 255  # bytes: ext4, APFS, NTFS


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[PurePosixPath]:
    """The paths of everything that is published or stored of checkers with difficult names."""
    file = tmp_path_factory.mktemp("names") / "checkup.json"
    checkers = [
        {"type": "http", "endpoint_name": title, "endpoint_url": f"http://127.0.0.1/{number}"}
        for number, title in enumerate(TITLES)
    ]
    file.write_text(json.dumps({"checkers": checkers}))
    settings = load(str(file), KINDS, {})
    storage = MemoryStorage()
    for run in runs([[result(it) for it in settings.checkers]] * 65):
        storage.create(run_key(run), encode_results(run.results))
    published = build_page(settings, storage, NOW)
    assert sum(path.startswith("components/") for path in published) == len(TITLES)
    return [PurePosixPath(path) for path in (*published, *storage.list("history/"))]


@pytest.mark.row("102")
def test_no_two_files_differ_only_in_case_or_in_the_form_of_a_letter(
    names: list[PurePosixPath],
) -> None:
    folded = [unicodedata.normalize("NFC", str(name)).casefold() for name in names]
    assert len(set(folded)) == len(folded)


@pytest.mark.row("102")
def test_no_name_is_too_long_or_means_something_else(names: list[PurePosixPath]) -> None:
    for name in names:
        assert all(len(part.encode()) <= LONGEST for part in name.parts), name
        assert str(name).isascii(), name
        assert ".." not in name.parts
        assert "con" not in {part.partition(".")[0].lower() for part in name.parts}, name
