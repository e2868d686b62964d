"""The sections of the file that are not checkers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from checkup.alerting.quorum import MAJORITY, is_quorum
from checkup.config.channels import Entry
from checkup.config.fields import Fields, Read, fields_of
from checkup.config.kinds import Choice, find_kind, read_settings
from checkup.config.reading import Draft, Reading, Refused
from checkup.config.scalars import Wrong
from checkup.config.settings import GROUP_DEFAULTS, GroupSettings, concurrency_refusal
from checkup.config.tree import Array, Node, Object, Scalar, describe, is_null
from checkup.ports import Checker, NotifierSettings, PublisherSettings, StorageSettings
from checkup.registry import Registry


class Group(Struct, frozen=True):
    """A group and what its checkers inherit."""

    settings: GroupSettings
    defaults: Mapping[str, Any]


def items(reading: Reading, node: Node | None, key: str) -> Iterator[tuple[Node, str]]:
    """Yield the elements of a list that may be absent or null, with their keys."""
    if node is None or is_null(node):
        return
    if isinstance(node, Array):
        yield from ((item, f"{key}[{index}]") for index, item in enumerate(node.items))
    else:
        text = f"expected a list, found {describe(node)}"
        reading.report.error(node.at, key, text, "put it in [ ]")


def read_groups(reading: Reading, node: Node | None) -> tuple[Group, ...]:
    """Return the groups; a text alone is a group of that name."""
    groups: dict[str, Group] = {}
    for item, key in items(reading, node, "groups"):
        for group in reading.attempt(_group, item, key):
            name = group.settings.name
            if name in groups:
                reading.report.error(item.at, key, f'there is a group "{name}" already')
            groups[name] = group
    return tuple(groups.values())


def read_storage(
    reading: Reading, registry: Registry[StorageSettings], node: Node | None
) -> StorageSettings | None:
    """Return the storage; ``null`` and ``{}`` are none."""
    if node is None or is_null(node):
        return None
    if isinstance(node, Object) and not node.members:
        reading.report.warn(node.at, "storage", "is empty: nothing is stored", "give it a type")
        return None
    try:
        found = find_kind(reading, Choice(registry, "storage", "provider"), node, "storage")
        settings: StorageSettings = read_settings(reading, found)
    except Refused:
        return None
    return settings


def read_publish(
    reading: Reading, registry: Registry[PublisherSettings], node: Node | None
) -> PublisherSettings | None:
    """Return where the page is put; None if that is not said, or there is no page here."""
    if node is None or is_null(node) or not registry:
        return None
    try:
        found = find_kind(reading, Choice(registry, "publish"), node, "publish")
        settings: PublisherSettings = read_settings(reading, found)
    except Refused:
        return None
    return settings


def read_notifiers(
    reading: Reading, registry: Registry[NotifierSettings], sections: Mapping[str, Node]
) -> tuple[Entry, ...]:
    """Return the notifiers: the single one of old files first, as the Go program does."""
    single = [(sections["notifier"], "notifier")] if "notifier" in sections else []
    found = []
    for node, key in (*single, *items(reading, sections.get("notifiers"), "notifiers")):
        if _is_nameless(node):
            reading.report.warn(node.at, key, "has an empty name: nobody is told", "give it a type")
            continue
        try:
            kind = find_kind(reading, Choice(registry, "notifier", "name"), node, key)
            found.append(Entry(read_settings(reading, kind), node.at, key))
        except Refused:
            continue
    return tuple(found)


def read_concurrency(reading: Reading, node: Node | None) -> int:
    """Return how many checkers run at once; 0 for as many as it takes.

    A negative number is a warning here and an error where checkers run: see
    :attr:`Config.concurrency`.
    """
    number = _lenient(reading, Reading.integer, node, "concurrent_checks")
    if node is not None and number < 0:
        reading.report.warn(node.at, "concurrent_checks", *concurrency_refusal(number))
    return number


def read_timestamp(reading: Reading, node: Node | None) -> int:
    """Return the moment that replaces the time of every result; 0 for none."""
    return _lenient(reading, Reading.moment, node, "timestamp")


def read_quorum(reading: Reading, node: Node | None) -> str:
    """Return how many regions must see an outage; a number may be written as one."""
    if node is None or is_null(node):
        return MAJORITY
    text = node.text if isinstance(node, Scalar) else ""
    if not is_quorum(text):
        known = "majority, all, any or how many regions"
        reading.report.error(node.at, "quorum", f"is {describe(node)}", f"write {known}")
        return MAJORITY
    return text


def _lenient(reading: Reading, read: Read, node: Node | None, key: str) -> int:
    """Read a value that the Go program ignores when it is wrong."""
    if node is None or is_null(node):
        return 0
    try:
        return int(read(reading, node, key))
    except Wrong as wrong:
        reading.report.warn(node.at, key, f"{wrong.text}; ignored", wrong.fix)
        return 0


def _group(reading: Reading, node: Node, key: str) -> Group:
    if isinstance(node, Scalar):
        return Group(GroupSettings(name=reading.string(node, key)), {})
    if not isinstance(node, Object):
        raise Wrong(f"expected a group, found {describe(node)}", 'write {"name": "..."}')
    draft = reading.fill(_group_fields(), reading.members(node, key), key)
    reading.require(fields_of(GroupSettings), draft, node.at, key)
    own = {name: value for name, value in draft.values.items() if name not in GROUP_DEFAULTS}
    inherited = {name: value for name, value in draft.values.items() if name in GROUP_DEFAULTS}
    settings = reading.make(GroupSettings, Draft(own, {}, draft.failed), node.at, key)
    return Group(settings, inherited)


def _is_nameless(node: Node) -> bool:
    """Whether this is ``{"name": ""}``, which a fork of the Go program took for none."""
    if not isinstance(node, Object):
        return False
    said = {member.key.casefold(): member.value for member in node.members}
    name = said.get("name")
    return "type" not in said and isinstance(name, Scalar) and not name.text


@lru_cache(maxsize=1)
def _group_fields() -> Fields:
    own = fields_of(GroupSettings).table.values()
    return Fields.of(*own, *fields_of(Checker).pick(GROUP_DEFAULTS))
