"""From one value of the file to the value of a field: scalars, durations, secrets, lists.

``${NAME}`` is replaced first, so that a number or a boolean can come from the environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from urllib.parse import urlsplit

from checkup.config.source import (
    ArrayNode,
    Diagnostics,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
    describe,
    is_null,
)
from checkup.interfaces.kinds import (
    LOCALES,
    MENTION_STATUSES,
    extra_not_installed,
    is_extra_installed,
)
from checkup.text import MASK, did_you_mean
from checkup.times import SECOND, parse_duration

_VARIABLE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<operator>\}|:?[-?]))?")
_BARE_VARIABLE = re.compile(r"\$[A-Za-z_][A-Za-z0-9_]{2,}")
_LONGEST_WORD = 4096
_DEEPEST_WORD = 20
_BRACE = re.compile(r"\$\$\{|\$\{|\}")


class MissingVariableError(LookupError):
    """A variable that has no value and no default; the message says which.

    Attributes:
        fix: what to do about it.
    """

    def __init__(self, name: str, problem: str, message: str) -> None:
        super().__init__(
            f"environment variable {name} is {problem}" + (f": {message}" if message else "")
        )
        self.fix = f"set it, or use ${{{name}:-default}}; write $${{ for a literal ${{"


class VariableExpander:
    """The variables of the process, and which of them the configuration used.

    Attributes:
        used_values: values that came from the environment, each once.
        masked_texts: every text of the configuration, expanded, and how it looks without these
            values. They may differ from region to region; what stands in the file does not.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.used_values: dict[str, None] = {}
        self.masked_texts: dict[str, str] = {}

    def is_set(self, name: str) -> bool:
        """Whether the variable has a value that is not empty."""
        return bool(self._variables.get(name))

    def expand(self, text: str) -> str:
        """Replace ``${NAME}`` and the forms of a shell with a default or a message.

        ``${NAME:-default}`` and ``${NAME:?message}`` also apply to an empty value,
        ``${NAME-default}`` and ``${NAME?message}`` do not. Default and message can contain
        further variables. ``$${`` stands for a literal ``${``. What has none of these forms stays
        as it is: see :func:`has_unknown_form`.

        Raises:
            MissingVariableError: there is neither a value nor a default.
        """
        if "${" not in text:
            self.masked_texts.setdefault(text, text)
            return text
        expanded = self._expand(text, hides=False)
        self.masked_texts[expanded] = self._expand(text, hides=True)
        return expanded

    def _expand(self, text: str, *, hides: bool) -> str:
        parts: list[str] = []
        at = 0
        while match := _VARIABLE.search(text, at):
            parts.append(text[at : match.start()])
            name, operator, end = match["name"], match["operator"] or "", match.end()
            word = ""
            if operator not in {"", "}"}:
                word, end = _word(text, end)
            at = end or match.end()
            if name is None or not end:
                parts.append("${" if match[0] == "$${" else match[0])
                continue
            value = self._variables.get(name)
            if value or (value is not None and ":" not in operator):
                parts.append(MASK if hides and value else value)
                if value and not hides:
                    self.used_values[value] = None
            elif "-" in operator:
                parts.append(self._expand(word, hides=hides))
            else:
                problem = "not set" if value is None else "empty"
                raise MissingVariableError(name, problem, self._expand(word, hides=True))
        return "".join(parts) + text[at:]


def has_unknown_form(text: str) -> bool:
    """Whether a text has a ``${…}`` that is not expanded, because it has another form."""
    at = 0
    while match := _VARIABLE.search(text, at):
        at = match.end()
        if match[0] == "$${" or match["operator"] == "}":
            continue
        if match["name"] is None or not _word(text, at)[1]:
            return True
    return False


