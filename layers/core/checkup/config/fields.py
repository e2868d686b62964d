"""The fields of a settings class, and how the type of each says to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

from msgspec import NODEFAULT, Meta, Struct, structs

from checkup.config.source import ArrayNode, Member, Node, ObjectNode, describe, is_null
from checkup.config.values import InvalidValueError, ValueReader, is_web_address
from checkup.interfaces.kinds import InvalidSettingsError, SettingProblem, Settings
from checkup.text import did_you_mean
from checkup.times import short_duration


def unwrap_annotation(annotation: Any) -> tuple[Any, list[Meta]]:
    """Return the bare type and all that is said about it; ``X | None`` is X."""
    if get_origin(annotation) is Annotated:
        inner, *metas = get_args(annotation)
        bare, more = unwrap_annotation(inner)
        return bare, more + [meta for meta in metas if isinstance(meta, Meta)]
    if get_origin(annotation) in {Union, UnionType}:
        (only,) = (choice for choice in get_args(annotation) if choice is not type(None))
        return unwrap_annotation(only)
    return annotation, []


def meta_extra(annotation: Any, name: str) -> str:
    """Return what the type's marks say under this name, if they do."""
    marks = (meta.extra for meta in unwrap_annotation(annotation)[1] if meta.extra)
    return next((mark[name] for mark in marks if name in mark), "")


def meta_description(annotation: Any) -> str:
    """Return what the outermost description says, or an empty string."""
    metas = reversed(unwrap_annotation(annotation)[1])
    return next((meta.description for meta in metas if meta.description), "")


FieldReader: TypeAlias = Callable[["SettingsReader", Node, str], Any]

_MARKED: Mapping[str, FieldReader] = {
    "duration": ValueReader.duration,
    "seconds": ValueReader.seconds,
    "timestamp": ValueReader.timestamp,
    "color": ValueReader.color,
    "languages": ValueReader.languages,
    "secret": ValueReader.secret,
    "strings": ValueReader.strings,
    "headers": ValueReader.headers,
    "mentions": ValueReader.mentions,
    "ranges": ValueReader.ranges,
}

_PLAIN: Mapping[Any, FieldReader] = {
    str: ValueReader.string,
    int: ValueReader.integer,
    float: ValueReader.decimal,
    bool: ValueReader.boolean,
}


class ConfigField(Struct, frozen=True):
    """One key that an object may have.

    Attributes:
        name: of the field, ``from_`` for the key ``from``.
        read: converts the value, or raises InvalidValueError.
        if_empty: what an empty text leads to, for a warning (``extra`` of the field's Meta).
        default: what the field holds without the key; None if there has to be one.
        is_private: what it holds, or what it refers to, must not be stored.
        is_url: it must be an http or https URL.
        floor: a smaller number that is not 0 is not used.
    """

    name: str
    key: str
    read: FieldReader
    required: bool
    if_empty: str = ""
    default: Any = None
    is_private: bool = False
    is_url: bool = False
    floor: int = 0


class FieldTable(Struct, frozen=True):
    """The keys that an object may have, by their name without case."""

    table: Mapping[str, ConfigField]
    known: tuple[str, ...]

    @classmethod
    def from_fields(cls, *fields: ConfigField, also: tuple[str, ...] = ()) -> FieldTable:
        """Return the table of these fields; ``also`` are names that others read."""
        table = {field.key.casefold(): field for field in fields}
        return cls(table, (*(field.key for field in fields), *also))

    def select(self, names: tuple[str, ...]) -> tuple[ConfigField, ...]:
        """Return the fields of these names."""
        return tuple(self.table[name] for name in names)


@cache
def fields_of(kind: type[Struct]) -> FieldTable:
    """Return the keys that configure a settings class."""
    return FieldTable.from_fields(
        *(
            ConfigField(
                info.name,
                info.encode_name,
                _reader(info.type),
                info.required,
                meta_extra(info.type, "if_empty"),
                _default(info),
                meta_extra(info.type, "is") == "secret" or bool(meta_extra(info.type, "private")),
                bool(meta_extra(info.type, "url")),
                int(meta_extra(info.type, "floor") or 0),
            )
            for info in structs.fields(kind)
        )
    )


