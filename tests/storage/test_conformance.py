"""What every storage must do; each test runs over all of them, S3 over real HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import LockState, Storage
from checkup.model import RUNS_PREFIX
from checkup.times import SECOND
from tests.storage.places import Place

HEAD = "state/head.json"
START = 1_700_000_000_000_000_000


def run_key(number: int) -> str:
    return f"{RUNS_PREFIX}{START + number:019d}-check.json"


# Reading and creating


def test_absent_is_none(storage: Storage) -> None:
    assert storage.get(HEAD) is None
    assert storage.get(run_key(0)) is None


@pytest.mark.parametrize("key", [HEAD, run_key(1)], ids=["document", "run"])
@pytest.mark.parametrize(
    "body",
    [b"[]", b"", b"{}\n", b"\n", b"\xff\x00", "\u00e9\U0001f600".encode(), b"x" * 300_000],
    ids=["json", "empty", "line", "newline", "binary", "unicode", "long"],
)
def test_what_is_created_is_read_back(place: Place, key: str, body: bytes) -> None:
    storage = place.open()
    if place.text_runs and key != HEAD and b"\xff" in body:
        with pytest.raises(StorageError, match="not valid UTF-8"):
            storage.create(key, body)
        return
    version = storage.create(key, body)
    stored = storage.get(key)
    assert stored is not None
    assert (stored.body, stored.version) == (body, version)


def test_a_key_may_be_deep_and_have_any_sign(storage: Storage) -> None:
    keys = ["late/eu/x", "a/b/c/d-1_2.json", "q/=@:+!~$&%20'()", "a/" + "x" * 255]
    for key in keys:
        storage.create(key, key.encode())
    for key in keys:
        stored = storage.get(key)
        assert stored is not None
        assert stored.body == key.encode()
        assert key in storage.list(key[: key.rindex("/") + 1])


def test_another_instance_sees_the_same(place: Place) -> None:
    version = place.open().create(HEAD, b"{}")
    stored = place.open().get(HEAD)
    assert stored is not None
    assert stored.version == version


def test_create_fails_where_something_is_and_leaves_it(storage: Storage) -> None:
    storage.create(HEAD, b"first")
    with pytest.raises(DocumentExistsError, match=r"head\.json already exists"):
        storage.create(HEAD, b"second")
    stored = storage.get(HEAD)
    assert stored is not None
    assert stored.body == b"first"


def test_create_of_the_same_bytes_fails_all_the_same(storage: Storage) -> None:
    storage.create(run_key(0), b"[]")
    with pytest.raises(DocumentExistsError):
        storage.create(run_key(0), b"[]")


@pytest.mark.row("98")
def test_two_runs_in_one_nanosecond_do_not_overwrite_each_other(storage: Storage) -> None:
    storage.create(run_key(0), b"[1]")
    storage.create(run_key(1), b"[2]")
    with pytest.raises(DocumentExistsError):
        storage.create(run_key(0), b"[3]")
    assert list(storage.list(RUNS_PREFIX)) == [run_key(0), run_key(1)]


# Replacing


def test_replace_needs_the_version_that_was_read(storage: Storage) -> None:
    first = storage.create(HEAD, b"1")
    second = storage.replace(HEAD, b"2", first)
    assert second != first
    with pytest.raises(DocumentChangedError, match=r"head\.json has changed since it was read"):
        storage.replace(HEAD, b"3", first)
    stored = storage.get(HEAD)
    assert stored is not None
    assert (stored.body, stored.version) == (b"2", second)


def test_replace_returns_the_version_for_the_next_one(storage: Storage) -> None:
    version = storage.create(HEAD, b"0")
    for number in range(1, 5):
        version = storage.replace(HEAD, str(number).encode(), version)
    stored = storage.get(HEAD)
    assert stored is not None
    assert (stored.body, stored.version) == (b"4", version)


def test_replace_by_the_same_bytes_is_allowed(storage: Storage) -> None:
    version = storage.create(HEAD, b"{}")
    again = storage.replace(HEAD, b"{}", version)
    stored = storage.get(HEAD)
    assert stored is not None
    assert stored.version == again


@pytest.mark.row("89")
def test_replace_of_what_is_gone_does_not_bring_it_back(storage: Storage) -> None:
    version = storage.create(HEAD, b"{}")
    storage.delete(HEAD)
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"{}", version)
    assert storage.get(HEAD) is None


def test_replace_of_what_never_was_fails(storage: Storage) -> None:
    version = storage.create("state/other.json", b"{}")
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"{}", version)


def test_a_version_never_passes_for_other_bytes(storage: Storage) -> None:
    """Back to old bytes may mean back to the old version, but of those in between none counts."""
    a = storage.create(HEAD, b"a")
    b = storage.replace(HEAD, b"b", a)
    again = storage.replace(HEAD, b"a", b)
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"c", b)
    storage.replace(HEAD, b"c", again)


def test_a_document_made_anew_is_another_version(storage: Storage) -> None:
    version = storage.create(HEAD, b"old")
    storage.delete(HEAD)
    storage.create(HEAD, b"new")
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"x", version)


def test_a_version_of_nobody_is_refused(storage: Storage) -> None:
    storage.create(HEAD, b"{}")
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"x", '"0123456789abcdef0123456789abcdef"')


# Deleting


def test_delete_removes_and_need_not_find_anything(storage: Storage) -> None:
    for key in (HEAD, run_key(0)):
        storage.create(key, b"[]")
        storage.delete(key)
        storage.delete(key)
        assert storage.get(key) is None
        assert list(storage.list(key[: key.index("/") + 1])) == []
        storage.create(key, b"[]")


def test_delete_leaves_the_others(storage: Storage) -> None:
    for number in range(3):
        storage.create(run_key(number), b"[]")
    storage.delete(run_key(1))
    assert list(storage.list(RUNS_PREFIX)) == [run_key(0), run_key(2)]


@pytest.mark.row("C22")
def test_storing_never_deletes_by_itself(storage: Storage) -> None:
    ancient = f"{RUNS_PREFIX}{1:019d}-check.json"
    storage.create(ancient, b"[]")
    for number in range(5):
        storage.create(run_key(number), b"[]")
    assert next(storage.list(RUNS_PREFIX)) == ancient


# Listing


def test_nothing_is_listed_where_nothing_is(storage: Storage) -> None:
    assert list(storage.list(RUNS_PREFIX)) == []
    assert list(storage.list("state/")) == []


def test_keys_come_in_order_whatever_the_order_of_writing(storage: Storage) -> None:
    numbers = [7, 3, 9, 0, 5]
    for number in numbers:
        storage.create(run_key(number), b"[]")
    assert list(storage.list(RUNS_PREFIX)) == [run_key(number) for number in sorted(numbers)]


def test_order_is_that_of_the_whole_key(storage: Storage) -> None:
    keys = ["h/a-b", "h/a.b", "h/a/b", "h/a/z", "h/a0", "h/aB", "h/ab", "h/b"]
    for key in reversed(keys):
        storage.create(key, b"")
    assert list(storage.list("h/")) == sorted(keys) == keys


def test_folders_do_not_mix(storage: Storage) -> None:
    for key in (HEAD, run_key(0), f"late/{START:019d}-check.json", "runs-not/x", "state2/x"):
        storage.create(key, b"[]")
    assert list(storage.list(RUNS_PREFIX)) == [run_key(0)]
    assert list(storage.list("state/")) == [HEAD]
    assert list(storage.list("late/")) == [f"late/{START:019d}-check.json"]


def test_a_prefix_may_end_within_a_name(storage: Storage) -> None:
    for key in ("h/2024-01-01", "h/2024-01-02", "h/2024-02-01", "h/2024/x"):
        storage.create(key, b"")
    assert list(storage.list("h/2024-01")) == ["h/2024-01-01", "h/2024-01-02"]
    for number in (1, 2, 30):
        storage.create(run_key(number), b"[]")
    assert list(storage.list(f"{RUNS_PREFIX}170000000000000000")) == [run_key(1), run_key(2)]


@pytest.mark.parametrize(
    ("after", "numbers"),
    [
        ("", [1, 2, 3]),
        (RUNS_PREFIX, [1, 2, 3]),
        (run_key(0), [1, 2, 3]),
        (run_key(1), [2, 3]),
        (f"{RUNS_PREFIX}{START + 2:019d}", [2, 3]),
        (run_key(3), []),
        ("a", [1, 2, 3]),
        ("z", []),
    ],
    ids=["none", "folder", "absent", "first", "partial", "last", "folder before", "folder behind"],
)
def test_list_begins_after_a_key_that_need_not_exist(
    storage: Storage, after: str, numbers: list[int]
) -> None:
    for number in (1, 2, 3):
        storage.create(run_key(number), b"[]")
    assert list(storage.list(RUNS_PREFIX, after)) == [run_key(number) for number in numbers]


def test_list_begins_after_a_document_too(storage: Storage) -> None:
    for name in ("a", "b", "c"):
        storage.create(f"h/{name}", b"")
    assert list(storage.list("h/", "h/a")) == ["h/b", "h/c"]
    assert list(storage.list("h/", "h/")) == ["h/a", "h/b", "h/c"]
    assert list(storage.list("h/", "i")) == []


@pytest.mark.row("92", "C21")
def test_more_than_a_page_is_listed_to_the_end(place: Place) -> None:
    storage = place.open()
    number = place.page + 5
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: storage.create(run_key(n), b"[]"), range(number)))
    assert list(storage.list(RUNS_PREFIX)) == [run_key(n) for n in range(number)]
    assert list(storage.list(RUNS_PREFIX, run_key(1))) == [run_key(n) for n in range(2, number)]


# Keys


NO_KEYS = [
    *("", "head.json", "/etc/passwd", "a/../../etc/passwd", "../x/y", "a/./b", "a//b", "a/"),
    *("a/.hidden", ".checkup/x", "a\\b/c", "a/b c", "a/\u00e9", "a/\n", "a/\0", "a/b\n"),
    *("runs/x.json", "runs/a/b", "runs/15-check.json", f"runs/x/{START}-check.json"),
    *("a/" + "x" * 256, "a/" * 600 + "b"),
]


@pytest.mark.row("173")
@pytest.mark.parametrize("verb", ["get", "create", "replace", "delete"])
def test_what_cannot_be_a_key_is_refused(storage: Storage, verb: str) -> None:
    more = {"create": (b"",), "replace": (b"", "version")}.get(verb, ())
    for key in NO_KEYS:
        with pytest.raises(StorageError, match="invalid key"):
            getattr(storage, verb)(key, *more)


def test_only_a_folder_can_be_listed(storage: Storage) -> None:
    for prefix in ("", "runs", "/", "../", "a/../", ".checkup/", "a//", "\u00e9/"):
        with pytest.raises(StorageError, match="invalid prefix"):
            list(storage.list(prefix))


# Races

RACERS = 8


def race(place: Place, act: Callable[[Storage, int], object]) -> list[object]:
    """Let every racer act at once, each on an instance of its own; return what came of it."""
    barrier = Barrier(RACERS)

    def racer(number: int) -> object:
        storage = place.open()
        barrier.wait()
        try:
            return act(storage, number)
        except (DocumentExistsError, DocumentChangedError) as no:
            return type(no)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(racer, range(RACERS)))


@pytest.mark.row("88")
@pytest.mark.parametrize("key", [HEAD, run_key(0)], ids=["document", "run"])
def test_of_racing_creators_exactly_one_wins(place: Place, key: str) -> None:
    outcomes = race(place, lambda storage, n: storage.create(key, f"[{n}]".encode()))
    assert outcomes.count(DocumentExistsError) == RACERS - 1
    (winner,) = (n for n, outcome in enumerate(outcomes) if outcome is not DocumentExistsError)
    stored = place.open().get(key)
    assert stored is not None
    assert (stored.body, stored.version) == (f"[{winner}]".encode(), outcomes[winner])


@pytest.mark.row("88")
def test_of_racing_replacers_exactly_one_wins(place: Place) -> None:
    version = place.open().create(HEAD, b"0")
    outcomes = race(place, lambda storage, n: storage.replace(HEAD, b"by %d" % n, version))
    assert outcomes.count(DocumentChangedError) == RACERS - 1
    (winner,) = (n for n, outcome in enumerate(outcomes) if outcome is not DocumentChangedError)
    stored = place.open().get(HEAD)
    assert stored is not None
    assert stored.body == b"by %d" % winner


@pytest.mark.row("88")
def test_no_increment_is_lost(place: Place) -> None:
    place.open().create(HEAD, b"0")

    def increment(storage: Storage, _: int) -> None:
        while True:
            stored = storage.get(HEAD)
            assert stored is not None
            try:
                storage.replace(HEAD, str(int(stored.body) + 1).encode(), stored.version)
            except DocumentChangedError:
                continue
            return

    race(place, increment)
    stored = place.open().get(HEAD)
    assert stored is not None
    assert int(stored.body) == RACERS


# Time and claims


def test_the_clock_is_about_right_and_does_not_go_back(storage: Storage) -> None:
    storage.get(HEAD)
    before = storage.now_ns()
    storage.create(HEAD, b"{}")
    assert before <= storage.now_ns()
    assert abs(storage.now_ns() - time.time_ns()) < 60 * SECOND


def test_the_clock_can_be_asked_first(storage: Storage) -> None:
    assert abs(storage.now_ns() - time.time_ns()) < 60 * SECOND


def test_a_right_is_held_by_one_or_not_supported(place: Place) -> None:
    one, other = place.open(), place.open()
    with one.lock("deliver") as mine, other.lock("deliver") as theirs:
        assert (mine, theirs) in {
            (LockState.ACQUIRED, LockState.HELD_ELSEWHERE),
            (LockState.UNSUPPORTED, LockState.UNSUPPORTED),
        }
    with other.lock("deliver") as freed:
        assert freed is mine


def test_rights_of_other_names_are_others(storage: Storage) -> None:
    with storage.lock("deliver") as one, storage.lock("expire") as other:
        assert one is other
        assert one is not LockState.HELD_ELSEWHERE


def test_a_right_ends_with_an_exception(storage: Storage) -> None:
    with pytest.raises(OSError, match="mine"), storage.lock("deliver") as mine:
        raise OSError("mine")
    with storage.lock("deliver") as again:
        assert again is mine
