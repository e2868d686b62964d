"""The JSON Schema of the configuration, for editors: completion, help, and a line under a slip.

It is made of the classes that the file is read into, so that it knows what the reader knows. It
holds what ``checkup validate --strict`` would say: an unknown key is an error here.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import NODEFAULT, Struct, structs

from checkup.config.annotations import meta_description, meta_extra
from checkup.config.document import SIMPLE_KEYS
from checkup.config.schema_values import DEFINITIONS, NULL, Schema, or_null, schema_of
from checkup.config.settings import (
    CHECKER_DEFAULT_KEYS,
    GROUP_DEFAULT_KEYS,
    Config,
    GroupSettings,
    Kinds,
)
from checkup.duration import short_duration
from checkup.ports import Checker
from checkup.registry import Registry

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_OTHER_KEYS: Final[Schema] = {
    "patternProperties": {
        "^x-": {"description": "A note of your own."},
        "[A-Z]": {"description": "Keys are read in any case, but checked in small letters only."},
    },
    "additionalProperties": False,
}


def config_schema(kinds: Kinds) -> Schema:
    """Return the schema of a file that names these kinds."""
    return _Writer(kinds).document()


def schema_default(field: structs.FieldInfo) -> Any:  # noqa: ANN401 - of the field's type
    """Return what the field is if the file does not say; None for nothing in particular."""
    value = field.default
    if value is NODEFAULT and field.default_factory is not NODEFAULT:
        value = field.default_factory()
    if value in (NODEFAULT, None, "", (), {}) or isinstance(value, Struct):
        return None
    mark = meta_extra(field.type, "is")
    return None if mark == "moment" else _as_written(value, mark)


def first_paragraph(kind: type) -> str:
    """Return what a class is, from its docstring."""
    text = inspect.getdoc(kind) or ""
    return " ".join(text.partition("\n\n")[0].replace("``", "`").split())


class _Writer:
    """Writes the schema of each class once."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._definitions: dict[str, Schema] = dict(DEFINITIONS)

    def document(self) -> Schema:
        checker = self._one_of("checker", self._kinds.checkers, ())
        storage = self._one_of("storage", self._kinds.storages, ("provider",))
        notifier = self._one_of("notifier", self._kinds.notifiers, ("name",))
        group = {"anyOf": [{"type": "string", "minLength": 1}, self._group()]}
        own = {field.encode_name: field for field in structs.fields(Config)}
        sections: dict[str, Schema] = {
            "$schema": {"type": "string", "description": "Where this schema is, for editors."},
            "checkers": {"type": ["array", "null"], "items": checker},
            "storage": {"anyOf": [storage, NULL]},
            "notifiers": {"type": ["array", "null"], "items": notifier},
            "notifier": _deprecated({"anyOf": [notifier, NULL]}, "`notifiers`, a list"),
            "groups": {"type": ["array", "null"], "items": group},
        }
        if self._kinds.publishers:
            publish = self._one_of("publish", self._kinds.publishers, ())
            sections["publish"] = {"anyOf": [publish, NULL]}
        for name in sections.keys() & own.keys():
            sections[name] |= {"description": meta_description(own[name].type)}
        simple = [own[name] for name in (*SIMPLE_KEYS, "concurrent_checks", "timestamp", "quorum")]
        shared = self._shared(CHECKER_DEFAULT_KEYS, "For all checkers: ")
        return {
            "$schema": DIALECT,
            "title": "Checkup",
            "description": "What is checked, where results are kept, and who is told.",
            "type": "object",
            "properties": sections | self._properties(simple) | shared,
            **_OTHER_KEYS,
            "$defs": dict(sorted(self._definitions.items())),
        }

    def _one_of(self, what: str, registry: Registry[Any], old: Sequence[str]) -> Schema:
        """Return the schema of an object whose ``type`` decides what else it may hold."""
        names = list(registry)
        for name in names:
            self._kind(f"{what}-{name}", registry[name], name, old)
        known = {name: first_paragraph(registry[name]) for name in names}
        choices = [
            {
                "if": {"anyOf": [_says("type", name), *(_says_only(word, name) for word in old)]},
                "then": {"$ref": f"#/$defs/{what}-{name}"},
            }
            for name in names
        ]
        self._definitions[what] = {
            "type": "object",
            "properties": {
                "type": {
                    "description": f"The kind of {what}.",
                    "enum": names,
                    "enumDescriptions": list(known.values()),
                }
            },
            "anyOf": [{"required": [word]} for word in ("type", *old)],
            "allOf": choices,
        }
        return {"$ref": f"#/$defs/{what}"}

    def _kind(self, key: str, kind: type[Struct], name: str, old: Sequence[str]) -> None:
        written = self._struct(kind)
        spelled = {word: _deprecated({"type": "string"}, "`type`") for word in old}
        written["properties"] = {
            "type": {"const": name, "description": first_paragraph(kind)},
            **spelled,
            **written["properties"],
        }
        self._definitions[key] = written

    def _group(self) -> Schema:
        written = self._struct(GroupSettings)
        written["properties"] |= self._shared(
            GROUP_DEFAULT_KEYS, "For the checkers of this group: "
        )
        self._definitions["group"] = written
        return {"$ref": "#/$defs/group"}

    def _shared(self, names: Sequence[str], before: str) -> dict[str, Schema]:
        fields = [field for field in structs.fields(Checker) if field.name in names]
        properties = self._properties(fields)
        for written in properties.values():
            written["description"] = before + written["description"]
        return properties

    def _refer(self, kind: type[Struct]) -> Schema:
        key = kind.__name__
        if key not in self._definitions:
            self._definitions[key] = self._struct(kind)
        return {"$ref": f"#/$defs/{key}"}

    def _struct(self, kind: type[Struct]) -> Schema:
        fields = structs.fields(kind)
        properties = self._properties(fields)
        if issubclass(kind, Checker):
            properties["timeout"]["default"] = short_duration(kind.default_timeout)
        required = [field.encode_name for field in fields if field.required]
        return {
            "type": "object",
            "description": first_paragraph(kind),
            "properties": properties,
            **({"required": required} if required else {}),
            **_OTHER_KEYS,
        }

    def _properties(self, fields: Sequence[structs.FieldInfo]) -> dict[str, Schema]:
        return {field.encode_name: self._property(field) for field in fields}

    def _property(self, field: structs.FieldInfo) -> Schema:
        value = schema_of(field.type, self._refer)
        written = {"description": meta_description(field.type)} | (
            value if field.required else or_null(value)
        )
        default = schema_default(field)
        return written if default is None else written | {"default": default}


def _as_written(value: Any, mark: str) -> Any:  # noqa: ANN401
    """Return a value as the file would say it."""
    if mark == "duration":
        return short_duration(value) if value else 0
    if isinstance(value, tuple):
        return [_as_written(item, mark) for item in value]
    return dict(value) if isinstance(value, Mapping) else value


def _says(word: str, name: str) -> Schema:
    return {"required": [word], "properties": {word: {"const": name}}}


def _says_only(word: str, name: str) -> Schema:
    return {**_says(word, name), "not": {"required": ["type"]}}


def _deprecated(written: Schema, instead: str) -> Schema:
    return {"description": f"The old spelling; write {instead}.", **written, "deprecated": True}
