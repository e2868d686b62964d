"""Ids: unique, stable, and never a way to tell a secret."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from checkup.config.reading import SettingsReader
from checkup.config.tree import Member
from checkup.ports import Checker
from checkup.redaction import mask_address

_ALLOWED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_LONGEST_SLUG = 64
_HASH = 8


class CheckerEntry(Struct, frozen=True):
    """A checker that has been read, and where it stands.

    Attributes:
        written: the checker as it is written in the file, with ``${…}`` left in place: ids
            must not change with the environment, nor give it away.
    """

    checker: Checker
    written: Checker
    at: int
    key: str
    members: dict[str, Member]


def assign_ids(reading: SettingsReader, entries: Sequence[CheckerEntry]) -> tuple[Checker, ...]:
    """Give each checker without an id the slug of its title; note ids that cannot be.

    Configured ids come first. Among checkers of one title the first in the file keeps the
    bare slug, and each of the others has a hash of its own kind and address appended: adding
    another at the end, or removing one of them, changes nobody else's id. Only who removes or
    moves the first one hands its slug on, hence the warning.
    """
    taken: dict[str, CheckerEntry] = {}
    for entry in entries:
        if entry.checker.id:
            _claim(reading, entry, taken)
    twins = Counter[str]()
    return tuple(_with_id(reading, entry, taken, twins) for entry in entries)


def slug(title: str) -> str:
    """Return the title in small letters, digits and hyphens; empty if it has none of them."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain.lower())
    return "-".join(words)[:_LONGEST_SLUG].rstrip("-")


def _claim(reading: SettingsReader, entry: CheckerEntry, taken: dict[str, CheckerEntry]) -> None:
    name, place = entry.checker.id, entry.members["id"].value
    if not _ALLOWED.fullmatch(name):
        text = "an id has letters, digits, and between them . _ or -, up to 100"
        reading.report.error(place.at, f"{entry.key}.id", text)
    elif first := taken.get(name.casefold()):
        line = reading.report.line(first.members["id"].at)
        text = f'the id "{name}" is taken by {first.key} on line {line}'
        reading.report.error(place.at, f"{entry.key}.id", text, "ids are unique; change one")
    taken.setdefault(name.casefold(), entry)


def _with_id(
    reading: SettingsReader,
    entry: CheckerEntry,
    taken: dict[str, CheckerEntry],
    twins: Counter[str],
) -> Checker:
    if entry.checker.id:
        return entry.checker
    bare = slug(entry.written.title)
    name = bare
    if not bare or bare in taken:
        name = _next_free(f"{bare or entry.checker.kind}-{_hash(entry)}", taken, twins)
    if bare in taken:
        text = f'has the same name as {taken[bare].key} and is given the id "{name}"'
        reading.report.warn(entry.at, entry.key, text, 'add an "id" of your own to each')
    taken[name] = entry
    return structs.replace(entry.checker, id=name)


def _next_free(name: str, taken: Mapping[str, CheckerEntry], twins: Counter[str]) -> str:
    """Return the name, or the first of ``name-2``, ``name-3`` … that nobody has."""
    while True:
        twins[name] += 1
        free = name if twins[name] == 1 else f"{name}-{twins[name]}"
        if free not in taken:
            return free


def _hash(entry: CheckerEntry) -> str:
    """Eight digits for the kind and the address; passwords and query values do not count."""
    address = mask_address(entry.written.endpoint)
    return hashlib.sha256(f"{entry.checker.kind} {address}".encode()).hexdigest()[:_HASH]
