"""The ``checkers`` of the file, with what they inherit from their group and from the file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, NoReturn

from msgspec import Struct, structs

from checkup.config.fields import FieldValues, InvalidObjectError, SettingsReader, fields_of
from checkup.config.sections import GroupEntry, KindChoice, find_kind, list_items
from checkup.config.settings import Config
from checkup.config.source import Diagnostics, Member, Node, ObjectNode, ScalarNode
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker
from checkup.interfaces.kinds import Registry
from checkup.text import mask_address

# Ids: unique, stable, and never a way to tell a secret.


_ALLOWED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_LONGEST_SLUG = 64
_HASH = 8


class CheckerEntry(Struct, frozen=True):
    """A checker that has been read, and where it stands.

    Attributes:
        unexpanded: the checker as it is written in the file, with ``${…}`` left in place: ids
            must not change with the environment, nor give it away.
    """

    checker: Checker
    unexpanded: Checker
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
        if not entry.checker.title.strip() and not isinstance(entry.checker, InvalidChecker):
            text = "has no name, by which alerts and the page call it"
            reading.report.warn(entry.at, entry.key, text, 'add "endpoint_name"')
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
        text = "an id consists of up to 100 letters and digits, with . _ or - between them"
        reading.report.error(place.offset, f"{entry.key}.id", text)
    elif first := taken.get(name.casefold()):
        line = reading.report.line(first.members["id"].offset)
        text = f'id "{name}" is already used by {first.key} on line {line}'
        reading.report.error(
            place.offset, f"{entry.key}.id", text, "ids must be unique; change one"
        )
    taken.setdefault(name.casefold(), entry)


def _with_id(
    reading: SettingsReader,
    entry: CheckerEntry,
    taken: dict[str, CheckerEntry],
    twins: Counter[str],
) -> Checker:
    if entry.checker.id:
        return entry.checker
    bare = slug(entry.unexpanded.title)
    name = bare
    if not bare or bare in taken:
        name = _next_free(f"{bare or entry.checker.kind}-{_hash(entry)}", taken, twins)
    if bare in taken:
        is_same = _folded(entry.unexpanded.title) == _folded(taken[bare].unexpanded.title)
        what = "has the same title as" if is_same else "has a title much like that of"
        text = f'{what} {taken[bare].key}; its id is "{name}"'
        reading.report.warn(entry.at, entry.key, text, 'set an "id" for each')
    taken[name] = entry
    return structs.replace(entry.checker, id=name)


def _folded(title: str) -> str:
    return unicodedata.normalize("NFKC", title).casefold()


def _next_free(name: str, taken: Mapping[str, CheckerEntry], twins: Counter[str]) -> str:
    """Return the name, or the first of ``name-2``, ``name-3`` … that nobody has."""
    while True:
        twins[name] += 1
        free = name if twins[name] == 1 else f"{name}-{twins[name]}"
        if free not in taken:
            return free


def _hash(entry: CheckerEntry) -> str:
    """Eight digits for the kind and the address; passwords and query values do not count."""
    address = mask_address(entry.unexpanded.endpoint)
    return hashlib.sha256(f"{entry.checker.kind} {address}".encode()).hexdigest()[:_HASH]


# What stands for a checker whose configuration cannot be used: nothing is known of it.
#
# A deployed stack goes on with the good checkers of a bad file. The others keep their places, so
# that the page shows them as unknown, and not as if they had never been.


_KEPT: Final = ("endpoint_name", "id", "group", "description", "link", "hidden", "public_name")
"""What places it on the page, or keeps it off."""

_PRIVATE: Final = frozenset({".hidden", ".public_name"})
"""Where one of these is wrong, it cannot be known what must not be public."""

_PLACE: Final = re.compile(r"checkers\[(\d+)\]")


class InvalidChecker(Checker, frozen=True, kw_only=True):
    """A checker that cannot look, for its configuration has an error."""

    kind: ClassVar[str] = "misread"

    def attempt(self, deadline: Deadline) -> NoReturn:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        del deadline
        raise CheckUnknownError("config", "its configuration has an error")


def invalid_checker(
    reading: SettingsReader, members: Mapping[str, Member], inherited: Mapping[str, Any]
) -> InvalidChecker:
    """Return what stands for a checker that could not be made; nothing more is noted.

    Args:
        members: those that can be read, by their names in lower case.
        inherited: defaults, of which ``hidden`` matters here.
    """
    kept = {name: member for name, member in members.items() if name in _KEPT}
    if "name" in members:  # another spelling of it, where there are both the one to show
        kept["endpoint_name"] = members["name"]
    quiet = SettingsReader(Diagnostics("", reading.report.text), reading.environment)
    values = quiet.read_fields(fields_of(InvalidChecker), kept, "").values
    return InvalidChecker(**{"hidden": inherited.get("hidden", False), **values})


def replace_invalid_checkers(config: Config, errors: Iterable[str]) -> Config:
    """Return the configuration with every checker that has an error replaced.

    Args:
        errors: the keys of all errors, such as ``checkers[2].timeout``.
    """
    wrong: dict[int, set[str]] = {}
    for key in errors:
        if place := _PLACE.match(key):
            wrong.setdefault(int(place[1]), set()).add(key[place.end() :])
    checkers = tuple(
        _misread(checker, wrong[number]) if number in wrong else checker
        for number, checker in enumerate(config.checkers)
    )
    return structs.replace(config, checkers=checkers)


def _misread(checker: Checker, wrong: set[str]) -> InvalidChecker:
    kept = {name: getattr(checker, name) for name in _KEPT} | {"endpoint_name": checker.title}
    if not wrong.isdisjoint(_PRIVATE):
        kept["hidden"] = True
    return InvalidChecker(**kept)


_PASSWORD = re.compile(r"://[^/?#\s:@]*:(?!\$\{)[^/?#\s@]+@")


def read_checkers(
    reading: SettingsReader,
    registry: Registry[Checker],
    node: Node | None,
    defaults: Mapping[str, Any],
    groups: Sequence[GroupEntry],
) -> list[CheckerEntry]:
    """Return an entry for each checker of the file, without ids.

    A value is the checker's own, else that of its group, of the file, of its kind.
    """
    inherited = {group.settings.name: {**defaults, **group.defaults} for group in groups}
    entries = []
    for item, key in list_items(reading, node, "checkers"):
        try:
            entries.append(_checker(reading, registry, item, key, (defaults, inherited)))
        except InvalidObjectError:
            entries.append(_salvaged(reading, item, key, defaults))
    return entries


def _checker(
    reading: SettingsReader,
    registry: Registry[Checker],
    node: Node,
    key: str,
    inherited: tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]],
) -> CheckerEntry:
    found = find_kind(reading, KindChoice(registry, "checker"), node, key)
    _drop_foreign_tags(reading, found.members, key)
    fields = fields_of(found.kind)
    draft = reading.read_fields(fields, found.members, key)
    reading.require_fields(fields, draft, found.at, key)
    for_all, by_group = inherited
    values = {**by_group.get(draft.values.get("group", ""), for_all), **draft.values}
    values["attempts"] = _attempts(reading, values.get("attempts", 1), found.members, key)
    checker: Checker = reading.build(
        found.kind, FieldValues(values, {}, draft.failed, draft.members), found.at, key
    )
    _warn_of_password(reading, found.members, key)
    return CheckerEntry(checker, _as_written(checker, draft), found.at, key, found.members)


def _salvaged(
    reading: SettingsReader, node: Node, key: str, defaults: Mapping[str, Any]
) -> CheckerEntry:
    members = {
        member.key.casefold(): member
        for member in (node.members if isinstance(node, ObjectNode) else ())
    }
    checker = invalid_checker(reading, members, defaults)
    return CheckerEntry(checker, checker, node.offset, key, members)


def _attempts(reading: SettingsReader, number: int, members: Mapping[str, Member], key: str) -> int:
    """Return the number of attempts: at least one, as in the Go program."""
    if number < 0:
        at = members["attempts"].value.offset
        reading.report.warn(at, f"{key}.attempts", "is less than 1; one attempt is made")
    return max(1, number)


def _as_written(checker: Checker, draft: FieldValues) -> Checker:
    """Return the checker with ``${…}`` left in place, unless its kind cannot be made so."""
    if draft.unexpanded:
        with suppress(ValueError):
            return structs.replace(checker, **draft.unexpanded)
    return checker


def _drop_foreign_tags(reading: SettingsReader, members: dict[str, Member], key: str) -> None:
    """Ignore ``tags`` of a shape that is not ours: the Go program ignored any."""
    tags = members.get("tags")
    if tags is not None and isinstance(tags.value, ObjectNode):
        del members["tags"]
        fix = 'write a list: ["one", "two"]'
        reading.report.warn(tags.offset, f"{key}.{tags.key}", "tags must be a list; ignored", fix)


def _warn_of_password(reading: SettingsReader, members: Mapping[str, Member], key: str) -> None:
    address = members["endpoint_url"].value if "endpoint_url" in members else None
    if isinstance(address, ScalarNode) and _PASSWORD.search(address.text):
        text, fix = "password in plain text", 'use "${NAME}"'
        reading.report.warn(address.offset, f"{key}.endpoint_url", text, fix)
