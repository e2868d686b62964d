"""Objects with a ``type``: checkers, storages and notifiers, in old and new spelling."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from checkup.config.fields import fields_of
from checkup.config.nearest import Nearest
from checkup.config.reading import InvalidObjectError, SettingsReader, join
from checkup.config.tree import Member, Node, ObjectNode, ScalarNode, ScalarStyle, describe, is_null
from checkup.registry import Registry


class KindChoice(Struct, frozen=True):
    """What an object can become.

    Attributes:
        what: ``checker``, ``storage``, ``notifier`` or ``publish``.
        old: another spelling of ``type``, used where that is absent (Go's v1.0.0).
    """

    registry: Registry[Any]
    what: str
    old: str = ""

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
    """Return what class an object is to become.

    Raises:
        Refused: it is no object, or its kind is unknown; this has been noted.
    """
    if not isinstance(node, ObjectNode):
        text = f"unknown {choice.what} type: expected an object, found {describe(node)}"
        reading.report.error(node.at, key, text, "remove it, or give it a type")
        raise InvalidObjectError
    members = reading.members(node, key)
    place = next((members.pop(name) for name in ("type", choice.old) if _says(members, name)), None)
    if place is None:
        text = f"{choice.what} has no type{_title(members)}"
        reading.report.error(node.at, key, text, f'add "type": one of {choice.known}')
        raise InvalidObjectError
    path = join(key, place.key)
    for name in reading.attempt(SettingsReader.string, place.value, path):
        if name in choice.registry:
            return KindMatch(choice.registry[name], members, node.at, key)
        text = f"unknown {choice.what} type: {name}{_title(members)}"
        fix = f"{Nearest(choice.registry).advice(name)} known are {choice.known}".strip()
        reading.report.error(place.value.at, path, text, fix)
    raise InvalidObjectError


def read_settings(reading: SettingsReader, found: KindMatch) -> Any:  # noqa: ANN401 - of the found kind
    """Return the settings of an object whose kind is known.

    Raises:
        Refused: something in it is wrong; this has been noted.
    """
    fields = fields_of(found.kind)
    draft = reading.fill(fields, found.members, found.key)
    reading.require(fields, draft, found.at, found.key)
    return reading.make(found.kind, draft, found.at, found.key)


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
