"""The reference of the configuration, from the classes that it is read into."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from msgspec import Struct, structs

from checkup.app import registered_kinds
from checkup.config.fields import meta_description, meta_extra, unwrap_annotation
from checkup.config.schema import schema_default
from checkup.config.settings import (
    CHECKER_DEFAULT_KEYS,
    GROUP_DEFAULT_KEYS,
    SIMPLE_KEYS,
    Config,
    GroupSettings,
)
from checkup.interfaces import Checker, NotifierSettings, PublisherSettings, StorageSettings
from checkup.interfaces.kinds import Registry
from checkup.times import short_duration

PAGE: Final = "docs/reference.md"
EXAMPLES: Final = Path(__file__).parent.parent.parent / "examples" / "checkers"

_MARKS: Final = {"strings": "text or list", "ranges": "number, range or list"}
_PLAIN: Final = {str: "text", int: "number", float: "number", bool: "true or false"}
_SECTIONS: Final = ("checkers", "storage", "notifiers", "publish", "groups")

_HEAD: Final = """\
# The configuration, key by key

A `checkup.json`, `checkup.yaml` or `checkup.yml` in the working directory, or whatever `-c`
names. `checkup init` writes one to start from, `checkup validate` finds what is wrong with it, and
`checkup schema` prints what an editor has to know.

This page is made of the program by `python -m tests.papers`; do not edit it.

- A **duration** is `500ms`, `10s`, `1h30m`, or a whole number of nanoseconds, as in files of the
  Go program.
- A **secret** may be written as it is, with a warning. Better: `env:NAME`, `file:/path`,
  `ssm:/path` or `secretsmanager:name`, looked up when it is used, or `${NAME}`.
- **`${NAME}`** in any value is a variable of the environment, `${NAME:-default}` has a default,
  and `$${` is a literal `${`.
- A **text or list** is one text or a list of them, and a **moment** is `2026-01-31T18:00:00Z`.
- Keys are read in any case; those that are not known are left out with a warning, unless they
  begin with `x-`.
- Older spellings work: `provider` for the `type` of a storage, `name` for that of a notifier, and
  a single `notifier`.
"""


def page() -> str:
    """Return the whole page."""
    known = registered_kinds()
    parts = [
        _HEAD,
        *_file(),
        *_kinds("Checkers", Checker, known.checkers),
        *_kinds("Storage", StorageSettings, known.storages),
        *_kinds("Notifiers", NotifierSettings, known.notifiers),
        *_kinds("Publish", PublisherSettings, known.publishers),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _file() -> Iterator[str]:
    own = {field.name: field for field in structs.fields(Config)}
    names = [*_SECTIONS, *SIMPLE_KEYS, "concurrent_checks", "timestamp"]
    yield "## The file\n"
    yield from _table([own[name] for name in names])
    shared = ", ".join(f"`{name}`" for name in CHECKER_DEFAULT_KEYS)
    yield f"\nBeside these, for all checkers that do not say otherwise: {shared}.\n"
    yield from _nested(own[name] for name in SIMPLE_KEYS)
    yield "### `groups`\n"
    yield f"{_prose(GroupSettings)} A name alone is enough.\n"
    yield from _table(structs.fields(GroupSettings))
    more = ", ".join(f"`{name}`" for name in GROUP_DEFAULT_KEYS)
    yield f"\nAnd for its checkers: {more}.\n"


def _kinds(title: str, port: type[Struct], registry: Registry[Any]) -> Iterator[str]:
    common = structs.fields(port)
    yield f"## {title}\n"
    yield f"`type` is one of {', '.join(f'`{name}`' for name in registry)}."
    if common:
        yield "All of them have:\n"
        yield from _table(common)
    for name in registry:
        yield f"\n### `{name}`\n"
        yield from _kind(registry[name], {field.name: field for field in common})


def _kind(kind: type[Struct], common: dict[str, structs.FieldInfo]) -> Iterator[str]:
    yield f"{_prose(kind)}\n"
    fields = [field for field in structs.fields(kind) if field.name not in common]
    if issubclass(kind, Checker):
        yield f"`timeout` is {short_duration(kind.default_timeout)} unless configured.\n"
    if fields:
        yield from _table(fields)
        yield ""
        yield from _nested(fields)
    if issubclass(kind, Checker):
        example = (EXAMPLES / f"{kind.kind}.yaml").read_text(encoding="utf-8").rstrip()
        yield f"```yaml\n{example}\n```\n"


def _nested(fields: Iterable[structs.FieldInfo]) -> Iterator[str]:
    """Yield the tables of the objects that these fields hold, and of what is in those."""
    for field in fields:
        kind = _struct_of(field.type)
        if kind is not None:
            inner = structs.fields(kind)
            yield f"### `{field.encode_name}`\n"
            yield f"{_prose(kind)}\n"
            yield from _table(inner)
            yield ""
            yield from _nested(inner)


def _table(fields: Sequence[structs.FieldInfo]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for field in fields:
        yield (
            f"| `{field.encode_name}` | {_word(field.type)} | {_default(field)} "
            f"| {meta_description(field.type).replace('|', '&#124;')} |"
        )


def _word(annotation: Any) -> str:
    """Say in words what may stand there."""
    plain, _ = unwrap_annotation(annotation)
    mark = meta_extra(annotation, "is")
    if mark:
        return _MARKS.get(mark, mark)
    if plain in _PLAIN:
        return _PLAIN[plain]
    if get_origin(plain) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(plain))
    return "list" if get_origin(plain) is tuple else "object"


def _default(field: structs.FieldInfo) -> str:
    if field.required:
        return "(needed)"
    value = schema_default(field)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value is None else f"`{', '.join(value) if isinstance(value, list) else value}`"


def _struct_of(annotation: Any) -> type[Struct] | None:
    """Return the settings class of an object, or of the objects of a list."""
    plain, _ = unwrap_annotation(annotation)
    if get_origin(plain) is tuple:
        return _struct_of(get_args(plain)[0])
    return plain if isinstance(plain, type) and issubclass(plain, Struct) else None


def _prose(kind: type) -> str:
    """Return the docstring of a class as Markdown."""
    paragraphs = (inspect.getdoc(kind) or "").replace("``", "`").split("\n\n")
    told = [paragraph for paragraph in paragraphs if not paragraph.startswith("Attributes:")]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in told)