def _default(info: structs.FieldInfo) -> Any:
    if info.default_factory is not NODEFAULT:
        return info.default_factory()
    return None if info.required else info.default


def _reader(annotation: Any) -> FieldReader:
    """Return what reads a value of this type."""
    plain, metas = unwrap_annotation(annotation)
    mark = meta_extra(annotation, "is")
    read = _MARKED[mark] if mark else _by_type(plain)
    limits = [check for meta in metas for check in _limits(meta)]
    return _checked(read, limits) if limits else read


def _by_type(plain: Any) -> FieldReader:
    if plain in _PLAIN:
        return _PLAIN[plain]
    origin, arguments = get_origin(plain), get_args(plain)
    if origin is Literal:
        return _choice(arguments)
    if origin is tuple:
        return _list(_reader(arguments[0]))
    if origin is dict:
        return _mapping(_reader(arguments[1]))
    if isinstance(plain, type) and issubclass(plain, Struct):
        return _struct(plain)
    raise TypeError(f"no key of a configuration can be of the type {plain}")


def _limits(meta: Meta) -> list[tuple[Callable[[Any], object], str]]:
    """Return what a value must satisfy, and how to say that it does not."""
    bounds: tuple[tuple[Any, Callable[[Any], object], str], ...] = (
        (meta.ge, lambda value: value >= meta.ge, f"must be at least {meta.ge}"),
        (meta.gt, lambda value: value > meta.gt, f"must be greater than {meta.gt}"),
        (meta.le, lambda value: value <= meta.le, f"must be at most {meta.le}"),
        (meta.min_length, len, "must not be empty"),
    )
    return [(holds, sentence) for limit, holds, sentence in bounds if limit is not None]


def _checked(read: FieldReader, limits: list[tuple[Callable[[Any], object], str]]) -> FieldReader:
    def checked(reading: SettingsReader, node: Node, key: str) -> Any:
        value = read(reading, node, key)
        for holds, sentence in limits:
            if not holds(value):
                raise InvalidValueError(sentence)
        return value

    return checked


def _choice(choices: tuple[str, ...]) -> FieldReader:
    known = ", ".join(filter(None, choices))

    def choice(reading: SettingsReader, node: Node, key: str) -> str:
        text = reading.string(node, key)
        if text not in choices:
            raise InvalidValueError(f"must be one of {known}", did_you_mean(text, choices))
        return text

    return choice


def _list(read: FieldReader) -> FieldReader:
    def items(reading: SettingsReader, node: Node, key: str) -> tuple[Any, ...]:
        if not isinstance(node, ArrayNode):
            raise InvalidValueError(f"expected a list, got {describe(node)}", "put it in [ ]")
        return tuple(
            value
            for index, item in enumerate(node.items)
            for value in reading.try_read(read, item, f"{key}[{index}]")
        )

    return items


def _mapping(read: FieldReader) -> FieldReader:
    def mapping(reading: SettingsReader, node: Node, key: str) -> dict[str, Any]:
        if not isinstance(node, ObjectNode):
            raise InvalidValueError(f"expected an object, got {describe(node)}")
        return {
            member.key: value
            for member in node.members
            if not is_null(member.value)
            for value in reading.try_read(read, member.value, f"{key}.{member.key}")
        }

    return mapping


def _struct(kind: type[Struct]) -> FieldReader:
    def struct(reading: SettingsReader, node: Node, key: str) -> Struct:
        if not isinstance(node, ObjectNode):
            raise InvalidValueError(f"expected an object, got {describe(node)}")
        draft = reading.read_fields(fields_of(kind), reading.object_members(node, key), key)
        reading.require_fields(fields_of(kind), draft, node.offset, key)
        return reading.build(kind, draft, node.offset, key)

    return struct