def _word(text: str, start: int) -> tuple[str, int]:
    """Return the default or message that starts here, and the place after its ``}``; 0 if none."""
    depth = 1
    for brace in _BRACE.finditer(text, start, start + _LONGEST_WORD):
        depth += {"}": -1, "${": 1}.get(brace[0], 0)
        if not depth:
            return text[start : brace.start()], brace.end()
        if depth > _DEEPEST_WORD:
            break
    return "", 0


WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})?")
_LIMIT = 2**63
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class InvalidValueError(Exception):
    """A value that its key cannot have.

    Attributes:
        at: its place; None for that of the value that was to be read.
        text, fix: as in a Problem.
    """

    def __init__(self, text: str, fix: str = "", at: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.fix = fix
        self.at = at


class Scalars:
    """Reads what every document has.

    Attributes:
        report: where problems go.
        environment: what ``${…}`` stands for.
        expanded: set whenever a value came from the environment; reset it to watch.
    """

    def __init__(self, report: Diagnostics, environment: VariableExpander) -> None:
        self.report = report
        self.report.masked_values = environment.used_values
        self.environment = environment
        self.expanded = False
        self._warned: set[tuple[int, str]] = set()

    def string(self, node: Node, key: str) -> str:
        """A text; in YAML whatever stands there."""
        text, form = self._scalar(node, key, "a string")
        if form in {ScalarStyle.QUOTED, ScalarStyle.PLAIN}:
            return text
        raise InvalidValueError(f"expected a string, got {describe(node)}", "put it in quotes")

    def integer(self, node: Node, key: str) -> int:
        """A whole number of 64 bits; no point, no exponent, no quotation marks."""
        text, form = self._scalar(node, key, "an integer")
        if form in {ScalarStyle.NUMBER, ScalarStyle.PLAIN} and WHOLE.fullmatch(text):
            number = int(text)
            if -_LIMIT <= number < _LIMIT:
                return number
        if form is ScalarStyle.QUOTED:
            raise InvalidValueError("expected an integer, got a string", "remove the quotes")
        if form is ScalarStyle.KEYWORD or (form is ScalarStyle.PLAIN and text.lower() in _TRUTHS):
            raise InvalidValueError(f"expected an integer, got {text}", "write a number")
        raise InvalidValueError("expected an integer of at most 64 bits", "use digits only")

    def decimal(self, node: Node, key: str) -> float:
        """Any number."""
        text, form = self._scalar(node, key, "a number")
        if form in {ScalarStyle.NUMBER, ScalarStyle.PLAIN} and _NUMBER.fullmatch(text):
            return float(text)
        raise InvalidValueError(f"expected a number, got {describe(node)}")

    def boolean(self, node: Node, key: str) -> bool:
        """True or false; in YAML also yes, no, on and off."""
        text, form = self._scalar(node, key, "true or false")
        if form is ScalarStyle.PLAIN and text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        if form is ScalarStyle.KEYWORD:
            return text == "true"
        fix = "remove the quotes" if form is ScalarStyle.QUOTED else ""
        raise InvalidValueError(f"expected true or false, got {describe(node)}", fix)

    def _scalar(self, node: Node, key: str, wanted: str) -> tuple[str, ScalarStyle]:
        """Return text and form; what came from the environment has no form of its own."""
        if not isinstance(node, ScalarNode):
            fix = "write a single value" if isinstance(node, ArrayNode) else ""
            raise InvalidValueError(f"expected {wanted}, got {describe(node)}", fix)
        if node.form not in {ScalarStyle.QUOTED, ScalarStyle.PLAIN}:
            return node.text, node.form
        try:
            text = self.environment.expand(node.text)
        except MissingVariableError as missing:
            raise InvalidValueError(str(missing), missing.fix) from None
        if has_unknown_form(node.text):
            fix = "write ${NAME}, ${NAME:-default} or ${NAME:?message}, or $${ for a literal ${"
            self._warn_once(node, key, "not a variable, so it stays as it is: ${", fix)
        if _BARE_VARIABLE.fullmatch(node.text):
            fix = f"for the environment variable, write ${{{node.text[1:]}}}"
            self._warn_once(node, key, f"{node.text} stays as it is", fix)
        if text == node.text:
            return text, node.form
        self.expanded = True
        return text, ScalarStyle.PLAIN

    def _warn_once(self, node: Node, key: str, text: str, fix: str) -> None:
        """Warn of a value that may be read several times, as one type and then as another."""
        if (node.offset, text) not in self._warned:
            self._warned.add((node.offset, text))
            self.report.warn(node.offset, key, text, fix)


_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,18}))?([Zz]|[-+]\d\d:\d\d)", re.ASCII
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = re.compile(r"([0-9]{1,9})(?: ?- ?([0-9]{1,9}))?")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"(?:ssm|secretsmanager|env|file):.")
_DURATION_FIX = 'write it like "500ms", "10s", "1h30m" or "30d"'
_MILLISECOND = SECOND // 1000


