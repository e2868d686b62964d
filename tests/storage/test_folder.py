"""The folder: Go's layout and index, modes, what is not ours, and what can be wrong with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkup.errors import StorageError
from checkup.interfaces import LockState
from checkup.model import Result, decode_results, encode_results
from checkup.storage.files import network_file_system
from checkup.storage.folder import FolderSettings, FolderStorage
from tests import gofile
from tests.storage.places import FakeClients

NAME = "1501523631505010894-check.json"
KEY = f"runs/{NAME}"
LATER = "runs/1501523631505010895-check.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "check_files"


def index_of(folder: Path) -> dict[str, int]:
    return gofile.read_index((folder / "index.json").read_bytes())


# Layout


@pytest.mark.row("C01", "C08")
def test_a_run_lies_where_go_puts_it(folder: Path) -> None:
    FolderStorage(folder).create(KEY, encode_results([Result(title="Testing")]))
    assert (folder / NAME).read_bytes() == b'[{"title":"Testing"}]\n'


def test_other_documents_are_paths_and_have_no_newline(folder: Path) -> None:
    FolderStorage(folder).create("state/head.json", b"{}")
    assert (folder / "state" / "head.json").read_bytes() == b"{}"


@pytest.mark.row("C06")
@pytest.mark.parametrize("end", ["", "\n"], ids=["github", "fs"])
def test_files_of_go_are_read(folder: Path, end: str) -> None:
    folder.mkdir()
    (folder / NAME).write_text('[{"title":"a","times":[{"rtt":5}],"healthy":true}]' + end)
    storage = FolderStorage(folder)
    assert list(storage.list("runs/")) == [KEY]
    stored = storage.get(KEY)
    assert stored is not None
    assert decode_results(stored.body)[0].title == "a"


@pytest.mark.row("C06")
def test_what_is_not_in_the_index_is_listed_all_the_same(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).write_text("[]\n")
    (folder / "index.json").write_text("{}\n")
    assert list(FolderStorage(folder).list("runs/")) == [KEY]


def test_an_index_entry_without_a_file_is_not_listed(folder: Path) -> None:
    folder.mkdir()
    (folder / "index.json").write_text(json.dumps({NAME: 1}))
    assert list(FolderStorage(folder).list("runs/")) == []


# Index


@pytest.mark.row("C13")
def test_the_index_is_go_s(folder: Path) -> None:
    storage = FolderStorage(folder)
    before = time.time_ns()
    for key in (LATER, KEY):
        storage.create(key, b"[]")
    text = (folder / "index.json").read_text()
    index = gofile.read_index(text.encode())
    assert list(index) == sorted(index) == [NAME, LATER.removeprefix("runs/")]
    assert all(before <= moment <= time.time_ns() for moment in index.values())
    assert text == json.dumps(index, separators=(",", ":")) + "\n"


@pytest.mark.row("C14")
def test_a_missing_index_is_an_empty_one(folder: Path) -> None:
    storage = FolderStorage(folder)
    storage.create(KEY, b"[]")
    (folder / "index.json").unlink()
    storage.create(LATER, b"[]")
    assert list(index_of(folder)) == [NAME, LATER.removeprefix("runs/")]


@pytest.mark.row("C15")
@pytest.mark.parametrize(
    "broken",
    [
        "",
        '{"1',
        "[]",
        "null",
        "5",
        '{"a":1}',
        f'{{"{NAME}":1.5}}',
        f'{{"{NAME}":true}}',
        "[" * 9999,
    ],
    ids=["empty", "cut", "array", "null", "number", "foreign", "float", "bool", "deep"],
)
def test_a_broken_index_is_made_anew_from_the_names(folder: Path, broken: str) -> None:
    storage = FolderStorage(folder)
    storage.create(KEY, b"[]")
    (folder / "index.json").write_text(broken)
    storage.create(LATER, b"[]")
    index = index_of(folder)
    assert list(index) == [NAME, LATER.removeprefix("runs/")]
    assert index[NAME] == 1501523631505010894


def test_times_in_the_index_stay_as_go_wrote_them(folder: Path) -> None:
    folder.mkdir()
    (folder / NAME).write_text("[]\n")
    (folder / "index.json").write_text(f'{{"{NAME}":1501523631506000000}}\n')
    FolderStorage(folder).create(LATER, b"[]")
    assert index_of(folder)[NAME] == 1501523631506000000


@pytest.mark.row("C18", "C19")
def test_a_dangling_entry_is_dropped_by_the_next_run(folder: Path) -> None:
    storage = FolderStorage(folder)
    storage.create(KEY, b"[]")
    storage.delete(KEY)
    storage.create(LATER, b"[]")
    assert list(index_of(folder)) == [LATER.removeprefix("runs/")]


def test_a_listed_file_of_another_name_stays_listed(folder: Path) -> None:
    folder.mkdir()
    (folder / "latest.json").write_text("[]\n")
    (folder / "index.json").write_text('{"latest.json":5}\n')
    FolderStorage(folder).create(KEY, b"[]")
    assert index_of(folder)["latest.json"] == 5


def test_an_index_that_cannot_be_written_stops_no_run(folder: Path) -> None:
    (folder / "index.json").mkdir(parents=True)
    storage = FolderStorage(folder)
    storage.create(KEY, b"[]")
    assert list(storage.list("runs/")) == [KEY]


def test_other_documents_make_no_index(folder: Path) -> None:
    FolderStorage(folder).create("state/head.json", b"{}")
    assert not (folder / "index.json").exists()


# What is not ours


@pytest.mark.row("C18")
def test_foreign_files_are_neither_listed_nor_touched(folder: Path) -> None:
    foreign = ["checkup.json", "latest.json", "15-check.json", f"{NAME}~", ".hidden", "js/app.js"]
    for name in foreign:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    storage = FolderStorage(folder)
    storage.create(KEY, b"[]")
    assert list(storage.list("runs/")) == [KEY]
    storage.delete(KEY)
    assert all((folder / name).read_text() == name for name in foreign)


def test_a_link_leads_nowhere_else(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "head.json").symlink_to(outside)
    storage = FolderStorage(folder)
    stored = storage.get("state/head.json")
    assert stored is not None
    storage.replace("state/head.json", b"{}", stored.version)
    assert outside.read_text() == "mine"


# Modes and places


@pytest.mark.row("C17")
@pytest.mark.parametrize(
    ("umask", "folders", "files"),
    [(0o022, 0o755, 0o644), (0o027, 0o750, 0o640), (0, 0o777, 0o666)],
    ids=["022", "027", "000"],
)
def test_modes_are_go_s_less_the_umask(
    tmp_path: Path, umask: int, folders: int, files: int
) -> None:
    folder = tmp_path / "a" / "b"
    before = os.umask(umask)
    try:
        storage = FolderStorage(folder)
        storage.create(KEY, b"[]")
        version = storage.create("state/head.json", b"{}")
        storage.replace("state/head.json", b"[]", version)
    finally:
        os.umask(before)
    for path in (folder.parent, folder, folder / "state", folder / ".checkup"):
        assert path.stat().st_mode & 0o777 == folders, path
    for path in (folder / NAME, folder / "index.json", folder / "state" / "head.json"):
        assert path.stat().st_mode & 0o777 == files, path


@pytest.mark.row("C31")
def test_an_empty_dir_is_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    FolderSettings(dir="").open(FakeClients()).create(KEY, b"[]")
    assert (tmp_path / NAME).exists()


def test_a_relative_dir_is_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = FolderSettings(dir="./check_files", url="http://unused").open(FakeClients())
    storage.create(KEY, b"[]")
    monkeypatch.chdir("/")
    assert storage.get(KEY)
    assert (tmp_path / "check_files" / NAME).exists()


def test_opening_and_reading_make_nothing(folder: Path) -> None:
    storage = FolderSettings(dir=str(folder)).open(FakeClients())
    assert storage.get(KEY) is None
    assert list(storage.list("runs/")) == list(storage.list("state/")) == []
    assert not folder.exists()


# What can be wrong


@pytest.mark.row("100")
def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("mine")
    storage = FolderStorage(path)
    for verb in (
        lambda: storage.get(KEY),
        lambda: storage.create(KEY, b"[]"),
        lambda: storage.replace(KEY, b"[]", "version"),
        lambda: list(storage.list("runs/")),
        lambda: list(storage.list("state/")),
        lambda: storage.delete(KEY),
        lambda: storage.lock("deliver").__enter__(),
    ):
        with pytest.raises(
            StorageError, match=f"{path}.*: a file exists where a folder is expected"
        ):
            verb()
    assert path.read_text() == "mine"


def test_a_folder_in_the_place_of_a_document_is_named(folder: Path) -> None:
    (folder / NAME).mkdir(parents=True)
    with pytest.raises(StorageError, match=f"cannot read .*{NAME}: a folder exists where"):
        FolderStorage(folder).get(KEY)


CHILD = """
import os, resource, signal, sys
from checkup.errors import StorageError
from checkup.storage.folder import FolderStorage