# Objects of the file -> settings, field by field, with every problem noted on the way.


_Settings = TypeVar("_Settings", bound=Struct)

_SILENT = frozenset({"$schema"})
"""For editors."""


_OTHER_WORDS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("name", "title", "label", "display_name"), ("endpoint_name", "title", "name")),
    **dict.fromkeys(
        ("url", "uri", "address", "target", "host", "hostname", "server", "endpoint", "addr"),
        ("endpoint_url", "webhook", "url", "server", "dsn"),
    ),
    **dict.fromkeys(("webhook_url", "hook", "hook_url", "incoming_webhook"), ("webhook", "url")),
    **dict.fromkeys(
        ("status", "status_code", "expected_status", "expected_status_code", "statuses"),
        ("up_status",),
    ),
    **dict.fromkeys(("valid_status_codes", "accepted_statuscodes"), ("up_statuses",)),
    **dict.fromkeys(
        ("keyword", "contains", "body_contains", "expected_body", "search"), ("must_contain",)
    ),
    **dict.fromkeys(("regex", "pattern", "body_regex"), ("must_match",)),
    **dict.fromkeys(("conditions", "assertions", "json_query"), ("must_hold",)),
    **dict.fromkeys(("retries", "retry", "tries", "max_retries"), ("attempts",)),
    **dict.fromkeys(
        ("insecure", "insecure_skip_verify", "skip_verify", "ignore_tls", "verify_ssl"),
        ("tls_skip_verify",),
    ),
    **dict.fromkeys(("threshold", "max_response_time", "slow"), ("threshold_rtt",)),
    **dict.fromkeys(
        ("checks", "endpoints", "monitors", "services", "sites", "targets", "probes"), ("checkers",)
    ),
    **dict.fromkeys(
        ("alerts", "alerting", "notifications", "notification", "channels"), ("notifiers",)
    ),
    **dict.fromkeys(("store", "database", "persistence"), ("storage",)),
    **dict.fromkeys(("status_page", "ui", "website"), ("page",)),
    **dict.fromkeys(
        ("every", "period", "frequency", "schedule", "interval_seconds"), ("interval",)
    ),
    **dict.fromkeys(("timezone", "tz"), ("timezone",)),
    **dict.fromkeys(("recipients", "recipient"), ("to",)),
    **dict.fromkeys(("sender", "from_address"), ("from",)),
    **dict.fromkeys(("user", "login"), ("username",)),
    **dict.fromkeys(("token", "bearer", "auth_token"), ("bearer_token", "access_token", "token")),
    **dict.fromkeys(("path", "folder", "directory", "file"), ("dir", "dsn")),
    **dict.fromkeys(("domain", "fqdn", "query_name", "lookup"), ("hostname_fqdn",)),
    **dict.fromkeys(("cmd", "script", "program"), ("command",)),
    **dict.fromkeys(("args", "parameters"), ("arguments",)),
    **dict.fromkeys(("retention", "ttl", "keep", "expiry"), ("check_expiry",)),
}
"""What comparable programs call a key: what it may be called here, the likeliest first."""


class FieldValues(Struct, frozen=True):
    """The fields that an object sets.

    Attributes:
        values: by the name of the field.
        unexpanded: the texts that held ``${…}``, as they are written in the file.
        failed: fields whose value was refused.
        members: where each field is set, by its name.
    """

    values: dict[str, Any]
    unexpanded: dict[str, str]
    failed: set[str]
    members: dict[str, Member]


class InvalidObjectError(Exception):
    """An object that is not valid settings; the errors are in the report."""


