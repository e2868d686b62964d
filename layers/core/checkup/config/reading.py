"""Objects of the file -> settings, field by field, with every problem noted on the way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct

from checkup.config.fields import ConfigField, FieldReader, FieldTable
from checkup.config.scalars import InvalidValueError
from checkup.config.tree import Member, Node, ObjectNode, is_null
from checkup.config.values import ValueReader

_Settings = TypeVar("_Settings", bound=Struct)

_SILENT = frozenset({"$schema"})
"""For editors."""


class FieldValues(Struct, frozen=True):
    """The fields that an object sets.

    Attributes:
        values: by the name of the field.
        written: the texts that held ``${…}``, as they are written in the file.
        failed: fields whose value was refused.
    """

    values: dict[str, Any]
    written: dict[str, str]
    failed: set[str]


class InvalidObjectError(Exception):
    """An object that no settings can be made of; why is in the report."""


class SettingsReader(ValueReader):
    """Reads objects; its parent reads what they hold."""

    def members(self, node: ObjectNode, key: str) -> dict[str, Member]:
        """Return the members by their name without case; of two with one name the last."""
        found: dict[str, Member] = {}
        for member in node.members:
            name = member.key.casefold()
            if name in found:
                path = join(key, member.key)
                fix = f"remove one; the first is on line {self.report.line(found[name].at)}"
                self.report.warn(member.at, path, "given twice; the last one counts", fix)
            found[name] = member
        return found

    def fill(self, fields: FieldTable, members: Mapping[str, Member], key: str) -> FieldValues:
        """Read every member that is a field; warn of the others."""
        draft = FieldValues({}, {}, set())
        for name, member in members.items():
            field = fields.table.get(name)
            if field is None:
                self._unknown(fields, member, key)
            elif not is_null(member.value):
                self._set(draft, field, member, join(key, member.key))
        return draft

    def attempt(self, read: FieldReader, node: Node, key: str) -> tuple[Any, ...]:
        """Return the one value that was read, or none after noting what is wrong with it."""
        try:
            return (read(self, node, key),)
        except InvalidValueError as wrong:
            at = node.at if wrong.at is None else wrong.at
            self.report.error(at, key, wrong.text, wrong.fix)
        except InvalidObjectError:
            pass
        return ()

    def require(self, fields: FieldTable, draft: FieldValues, at: int, key: str) -> None:
        """Note every required field that is absent.

        Raises:
            Refused: one is absent or was refused.
        """
        absent = [
            field
            for field in fields.table.values()
            if field.required and field.name not in draft.values
        ]
        for field in absent:
            if field.name not in draft.failed:
                self.report.error(at, join(key, field.key), "is missing", f'add "{field.key}"')
        if absent:
            raise InvalidObjectError

    def make(self, kind: type[_Settings], draft: FieldValues, at: int, key: str) -> _Settings:
        """Return the settings, unless they contradict themselves.

        Raises:
            Refused: they do; the sentence of their ValueError is in the report, unless it may
                come from a field that was refused before.
        """
        try:
            return kind(**draft.values)
        except ValueError as error:
            if not draft.failed:
                self.report.error(at, key, str(error))
            raise InvalidObjectError from error

    def _set(self, draft: FieldValues, field: ConfigField, member: Member, key: str) -> None:
        self.expanded = False
        draft.failed.add(field.name)
        for value in self.attempt(field.read, member.value, key):
            draft.failed.remove(field.name)
            draft.values[field.name] = value
            if self.expanded and isinstance(value, str):
                draft.written[field.name] = getattr(member.value, "text", "")
            if field.if_empty and not value:
                self.report.warn(member.value.at, key, f"is empty: {field.if_empty}")

    def _unknown(self, fields: FieldTable, member: Member, key: str) -> None:
        if member.key in _SILENT or member.key.startswith("x-"):
            return
        advice = fields.nearest.advice(member.key) or "remove it"
        self.report.warn(member.at, join(key, member.key), "unknown key, ignored", advice)


def join(key: str, name: str) -> str:
    """Return the path of a key inside another."""
    return f"{key}.{name}" if key else name