storage = FolderStorage(sys.argv[1])
version = sys.argv[3]
verbs = {
    "get": lambda: storage.get("state/head.json"),
    "create": lambda: storage.create("state/new.json", b"x" * 100_000),
    "replace": lambda: storage.replace("state/head.json", b"x" * 100_000, version),
    "delete": lambda: storage.delete("state/head.json"),
    "list": lambda: list(storage.list("state/")),
    "hold": lambda: storage.lock("deliver").__enter__(),
}
if sys.argv[4] == "nobody" and os.getuid() == 0:
    os.setuid(65534)
if sys.argv[4] == "full":
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    verbs[sys.argv[2]]()
except StorageError as error:
    print(error)
"""


def told_by_a_child(folder: Path, verb: str, trouble: str) -> str:
    """Return what a verb says in a process that may not write as it likes."""
    stored = FolderStorage(folder).get("state/head.json")
    assert stored is not None
    return subprocess.run(
        [sys.executable, "-c", CHILD, folder, verb, stored.version, trouble],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


@pytest.fixture
def readable_only() -> Iterator[Path]:
    """A folder that others may read and nobody but root may write; not below pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        FolderStorage(folder).create("state/head.json", b"{}")
        paths = [folder, *folder.rglob("*")]
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        try:
            yield folder
        finally:
            for path in paths:
                path.chmod(0o755)


