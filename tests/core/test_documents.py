"""Stored documents: decoded with care, changed by compare-and-set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import Struct

from checkup.deadline import Deadline
from checkup.documents import compare_and_set, decode, encode, load, update
from checkup.errors import (
    DocumentChangedError,
    DocumentExistsError,
    NewerDocumentError,
    StorageError,
    UnreadableDocumentError,
)
from checkup.storage.memory import MemoryStorage


class Counter(Struct, frozen=True, kw_only=True):
    """A document; its fields are not in the order of their names."""

    schema: int = 1
    count: int = 0


def counted(document: Counter) -> Counter:
    return Counter(count=document.count + 1)


class Attempts:
    """An attempt that fails with each of these errors in turn, then returns their number."""

    def __init__(self, *errors: StorageError) -> None:
        self._errors: Iterator[StorageError] = iter(errors)
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        for error in self._errors:
            raise error
        return self.made


CHANGED, EXISTS = DocumentChangedError("changed"), DocumentExistsError("exists")
FAILED = StorageError("no answer")


@pytest.mark.parametrize(
    "errors",
    [(), (CHANGED,) * 49, (EXISTS, CHANGED) * 24, (FAILED,) * 2, (FAILED, *[CHANGED] * 49, FAILED)],
)
def test_an_attempt_is_repeated_until_it_succeeds(errors: tuple[StorageError, ...]) -> None:
    attempts = Attempts(*errors)
    assert compare_and_set(attempts, "it") == len(errors) + 1


@pytest.mark.parametrize(
    ("errors", "made", "text"),
    [
        ((CHANGED,) * 50, 50, "it: other writers were faster 50 times"),
        ((FAILED,) * 3, 3, "no answer"),
        ((NewerDocumentError("newer version"),), 1, "newer version"),
    ],
)
def test_attempts_end_at_some_time(errors: tuple[StorageError, ...], made: int, text: str) -> None:
    attempts = Attempts(*errors)
    with pytest.raises(StorageError, match=text):
        compare_and_set(attempts, "it")
    assert attempts.made == made


@pytest.mark.parametrize("error", [CHANGED, FAILED])
def test_no_second_attempt_begins_after_the_deadline(error: StorageError) -> None:
    attempts = Attempts(error)
    with pytest.raises(StorageError):
        compare_and_set(attempts, "it", deadline=Deadline.after(-1))
    assert attempts.made == 1
    assert compare_and_set(Attempts(), "it", deadline=Deadline.after(-1)) == 1
    assert compare_and_set(Attempts(error), "it", deadline=Deadline.after(60)) == 2


def test_equal_documents_have_equal_bytes_in_either_order() -> None:
    assert encode(Counter(), order="sorted") == b'{"count":0,"schema":1}'
    assert encode(Counter(), order="deterministic") == b'{"schema":1,"count":0}'
    assert encode({"b": 1, "a": 2}, order="deterministic") == b'{"a":2,"b":1}'


@pytest.mark.row("94")
@pytest.mark.parametrize("body", [b"", b"[]", b'{"schema":0}', b'{"schema":1,"count":"x"}'])
def test_bytes_that_are_no_document_are_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"^invalid document: "):
        decode(body, Counter)
    with pytest.raises(UnreadableDocumentError, match="9 bytes are too many"):
        decode(b'{"schema"', Counter, max_bytes=8)


def test_an_update_changes_what_is_there() -> None:
    storage = MemoryStorage()
    for count in (1, 2):
        written = update(storage, "some/key.json", Counter, counted)
        assert written.document == Counter(count=count)
        assert load(storage, "some/key.json", Counter) == written
    assert written.stored is not None
    assert written.stored.body == b'{"schema":1,"count":2}'


@pytest.mark.row("94")
def test_an_update_keeps_unreadable_bytes_apart() -> None:
    storage = MemoryStorage()
    storage.create("some/key.json", b"garbage")
    assert load(storage, "some/key.json", Counter).document is None
    assert update(storage, "some/key.json", Counter, counted).document == Counter(count=1)
    (kept,) = storage.list("quarantine/")
    stored = storage.get(kept)
    assert stored is not None
    assert stored.body == b"garbage"


@pytest.mark.row("96")
def test_an_update_leaves_a_newer_document_alone() -> None:
    storage = MemoryStorage()
    storage.create("some/key.json", b'{"schema":2}')
    with pytest.raises(NewerDocumentError, match=r"^some/key.json: a newer version"):
        update(storage, "some/key.json", Counter, counted)
    stored = storage.get("some/key.json")
    assert stored is not None
    assert stored.body == b'{"schema":2}'
