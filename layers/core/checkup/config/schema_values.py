"""From the annotation of a settings field to the JSON Schema of what may stand in the file.

The reader of a field and the schema of a field are made of the same annotation: see
:mod:`checkup.config.fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from msgspec import Meta, Struct

from checkup.config.annotations import meta_extra, unwrap_annotation
from checkup.options import LOCALES

Schema: TypeAlias = dict[str, Any]
Refer: TypeAlias = Callable[[type[Struct]], Schema]
"""Returns a reference to the schema of a settings class."""

NULL: Final[Schema] = {"type": "null"}
_VARIABLE: Final[Schema] = {"$ref": "#/$defs/variable"}
_DURATION: Final = r"(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"
DEFINITIONS: Final[Mapping[str, Schema]] = {
    "variable": {
        "description": "A value of the environment: ${NAME}, or ${NAME:-default}.",
        "type": "string",
        "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
    },
    "duration": {
        "anyOf": [
            {"type": "string", "pattern": "^[-+]?" + _DURATION},
            {"type": "integer", "description": "Nanoseconds, as in the Go program."},
            _VARIABLE,
        ],
        "examples": ["500ms", "10s", "1h30m"],
    },
    "seconds": {
        "anyOf": [
            {"type": "integer"},
            {"type": "string", "pattern": "^([0-9]+|[-+]?" + _DURATION.replace("$", ")$")},
            _VARIABLE,
        ],
        "examples": [60, "1m"],
    },
    "moment": {
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


def schema_of(annotation: Any, refer: Refer) -> Schema:  # noqa: ANN401 - annotations are of any type
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


def _composed(plain: Any, refer: Refer) -> Schema:  # noqa: ANN401
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
