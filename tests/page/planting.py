"""A secret, planted wherever a class takes a text: a field that is new is planted by itself."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import unquote

import msgspec
from msgspec import NODEFAULT, Struct, inspect

CANARY: Final = "hunter2canary"

_KEPT: Final = object()

Kind = TypeVar("Kind", bound=Struct)


def planted(kind: type[Kind], **given: Any) -> Kind:
    """Return an object whose fields are full of the secret, but for those that are given."""
    about = inspect.type_info(kind)
    assert isinstance(about, inspect.StructType)
    values = dict(given)
    for field in about.fields:
        value = _KEPT if field.name in given else _planted(field.type)
        if field.name not in given and (value is not _KEPT or field.required):
            assert value is not _KEPT, f"{kind.__name__}.{field.name} has to be given"
            values[field.name] = value
    return kind(**values)


def texts_of(kind: type[Struct]) -> set[str]:
    """Return the names of the fields of a class that can hold the secret."""
    about = inspect.type_info(kind)
    assert isinstance(about, inspect.StructType)
    return {field.name for field in about.fields if _planted(field.type) is not _KEPT}


def holding(files: Mapping[str, bytes]) -> list[str]:
    """Return the paths of files that hold the secret, in their name or in any spelling."""
    return [
        path
        for path, body in files.items()
        if CANARY in path
        or any(CANARY in it.lower() for it in _spellings(body.decode().replace("\r\n ", "")))
    ]


def _spellings(text: str) -> Iterator[str]:
    yield text
    yield html.unescape(html.unescape(text))
    yield unquote(text)


def _planted(of: inspect.Type) -> Any:  # noqa: PLR0911 - one for each kind of type
    """Return a value of a type with the secret in it; _KEPT if it has no room for one."""
    match of:
        case inspect.Metadata():
            return _planted(of.type)
        case inspect.StrType() | inspect.AnyType():
            return CANARY
        case inspect.VarTupleType() | inspect.ListType():
            item = _planted(of.item_type)
            return _KEPT if item is _KEPT else (item,)
        case inspect.DictType():
            value = _planted(of.value_type)
            return {CANARY: _plain(of.value_type) if value is _KEPT else value}
        case inspect.UnionType():
            values = (_planted(it) for it in of.types)
            return next((value for value in values if value is not _KEPT), _KEPT)
        case inspect.StructType():
            return _planted_struct(of)
    return _KEPT


def _planted_struct(of: inspect.StructType) -> Any:
    values = {field.name: _planted(field.type) for field in of.fields}
    if all(value is _KEPT for value in values.values()):
        return _KEPT
    given = {
        field.name: _plain(field.type) if values[field.name] is _KEPT else values[field.name]
        for field in of.fields
        if values[field.name] is not _KEPT or field.default is NODEFAULT
    }
    return of.cls(**given)


def _plain(of: inspect.Type) -> Any:
    """Return some value of a type that can hold no text."""
    match of:
        case inspect.Metadata():
            return _plain(of.type)
        case inspect.EnumType():
            return next(iter(of.cls))
        case inspect.LiteralType():
            return of.values[0]
        case inspect.StructType():
            return of.cls(
                **{it.name: _plain(it.type) for it in of.fields if it.default is NODEFAULT}
            )
    return msgspec.convert(0, bool, strict=False) if isinstance(of, inspect.BoolType) else 1
