"""Publishing into a folder: kills at every step, and several publishers at once."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checkup.errors import NewerPageError
from checkup.interfaces import PageVersion
from checkup_page.publishers.folder import FolderPublisher
from tests.page.doomed_publisher import NEW, OLD
from tests.page.pages import edition, page
from tests.page.worlds import NOW

ROOT = Path(__file__).resolve().parents[2]


def shown(folder: Path) -> dict[str, bytes]:
    """What a visitor can reach."""
    files = (path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {
        name: body for name, body in names.items() if name != "manifest.json" and name[0] != "."
    }


def killed_before(fatal: int, folder: Path) -> bool:
    command = [sys.executable, "-m", "tests.page.doomed_publisher", str(folder), str(fatal)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode in {0, -signal.SIGKILL}
    return ended.returncode != 0


@pytest.mark.row("131")
def test_a_kill_at_any_call_leaves_whole_files_and_heals(tmp_path: Path) -> None:
    bodies = {path: {OLD.get(path, NEW.get(path)), NEW.get(path)} for path in {*OLD, *NEW}}
    fatal, step = 1, 3  # every third call, so that it takes seconds
    while killed_before(fatal, tmp_path):
        for path, body in shown(tmp_path).items():
            assert body in {file.body for file in bodies[path] if file}
        FolderPublisher(tmp_path).publish(NEW, PageVersion(position=3, made=NOW))
        assert shown(tmp_path) == {path: file.body for path, file in NEW.items()}
        shutil.rmtree(tmp_path)
        fatal += step
    assert fatal > 25, "the calls were not seen"


@pytest.mark.row("130")
def test_of_many_publishers_at_once_the_newest_wins(tmp_path: Path) -> None:
    editions = [edition() for _ in range(8)]
    start = threading.Barrier(8)

    def work(number: int) -> bool:
        publisher = FolderPublisher(tmp_path)
        start.wait()
        try:
            publisher.publish(page(index=f"{number}", status=f"{number}"), editions[number])
        except NewerPageError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(work, [3, 7, 0, 5, 1, 6, 2, 4]))

    newest = page(index="7", status="7")
    assert shown(tmp_path) == {path: file.body for path, file in newest.items()}
    assert published[1]


def test_what_somebody_has_changed_is_mended(tmp_path: Path) -> None:
    publisher = FolderPublisher(tmp_path)
    publisher.publish(page(), edition())
    (tmp_path / "404.html").write_text("defaced")
    assert list(publisher.publish(page(), edition())) == ["404.html"]


@pytest.mark.parametrize("name", ["index.html", "manifest.json"])
def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name / "x").mkdir(parents=True)
    with pytest.raises(Exception, match=r"a folder exists where a file is expected"):
        FolderPublisher(tmp_path).publish(page(), edition())


@pytest.mark.parametrize("kept", [".checkup", "manifest.json"])
def test_a_page_of_ours_is_known_by_either_of_its_marks(tmp_path: Path, kept: str) -> None:
    FolderPublisher(tmp_path).publish(page(), edition())
    for path in {".checkup", "manifest.json"} - {kept}:
        shutil.rmtree(tmp_path / path) if path[0] == "." else (tmp_path / path).unlink()
    FolderPublisher(tmp_path).publish(page(index="two"), edition())
    assert shown(tmp_path)["index.html"] == b"two"


def test_what_a_manifest_says_removes_nothing_outside(tmp_path: Path) -> None:
    precious, site = tmp_path / "precious", tmp_path / "site"
    FolderPublisher(site).publish(page(), edition())
    precious.write_text("x")
    files = {
        path: {"hash": "", "at": 1}
        for path in (str(precious), "../precious", "a/../../precious", "\0")
    }
    (site / "manifest.json").write_text(json.dumps({"schema": 1, "files": files}))
    FolderPublisher(site).publish(page(), edition())
    assert precious.exists()