def is_web_address(text: str) -> bool:
    """Whether a text is an http or https URL with a host and a valid port, or a reference."""
    if _REFERENCE.match(text):
        return True
    try:
        address = urlsplit(text)
        _ = address.port
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname) and text == text.strip()


class ValueReader(Scalars):
    """Reads durations, timestamps, secrets and other types of values, and lists of them."""

    def duration(self, node: Node, key: str) -> int:
        """Nanoseconds, from a text with units or Go's integer."""
        text, form = self._scalar(node, key, "a duration")
        if form is not ScalarStyle.QUOTED and WHOLE.fullmatch(text):
            nanoseconds = self.integer(node, key)
            if 0 < nanoseconds < _MILLISECOND:
                said = f"{nanoseconds} means {nanoseconds} nanoseconds"
                self.report.warn(node.offset, key, said, f'for seconds write "{nanoseconds}s"')
            return nanoseconds
        if form in {ScalarStyle.NUMBER, ScalarStyle.KEYWORD}:
            raise InvalidValueError(f"expected a duration, got {describe(node)}", _DURATION_FIX)
        try:
            return parse_duration(text)
        except (ValueError, ArithmeticError):
            raise InvalidValueError("not a duration", _DURATION_FIX) from None

    def seconds(self, node: Node, key: str) -> int:
        """Whole seconds, from an integer or a text with units."""
        form = node.form if isinstance(node, ScalarNode) else None
        text = self.string(node, key) if form in {ScalarStyle.QUOTED, ScalarStyle.PLAIN} else ""
        if form is ScalarStyle.NUMBER or WHOLE.fullmatch(text):
            return self.integer(node, key)
        return self.duration(node, key) // SECOND

    def timestamp(self, node: Node, key: str) -> int:
        """Nanoseconds since the epoch, from RFC 3339; Go's zero time (year 1) is 0."""
        match = _TIMESTAMP.fullmatch(self.string(node, key))
        if match is None:
            _invalid_timestamp()
        day, clock, fraction, zone = match.groups()
        try:
            parsed = datetime.fromisoformat(f"{day}T{clock}{zone.upper().replace('Z', '+00:00')}")
            seconds = (parsed - _EPOCH) // timedelta(seconds=1)
        except (ValueError, OverflowError):
            _invalid_timestamp()
        if parsed.year == 1:
            return 0
        if seconds < 0:
            raise InvalidValueError("timestamp is before 1970")
        return seconds * SECOND + int((fraction or "")[:9].ljust(9, "0"))

    def color(self, node: Node, key: str) -> str:
        """Red, green and blue, two hexadecimal digits each."""
        text = self.string(node, key).lower()
        if _COLOR.fullmatch(text) is None:
            raise InvalidValueError("not a colour", 'write it like "#0a7d3c"')
        return text

    def languages(self, node: Node, key: str) -> tuple[str, ...]:
        """Languages of the page; a single one is a list of one."""
        items = node.items if isinstance(node, ArrayNode) else (node,)
        return tuple(self._language(item, key) for item in items)

    def _language(self, node: Node, key: str) -> str:
        text = self.string(node, key)
        if text not in LOCALES:
            advice = did_you_mean(text, LOCALES)
            raise InvalidValueError(f"must be one of {', '.join(LOCALES)}", advice, node.offset)
        return text

    def secret(self, node: Node, key: str) -> str:
        """A secret or a reference to one; in clear it works, with a warning."""
        self.expanded, before = False, self.expanded
        text = self.string(node, key)
        if not text:
            self.report.warn(node.offset, key, "is empty")
        elif not self.expanded and not _REFERENCE.match(text):
            self.report.warn(
                node.offset,
                key,
                "secret in plain text",
                'use "${NAME}" or a reference such as "env:NAME" or "ssm:/path"',
            )
        else:
            self._check_reference(node, key, text)
        self.expanded |= before
        return text

    def _check_reference(self, node: Node, key: str, text: str) -> None:
        """Warn of a reference to a secret that this machine does not have."""
        scheme, _, name = text.partition(":")
        if scheme == "env" and not self.environment.is_set(name):
            self._warn_once(node, key, f"environment variable {name} is not set", "set it")
        elif scheme in {"ssm", "secretsmanager"} and not is_extra_installed("aws"):
            self._warn_once(node, key, *extra_not_installed("aws"))

    def strings(self, node: Node, key: str) -> tuple[str, ...]:
        """A list of texts; a single one is a list of one."""
        if isinstance(node, ObjectNode):
            raise InvalidValueError("expected a list of strings, got an object")
        if not isinstance(node, ArrayNode):
            return (self.string(node, key),)
        found = []
        for index, item in enumerate(node.items):
            try:
                found.append(self.string(item, key))
            except InvalidValueError as wrong:
                self.report.error(item.offset, f"{key}[{index}]", wrong.text, wrong.fix)
        return tuple(found)

    def headers(self, node: Node, key: str) -> dict[str, tuple[str, ...]]:
        """Names with one or more values each."""
        if not isinstance(node, ObjectNode):
            fix = 'write {"Name": "value"}'
            raise InvalidValueError(f"expected an object of headers, got {describe(node)}", fix)
        found = {}
        for member in node.members:
            if is_null(member.value):
                continue
            try:
                found[member.key] = self.strings(member.value, f"{key}.{member.key}")
            except InvalidValueError as wrong:
                self.report.error(member.value.offset, f"{key}.{member.key}", wrong.text, wrong.fix)
        return found

    def mentions(self, node: Node, key: str) -> dict[str, tuple[str, ...]]:
        """Names by status, or names alone, which are those of ``down``."""
        if not isinstance(node, ObjectNode):
            return {"down": self.strings(node, key)}
        found = {}
        for member in node.members:
            if member.key not in MENTION_STATUSES:
                fix = f"use {' or '.join(MENTION_STATUSES)}"
                raise InvalidValueError(f'"{member.key}" is not a status to mention', fix)
            if not is_null(member.value):
                found[member.key] = self.strings(member.value, f"{key}.{member.key}")
        return found

    def ranges(self, node: Node, key: str) -> tuple[tuple[int, int], ...]:
        """Numbers and ranges of them; a single one is a list of one."""
        items = node.items if isinstance(node, ArrayNode) else (node,)
        return tuple(self._range(item, key) for item in items)

    def _range(self, node: Node, key: str) -> tuple[int, int]:
        text, form = self._scalar(node, key, "a number or a range")
        match = _RANGE.fullmatch(text) if form is not ScalarStyle.KEYWORD else None
        fix = 'write it like 404 or "200-299"'
        if match is None:
            raise InvalidValueError(
                f"expected a number or a range, got {describe(node)}", fix, node.offset
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InvalidValueError("range ends before it starts", fix, node.offset)
        return first, last


def _invalid_timestamp() -> NoReturn:
    raise InvalidValueError("not a timestamp", 'write it like "2026-01-31T18:00:00Z"') from None
