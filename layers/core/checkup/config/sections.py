"""The sections of the file that are not checkers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from checkup.alerting.quorum import MAJORITY, is_valid_quorum
from checkup.config.channels import NotifierEntry
from checkup.config.fields import FieldReader, FieldTable, fields_of
from checkup.config.kinds import KindChoice, find_kind, read_settings
from checkup.config.reading import FieldValues, InvalidObjectError, SettingsReader
from checkup.config.scalars import InvalidValueError
from checkup.config.settings import GROUP_DEFAULT_KEYS, GroupSettings, invalid_concurrency
from checkup.config.tree import ArrayNode, Node, ObjectNode, ScalarNode, describe, is_null
from checkup.ports import Checker, NotifierSettings, PublisherSettings, StorageSettings
from checkup.registry import Registry


class GroupEntry(Struct, frozen=True):
    """A group and what its checkers inherit."""

    settings: GroupSettings
    defaults: Mapping[str, Any]


def list_items(reading: SettingsReader, node: Node | None, key: str) -> Iterator[tuple[Node, str]]:
    """Yield the elements of a list that may be absent or null, with their keys."""
    if node is None or is_null(node):
        return
    if isinstance(node, ArrayNode):
        yield from ((item, f"{key}[{index}]") for index, item in enumerate(node.items))
    else:
        text = f"expected a list, found {describe(node)}"
        reading.report.error(node.at, key, text, "put it in [ ]")


def read_groups(reading: SettingsReader, node: Node | None) -> tuple[GroupEntry, ...]:
    """Return the groups; a text alone is a group of that name."""
    groups: dict[str, GroupEntry] = {}
    for item, key in list_items(reading, node, "groups"):
        for group in reading.attempt(_group, item, key):
            name = group.settings.name
            if name in groups:
                reading.report.error(item.at, key, f'there is a group "{name}" already')
            groups[name] = group
    return tuple(groups.values())


def read_storage(
    reading: SettingsReader, registry: Registry[StorageSettings], node: Node | None
) -> StorageSettings | None:
    """Return the storage; ``null`` and ``{}`` are none."""
    if node is None or is_null(node):
        return None
    if isinstance(node, ObjectNode) and not node.members:
        reading.report.warn(node.at, "storage", "is empty: nothing is stored", "give it a type")
        return None
    try:
        found = find_kind(reading, KindChoice(registry, "storage", "provider"), node, "storage")
        settings: StorageSettings = read_settings(reading, found)
    except InvalidObjectError:
        return None
    return settings


def read_publish(
    reading: SettingsReader, registry: Registry[PublisherSettings], node: Node | None
) -> PublisherSettings | None:
    """Return where the page is put; None if that is not said, or there is no page here."""
    if node is None or is_null(node) or not registry:
        return None
    try:
        found = find_kind(reading, KindChoice(registry, "publish"), node, "publish")
        settings: PublisherSettings = read_settings(reading, found)
    except InvalidObjectError:
        return None
    return settings


def read_notifiers(
    reading: SettingsReader, registry: Registry[NotifierSettings], sections: Mapping[str, Node]
) -> tuple[NotifierEntry, ...]:
    """Return the notifiers: the single one of old files first, as the Go program does."""
    single = [(sections["notifier"], "notifier")] if "notifier" in sections else []
    found = []
    for node, key in (*single, *list_items(reading, sections.get("notifiers"), "notifiers")):
        if _is_nameless(node):
            reading.report.warn(node.at, key, "has an empty name: nobody is told", "give it a type")
            continue
        try:
            kind = find_kind(reading, KindChoice(registry, "notifier", "name"), node, key)
            found.append(NotifierEntry(read_settings(reading, kind), node.at, key))
        except InvalidObjectError:
            continue
    return tuple(found)


def read_concurrency(reading: SettingsReader, node: Node | None) -> int:
    """Return how many checkers run at once; 0 for as many as it takes.

    A negative number is a warning here and an error where checkers run: see
    :attr:`Config.concurrency`.
    """
    number = _lenient(reading, SettingsReader.integer, node, "concurrent_checks")
    if node is not None and number < 0:
        reading.report.warn(node.at, "concurrent_checks", *invalid_concurrency(number))
    return number


def read_timestamp(reading: SettingsReader, node: Node | None) -> int:
    """Return the moment that replaces the time of every result; 0 for none."""
    return _lenient(reading, SettingsReader.moment, node, "timestamp")


def read_quorum(reading: SettingsReader, node: Node | None) -> str:
    """Return how many regions must see an outage; a number may be written as one."""
    if node is None or is_null(node):
        return MAJORITY
    text = node.text if isinstance(node, ScalarNode) else ""
    if not is_valid_quorum(text):
        known = "majority, all, any or how many regions"
        reading.report.error(node.at, "quorum", f"is {describe(node)}", f"write {known}")
        return MAJORITY
    return text


def _lenient(reading: SettingsReader, read: FieldReader, node: Node | None, key: str) -> int:
    """Read a value that the Go program ignores when it is wrong."""
    if node is None or is_null(node):
        return 0
    try:
        return int(read(reading, node, key))
    except InvalidValueError as wrong:
        reading.report.warn(node.at, key, f"{wrong.text}; ignored", wrong.fix)
        return 0


def _group(reading: SettingsReader, node: Node, key: str) -> GroupEntry:
    if isinstance(node, ScalarNode):
        return GroupEntry(GroupSettings(name=reading.string(node, key)), {})
    if not isinstance(node, ObjectNode):
        raise InvalidValueError(
            f"expected a group, found {describe(node)}", 'write {"name": "..."}'
        )
    draft = reading.fill(_group_fields(), reading.members(node, key), key)
    reading.require(fields_of(GroupSettings), draft, node.at, key)
    own = {name: value for name, value in draft.values.items() if name not in GROUP_DEFAULT_KEYS}
    inherited = {name: value for name, value in draft.values.items() if name in GROUP_DEFAULT_KEYS}
    settings = reading.make(GroupSettings, FieldValues(own, {}, draft.failed), node.at, key)
    return GroupEntry(settings, inherited)


def _is_nameless(node: Node) -> bool:
    """Whether this is ``{"name": ""}``, which a fork of the Go program took for none."""
    if not isinstance(node, ObjectNode):
        return False
    said = {member.key.casefold(): member.value for member in node.members}
    name = said.get("name")
    return "type" not in said and isinstance(name, ScalarNode) and not name.text


@lru_cache(maxsize=1)
def _group_fields() -> FieldTable:
    own = fields_of(GroupSettings).table.values()
    return FieldTable.of(*own, *fields_of(Checker).pick(GROUP_DEFAULT_KEYS))