class SettingsReader(ValueReader):
    """Reads objects; its parent reads what they hold."""

    def object_members(self, node: ObjectNode, key: str) -> dict[str, Member]:
        """Return the members by their name without case; of two with one name the last."""
        found: dict[str, Member] = {}
        for member in node.members:
            name = member.key.casefold()
            if name in found:
                path = join(key, member.key)
                fix = f"remove one; the first is on line {self.report.line(found[name].offset)}"
                self.report.warn(member.offset, path, "duplicate key; the last value is used", fix)
            found[name] = member
        return found

    def read_fields(
        self, fields: FieldTable, members: Mapping[str, Member], key: str
    ) -> FieldValues:
        """Read every member that is a field; warn about the others."""
        draft = FieldValues({}, {}, set(), {})
        for name, member in members.items():
            field = fields.table.get(name)
            if field is None:
                self._unknown(fields, member, key)
            elif not is_null(member.value):
                self._set(draft, field, member, join(key, member.key))
        return draft

    def try_read(self, read: FieldReader, node: Node, key: str) -> tuple[Any, ...]:
        """Return the value in a tuple, or an empty tuple after reporting what is wrong with it."""
        try:
            return (read(self, node, key),)
        except InvalidValueError as wrong:
            at = node.offset if wrong.at is None else wrong.at
            self.report.error(at, key, wrong.text, wrong.fix)
        except InvalidObjectError:
            pass
        return ()

    def require_fields(self, fields: FieldTable, draft: FieldValues, at: int, key: str) -> None:
        """Report every required field that is missing.

        Raises:
            InvalidObjectError: one is missing or invalid.
        """
        absent = [
            field
            for field in fields.table.values()
            if field.required and field.name not in draft.values
        ]
        for field in absent:
            if field.name not in draft.failed:
                self.report.error(at, join(key, field.key), "is required", f'add "{field.key}"')
        if absent:
            raise InvalidObjectError

    def build(self, kind: type[_Settings], draft: FieldValues, at: int, key: str) -> _Settings:
        """Return the settings, unless they contradict themselves; report what cannot work.

        A problem of a field that is not set here may come from one that was invalid before: then
        it is not reported.

        Raises:
            InvalidObjectError: they do; every problem is reported at its key.
        """

        def report(problem: SettingProblem, note: Callable[[int, str, str, str], None]) -> None:
            member = draft.members.get(problem.field)
            if problem.field in draft.failed or (draft.failed and member is None):
                return
            place = member.value.offset if member else at
            path = join(key, member.key if member else "")
            note(place, path, problem.text, problem.fix)

        try:
            settings = kind(**draft.values)
        except InvalidSettingsError as error:
            for problem in error.problems:
                report(problem, self.report.error)
            raise InvalidObjectError from error
        if isinstance(settings, Settings):
            for problem in settings.find_warnings():
                report(problem, self.report.warn)
        return settings

    def _set(self, draft: FieldValues, field: ConfigField, member: Member, key: str) -> None:
        self.expanded = False
        draft.members[field.name] = member
        draft.failed.add(field.name)
        for value in self.try_read(field.read, member.value, key):
            draft.failed.remove(field.name)
            draft.values[field.name] = value
            if self.expanded and isinstance(value, str):
                draft.unexpanded[field.name] = getattr(member.value, "text", "")
            if field.if_empty and not value:
                self.report.warn(member.value.offset, key, f"is empty: {field.if_empty}")
            if field.is_url and value and not is_web_address(value):
                fix = "write it like https://www.example.com/path"
                self.report.warn(member.value.offset, key, "not an http or https URL", fix)
            if field.floor > 0 and 0 < value < field.floor:
                text = f"is less than {short_duration(field.floor)}, which is used instead"
                self.report.warn(member.value.offset, key, text)

    def _unknown(self, fields: FieldTable, member: Member, key: str) -> None:
        if member.key in _SILENT or member.key.startswith("x-"):
            return
        word = member.key.casefold().replace("-", "_")
        others = [key for key in _OTHER_WORDS.get(word, ()) if key in fields.known]
        advice = f'did you mean "{others[0]}"?' if others else ""
        advice = advice or did_you_mean(member.key, fields.known) or "remove it"
        self.report.warn(member.offset, join(key, member.key), "unknown key, ignored", advice)


def join(key: str, name: str) -> str:
    """Return the path of a key inside another; either may be empty."""
    return f"{key}.{name}" if key and name else key or name
