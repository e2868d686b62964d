"""The JSON Schema of the configuration, for editors: completion, help, and a line under a slip.

It is made of the classes that the file is read into, so that it knows what the reader knows. It
holds what ``checkup validate --strict`` would say: an unknown key is an error here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from msgspec import NODEFAULT, Meta, Struct, structs

from checkup.config.fields import meta_description, meta_extra, unwrap_annotation
from checkup.config.settings import (
    CHECKER_DEFAULT_KEYS,
    GROUP_DEFAULT_KEYS,
    SIMPLE_KEYS,
    Config,
    GroupSettings,
    Kinds,
)
from checkup.interfaces import Checker
from checkup.interfaces.kinds import LOCALES, MENTION_STATUSES, Registry
from checkup.times import short_duration

# From the annotation of a settings field to the JSON Schema of what may stand in the file.
#
# The reader of a field and the schema of a field are made of the same annotation: see
# :mod:`checkup.config.fields`.


Schema: TypeAlias = dict[str, Any]

Refer: TypeAlias = Callable[[type[Struct]], Schema]
"""Returns a reference to the schema of a settings class."""

NULL: Final[Schema] = {"type": "null"}
_VARIABLE: Final[Schema] = {"$ref": "#/$defs/variable"}
_DURATION: Final = r"(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h|d|w))+)$"

DEFINITIONS: Final[Mapping[str, Schema]] = {
    "variable": {
        "description": "An environment variable: ${NAME}, ${NAME:-default} or ${NAME:?message}.",
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(\}|:?[-?].*\})",
    },
    "duration": {
        "anyOf": [
            {"type": "string", "pattern": "^[-+]?" + _DURATION},
            {"type": "integer", "description": "Nanoseconds, as in the Go program."},
            _VARIABLE,
        ],
        "examples": ["500ms", "10s", "1h30m", "30d"],
    },
    "seconds": {
        "anyOf": [
            {"type": "integer"},
            {"type": "string", "pattern": "^([0-9]+|[-+]?" + _DURATION.replace("$", ")$")},
            _VARIABLE,
        ],
        "examples": [60, "1m"],
    },
    "timestamp": {
        "anyOf": [
            {
                "type": "string",
                "format": "date-time",
                "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}",
            },
            _VARIABLE,
        ],
        "examples": ["2026-01-31T18:00:00Z"],
    },
    "languages": {
        "anyOf": [{"enum": [*LOCALES]}, {"type": "array", "items": {"enum": [*LOCALES]}}],
        "examples": ["ko", ["en", "ko"]],
    },
    "color": {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$", "examples": ["#0a7d3c"]},
    "secret": {
        "type": "string",
        "examples": ["${NAME}", "env:NAME", "file:/run/secrets/name", "ssm:/checkup/name"],
    },
    "strings": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "headers": {
        "type": "object",
        "additionalProperties": {"anyOf": [{"$ref": "#/$defs/strings"}, NULL]},
        "examples": [{"Accept": "text/html"}],
    },
    "mentions": {
        "anyOf": [
            {"$ref": "#/$defs/strings"},
            {
                "type": "object",
                "properties": {
                    status: {"anyOf": [{"$ref": "#/$defs/strings"}, NULL]}
                    for status in MENTION_STATUSES
                },
                "additionalProperties": False,
            },
        ],
        "examples": ["@here", {"down": "@channel", "degraded": "@here"}],
    },
    "range": {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 999_999_999},
            {"type": "string", "pattern": "^[0-9]{1,9}( ?- ?[0-9]{1,9})?$"},
            _VARIABLE,
        ]
    },
    "ranges": {
        "anyOf": [
            {"$ref": "#/$defs/range"},
            {"type": "array", "items": {"$ref": "#/$defs/range"}},
        ],
        "examples": [404, "200-299", [200, "300-399"]],
    },
}
"""The schemas of marked types, by their mark, and what these refer to."""

_PLAIN: Final[Mapping[Any, Schema]] = {
    str: {"type": "string"},
    bool: {"anyOf": [{"type": "boolean"}, _VARIABLE]},
}

_NUMBERS: Final[Mapping[Any, str]] = {int: "integer", float: "number"}


def schema_of(annotation: Any, refer: Refer) -> Schema:
    """Return the schema of a value of this type.

    Raises:
        TypeError: the reader has no such type either.
    """
    plain, metas = unwrap_annotation(annotation)
    mark, limits = meta_extra(annotation, "is"), _limits(metas)
    if mark == "duration" and limits:
        return _bounded_duration(limits)
    if mark:
        return {"$ref": f"#/$defs/{mark}"} | limits
    if plain in _NUMBERS:
        return {"anyOf": [{"type": _NUMBERS[plain], **limits}, _VARIABLE]}
    if plain in _PLAIN:
        return _PLAIN[plain] | limits
    return _composed(plain, refer)


def or_null(written: Schema) -> Schema:
    """Return the schema of a value that may be absent, which ``null`` says too."""
    if "anyOf" in written:
        return written | {"anyOf": [*written["anyOf"], NULL]}
    if "enum" in written:
        return written | {"enum": [*written["enum"], None]}
    if "type" in written:
        return written | {"type": [written["type"], "null"]}
    return {"anyOf": [written, NULL]}


def _bounded_duration(limits: Schema) -> Schema:
    """Return the schema of a duration that cannot be negative: every limit so far is 0."""
    text, number, variable = DEFINITIONS["duration"]["anyOf"]
    return {
        "anyOf": [text | {"pattern": r"^\+?" + _DURATION}, number | limits, variable],
        "examples": DEFINITIONS["duration"]["examples"],
    }


def _limits(metas: list[Meta]) -> Schema:
    limits: Schema = {}
    for meta in metas:
        bounds = {
            "minimum": meta.ge,
            "exclusiveMinimum": meta.gt,
            "maximum": meta.le,
            "minLength": meta.min_length,
        }
        limits |= {name: bound for name, bound in bounds.items() if bound is not None}
    return limits


def _composed(plain: Any, refer: Refer) -> Schema:
    origin, arguments = get_origin(plain), get_args(plain)
    if origin is Literal:
        return {"enum": [*arguments]}
    if origin is tuple:
        return {"type": "array", "items": schema_of(arguments[0], refer)}
    if origin is dict:
        return {"type": "object", "additionalProperties": or_null(schema_of(arguments[1], refer))}
    if isinstance(plain, type) and issubclass(plain, Struct):
        return refer(plain)
    raise TypeError(f"no key of a configuration can be of the type {plain}")


DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_OTHER_KEYS: Final[Schema] = {
    "patternProperties": {
        "^x-": {"description": "A comment; ignored."},
        "[A-Z]": {"description": "Keys are case-insensitive; editors check lower case only."},
    },
    "additionalProperties": False,
}


def config_schema(kinds: Kinds) -> Schema:
    """Return the schema of a file that names these kinds."""
    return _Writer(kinds).document()


def schema_default(field: structs.FieldInfo) -> Any:
    """Return what the field is if the file does not say; None for nothing in particular."""
    value = field.default
    if value is NODEFAULT and field.default_factory is not NODEFAULT:
        value = field.default_factory()
    if value in (NODEFAULT, None, "", (), {}) or isinstance(value, Struct):
        return None
    mark = meta_extra(field.type, "is")
    return None if mark == "timestamp" else _as_written(value, mark)


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
            "$schema": {"type": "string", "description": "URL of this schema, for editors."},
            "checkers": {"type": ["array", "null"], "items": checker},
            "storage": {"anyOf": [storage, NULL]},
            "notifiers": {"type": ["array", "null"], "items": notifier},
            "notifier": _deprecated({"anyOf": [notifier, NULL]}, "`notifiers`, a list"),
            "groups": {"type": ["array", "null"], "items": group},
        }
        if self._kinds.publishers:
            publish = self._one_of("publish", self._kinds.publishers, ())
            sections["publish"] = {"anyOf": [publish, {"type": "array", "items": publish}, NULL]}
        for name in sections.keys() & own.keys():
            sections[name] |= {"description": meta_description(own[name].type)}
        simple = [own[name] for name in (*SIMPLE_KEYS, "concurrent_checks", "timestamp", "quorum")]
        shared = self._shared(CHECKER_DEFAULT_KEYS, "For all checkers: ")
        return {
            "$schema": DIALECT,
            "title": "Checkup",
            "description": "What to check, where to store results and where to send alerts.",
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


def _as_written(value: Any, mark: str) -> Any:
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
    return {"description": f"Old name; use {instead}.", **written, "deprecated": True}