@pytest.mark.row("100")
@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("create", "cannot write {}/state/new.json"),
        ("replace", "cannot write {}/state/head.json"),
        ("delete", "cannot delete {}/state/head.json"),
        ("hold", "cannot lock {}/.checkup/hold-deliver.lock"),
    ],
)
def test_a_folder_that_may_not_be_written_is_named(
    readable_only: Path, verb: str, said: str
) -> None:
    told = told_by_a_child(readable_only, verb, "nobody")
    assert told == f"{said.format(readable_only)}: permission denied\n"


@pytest.mark.row("100")
@pytest.mark.parametrize("verb", ["get", "list"])
def test_a_folder_that_may_not_be_written_is_read(readable_only: Path, verb: str) -> None:
    assert told_by_a_child(readable_only, verb, "nobody") == ""


@pytest.mark.row("100")
@pytest.mark.parametrize("verb", ["create", "replace"])
def test_a_write_that_does_not_fit_changes_nothing(folder: Path, verb: str) -> None:
    storage = FolderStorage(folder)
    storage.create("state/head.json", b"{}")
    said = told_by_a_child(folder, verb, "full")
    assert said.startswith(f"cannot write {folder}/state/")
    assert said.endswith(": file too large\n")
    stored = storage.get("state/head.json")
    assert stored is not None
    assert stored.body == b"{}"
    assert list(storage.list("state/")) == ["state/head.json"]
    assert not list((folder / ".checkup").glob("*.tmp"))
    storage.replace("state/head.json", b"[]", stored.version)  # and it recovers by itself


# Network file systems


MOUNTS = """\
1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 0:40 / /srv/status rw - nfs4 files.example:/status rw
3 2 8:2 / /srv/status/local rw - xfs /dev/sdb1 rw
4 1 0:41 / /mnt/our\\040share rw - cifs //files/ours rw
5 1 0:42 / /over rw - nfs4 files.example:/x rw
6 1 8:3 / /over rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/checkup", ""),
        ("/srv/status", "nfs4"),
        ("/srv/status/checks/state", "nfs4"),
        ("/srv/statusquo", ""),
        ("/srv/status/local/checks.db", ""),
        ("/mnt/our share/checks.db", "cifs"),
        ("/over/checks", ""),
    ],
)
def test_network_file_system_is_that_of_the_innermost_mount(
    tmp_path: Path, path: str, kind: str
) -> None:
    (tmp_path / "mountinfo").write_text(MOUNTS)

    assert network_file_system(Path(path), tmp_path / "mountinfo") == kind
    assert network_file_system(Path(path), tmp_path / "missing") == ""


def test_lock_of_a_network_file_system_proves_nothing(tmp_path: Path) -> None:
    shared, local = FolderStorage(tmp_path, is_network=True), FolderStorage(tmp_path)

    with shared.lock("deliver") as one, local.lock("deliver") as other:
        assert (one, other) == (LockState.UNSUPPORTED, LockState.ACQUIRED)
