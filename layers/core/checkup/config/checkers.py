"""The ``checkers`` of the file, with what they inherit from their group and from the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import structs

from checkup.config.fields import fields_of
from checkup.config.identity import CheckerEntry
from checkup.config.kinds import KindChoice, find_kind
from checkup.config.misread import invalid_checker
from checkup.config.reading import FieldValues, InvalidObjectError, SettingsReader
from checkup.config.sections import GroupEntry, list_items
from checkup.config.tree import Member, Node, ObjectNode, ScalarNode
from checkup.ports import Checker
from checkup.registry import Registry

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
    draft = reading.fill(fields, found.members, key)
    reading.require(fields, draft, found.at, key)
    for_all, by_group = inherited
    values = {**by_group.get(draft.values.get("group", ""), for_all), **draft.values}
    values["attempts"] = _attempts(reading, values.get("attempts", 1), found.members, key)
    checker: Checker = reading.make(
        found.kind, FieldValues(values, {}, draft.failed), found.at, key
    )
    if not checker.endpoint and not draft.failed:
        reading.report.warn(found.at, key, "has nothing to check: its address is empty")
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
    return CheckerEntry(checker, checker, node.at, key, members)


def _attempts(reading: SettingsReader, number: int, members: Mapping[str, Member], key: str) -> int:
    """Return the number of attempts: at least one, as in the Go program."""
    if number < 0:
        at = members["attempts"].value.at
        reading.report.warn(at, f"{key}.attempts", "less than one attempt; one is made")
    return max(1, number)


def _as_written(checker: Checker, draft: FieldValues) -> Checker:
    """Return the checker with ``${…}`` left in place, unless its kind cannot be made so."""
    if draft.written:
        with suppress(ValueError):
            return structs.replace(checker, **draft.written)
    return checker


def _drop_foreign_tags(reading: SettingsReader, members: dict[str, Member], key: str) -> None:
    """Ignore ``tags`` of a shape that is not ours: the Go program ignored any."""
    tags = members.get("tags")
    if tags is not None and isinstance(tags.value, ObjectNode):
        del members["tags"]
        fix = 'write a list: ["one", "two"]'
        reading.report.warn(tags.at, f"{key}.{tags.key}", "tags in an object, ignored", fix)


def _warn_of_password(reading: SettingsReader, members: Mapping[str, Member], key: str) -> None:
    address = members["endpoint_url"].value if "endpoint_url" in members else None
    if isinstance(address, ScalarNode) and _PASSWORD.search(address.text):
        text, fix = "a password in clear text", 'write it as "${NAME}"'
        reading.report.warn(address.at, f"{key}.endpoint_url", text, fix)
