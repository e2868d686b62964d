"""The sections of the file that are not checkers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from checkup.config.fields import (
    FieldReader,
    FieldTable,
    FieldValues,
    InvalidObjectError,
    SettingsReader,
    fields_of,
    join,
)
from checkup.config.settings import GROUP_DEFAULT_KEYS, GroupSettings, invalid_concurrency
from checkup.config.source import (
    ArrayNode,
    Member,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
    describe,
    is_null,
    is_yaml,
)
from checkup.config.values import InvalidValueError
from checkup.evaluation import MAJORITY, is_valid_quorum
from checkup.interfaces import Checker, NotifierSettings, PublisherSettings, StorageSettings
from checkup.interfaces.kinds import Registry, extra_not_installed, is_extra_installed
from checkup.text import did_you_mean


class NotifierEntry(NamedTuple):
    """A notifier and where it stands in the file."""

    settings: NotifierSettings
    at: int
    key: str


# Objects with a ``type``: checkers, storages and notifiers, in old and new spelling.


_OTHER_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("web", "website", "url", "get", "keyword"), "http"),
    **dict.fromkeys(("port", "socket", "ping", "icmp"), "tcp"),
    **dict.fromkeys(("ssl", "cert", "certificate", "x509"), "tls"),
    **dict.fromkeys(("script", "command", "shell", "nagios"), "exec"),
    **dict.fromkeys(("push", "cron", "deadman", "job"), "heartbeat"),
    **dict.fromkeys(("file", "files", "filesystem", "folder", "local", "disk"), "fs"),
    **dict.fromkeys(("mariadb",), "mysql"),
    **dict.fromkeys(("email", "smtp"), "mail"),
    **dict.fromkeys(("telegram", "teams", "ntfy", "gotify", "custom"), "webhook"),
}
"""What comparable programs call a type, and the nearest one here."""


class KindChoice(Struct, frozen=True):
    """What an object can become.

    Attributes:
        what: ``checker``, ``storage``, ``notifier`` or ``publish``.
        legacy_key: another spelling of ``type``, used where that is absent (Go's v1.0.0).
    """

    registry: Registry[Any]
    what: str
    legacy_key: str = ""

    @property
    def known(self) -> str:
        """The kinds, for a sentence."""
        return ", ".join(sorted(self.registry))


class KindMatch(Struct, frozen=True):
    """An object whose kind is known, before its fields are read.

    Attributes:
        kind: the settings class that the registry has for it.
        members: without the one that named the kind.
    """

    kind: Any
    members: dict[str, Member]
    at: int
    key: str


def find_kind(reading: SettingsReader, choice: KindChoice, node: Node, key: str) -> KindMatch:
    """Return the settings class for an object.

    Raises:
        InvalidObjectError: it is not an object, or its kind is unknown; this is reported.
    """
    if not isinstance(node, ObjectNode):
        text = f"unknown {choice.what} type: expected an object, got {describe(node)}"
        reading.report.error(node.offset, key, text, f'write {{"type": one of {choice.known}}}')
        raise InvalidObjectError
    members = reading.object_members(node, key)
    place = next(
        (members.pop(name) for name in ("type", choice.legacy_key) if _says(members, name)), None
    )
    if place is None:
        text = f"{choice.what} has no type{_title(members)}"
        reading.report.error(node.offset, key, text, f'add "type": one of {choice.known}')
        raise InvalidObjectError
    path = join(key, place.key)
    for name in reading.try_read(SettingsReader.string, place.value, path):
        if name in choice.registry:
            kind = choice.registry[name]
            if kind.needs_extra and not is_extra_installed(kind.needs_extra):
                text, fix = extra_not_installed(kind.needs_extra)
                reading.report.warn(place.value.offset, path, text, fix)
            return KindMatch(kind, members, node.offset, key)
        text = f"unknown {choice.what} type: {name}{_title(members)}"
        other = _OTHER_KINDS.get(name.casefold(), "")
        advice = f'did you mean "{other}"?' if other in choice.registry else ""
        advice = advice or did_you_mean(name, choice.registry)
        fix = f"{advice} known types: {choice.known}".strip()
        reading.report.error(place.value.offset, path, text, fix)
    raise InvalidObjectError


def read_settings(reading: SettingsReader, found: KindMatch) -> Any:
    """Return the settings of an object whose kind is known.

    Raises:
        InvalidObjectError: something in it is invalid; this is reported.
    """
    fields = fields_of(found.kind)
    draft = reading.read_fields(fields, found.members, found.key)
    reading.require_fields(fields, draft, found.at, found.key)
    return reading.build(found.kind, draft, found.at, found.key)


def _says(members: dict[str, Member], name: str) -> bool:
    """Whether a member is there and is not null or an empty text."""
    if name not in members:
        return False
    value = members[name].value
    return not is_null(value) and not (isinstance(value, ScalarNode) and not value.text)


def _title(members: dict[str, Member]) -> str:
    """Name the checker, as it is written in the file."""
    for name in ("endpoint_name", "name"):
        value = members[name].value if name in members else None
        if isinstance(value, ScalarNode) and value.form in {ScalarStyle.QUOTED, ScalarStyle.PLAIN}:
            return f' ("{value.text}")'
    return ""


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
        text = f"expected a list, got {describe(node)}"
        fix = "put it in [ ]"
        if is_yaml(reading.report.file) and isinstance(node, ObjectNode):
            fix = 'begin each item with "- "'
        reading.report.error(node.offset, key, text, fix)


def read_groups(reading: SettingsReader, node: Node | None) -> tuple[GroupEntry, ...]:
    """Return the groups; a text alone is a group of that name."""
    groups: dict[str, GroupEntry] = {}
    for item, key in list_items(reading, node, "groups"):
        for group in reading.try_read(_group, item, key):
            name = group.settings.name
            if name in groups:
                reading.report.error(item.offset, key, f'duplicate group "{name}"')
            groups[name] = group
    return tuple(groups.values())


def read_storage(
    reading: SettingsReader, registry: Registry[StorageSettings], node: Node | None
) -> StorageSettings | None:
    """Return the storage; ``null`` and ``{}`` are none."""
    if node is None or is_null(node):
        return None
    if isinstance(node, ObjectNode) and not node.members:
        reading.report.warn(node.offset, "storage", "is empty: nothing is stored", "add a type")
        return None
    try:
        found = find_kind(reading, KindChoice(registry, "storage", "provider"), node, "storage")
        settings: StorageSettings = read_settings(reading, found)
    except InvalidObjectError:
        return None
    return settings


def read_publish(
    reading: SettingsReader, registry: Registry[PublisherSettings], node: Node | None
) -> tuple[PublisherSettings, ...]:
    """Return where to publish the page, one place or a list; none without the page package."""
    if node is None or is_null(node) or not registry:
        return ()
    is_list = isinstance(node, ArrayNode)
    places: dict[str, PublisherSettings] = {}
    for item, key in list_items(reading, node, "publish") if is_list else [(node, "publish")]:
        try:
            found = find_kind(reading, KindChoice(registry, "publish"), item, key)
            place: PublisherSettings = read_settings(reading, found)
        except InvalidObjectError:
            continue
        if place.address in places:
            reading.report.error(item.offset, key, f'duplicate place "{place.address}"')
        places[place.address] = place
    return tuple(places.values())


def read_notifiers(
    reading: SettingsReader, registry: Registry[NotifierSettings], sections: Mapping[str, Node]
) -> tuple[NotifierEntry, ...]:
    """Return the notifiers: the single one of old files first, as the Go program does."""
    single = [(sections["notifier"], "notifier")] if "notifier" in sections else []
    found = []
    for node, key in (*single, *list_items(reading, sections.get("notifiers"), "notifiers")):
        if _is_nameless(node):
            reading.report.warn(
                node.offset, key, "has an empty name: no alert is sent", "add a type"
            )
            continue
        try:
            kind = find_kind(reading, KindChoice(registry, "notifier", "name"), node, key)
            found.append(NotifierEntry(read_settings(reading, kind), node.offset, key))
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
        reading.report.warn(node.offset, "concurrent_checks", *invalid_concurrency(number))
    return number


def read_timestamp(reading: SettingsReader, node: Node | None) -> int:
    """Return the time that replaces the timestamp of every result; 0 for none."""
    return _lenient(reading, SettingsReader.timestamp, node, "timestamp")


def read_quorum(reading: SettingsReader, node: Node | None) -> str:
    """Return how many regions must see an outage; a number may be written as one."""
    if node is None or is_null(node):
        return MAJORITY
    text = node.text if isinstance(node, ScalarNode) else ""
    if not is_valid_quorum(text):
        fix = "write majority, all, any or a number of regions"
        reading.report.error(node.offset, "quorum", "not a quorum", fix)
        return MAJORITY
    return text


def _lenient(reading: SettingsReader, read: FieldReader, node: Node | None, key: str) -> int:
    """Read a value that the Go program ignores when it is wrong."""
    if node is None or is_null(node):
        return 0
    try:
        return int(read(reading, node, key))
    except InvalidValueError as wrong:
        reading.report.warn(node.offset, key, f"{wrong.text}; ignored", wrong.fix)
        return 0


def _group(reading: SettingsReader, node: Node, key: str) -> GroupEntry:
    if isinstance(node, ScalarNode):
        return GroupEntry(GroupSettings(name=reading.string(node, key)), {})
    if not isinstance(node, ObjectNode):
        raise InvalidValueError(f"expected a group, got {describe(node)}", 'write {"name": "..."}')
    draft = reading.read_fields(_group_fields(), reading.object_members(node, key), key)
    reading.require_fields(fields_of(GroupSettings), draft, node.offset, key)
    own = {name: value for name, value in draft.values.items() if name not in GROUP_DEFAULT_KEYS}
    inherited = {name: value for name, value in draft.values.items() if name in GROUP_DEFAULT_KEYS}
    settings = reading.build(
        GroupSettings, FieldValues(own, {}, draft.failed, draft.members), node.offset, key
    )
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
    return FieldTable.from_fields(*own, *fields_of(Checker).select(GROUP_DEFAULT_KEYS))
