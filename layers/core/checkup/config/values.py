"""One value of the file -> one value of a field, for what only this program has."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from checkup.config.nearest import Nearest
from checkup.config.scalars import WHOLE, InvalidValueError, Scalars
from checkup.config.tree import (
    ArrayNode,
    Node,
    ObjectNode,
    ScalarNode,
    ScalarStyle,
    describe,
    is_null,
)
from checkup.duration import parse_duration
from checkup.model import SECOND
from checkup.options import LOCALES

_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,18}))?([Zz]|[-+]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = re.compile(r"([0-9]{1,9})(?: ?- ?([0-9]{1,9}))?")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"(?:ssm|secretsmanager|env|file):.")
_DURATION_FIX = 'write it like "500ms", "10s" or "1h30m"'
_MILLISECOND = SECOND // 1000


class ValueReader(Scalars):
    """Reads durations, moments, secrets and the other kinds of values, and lists of them."""

    def duration(self, node: Node, key: str) -> int:
        """Nanoseconds, from a text with units or Go's integer."""
        text, form = self._scalar(node, "a duration")
        if form is not ScalarStyle.QUOTED and WHOLE.fullmatch(text):
            nanoseconds = self.integer(node, key)
            if 0 < nanoseconds < _MILLISECOND:
                said = f"{nanoseconds} means {nanoseconds} nanoseconds"
                self.report.warn(node.at, key, said, f'for seconds write "{nanoseconds}s"')
            return nanoseconds
        if form in {ScalarStyle.NUMBER, ScalarStyle.WORD}:
            raise InvalidValueError(f"expected a duration, found {describe(node)}", _DURATION_FIX)
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

    def moment(self, node: Node, key: str) -> int:
        """Nanoseconds since the epoch, from RFC 3339; Go's zero time (year 1) is 0."""
        match = _MOMENT.fullmatch(self.string(node, key))
        if match is None:
            _no_moment()
        day, clock, fraction, zone = match.groups()
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{zone.upper().replace('Z', '+00:00')}")
            seconds = (moment - _EPOCH) // timedelta(seconds=1)
        except (ValueError, OverflowError):
            _no_moment()
        if moment.year == 1:
            return 0
        if seconds < 0:
            raise InvalidValueError("a moment before 1970")
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
            advice = Nearest(LOCALES).advice(text)
            raise InvalidValueError(f"must be one of {', '.join(LOCALES)}", advice, node.at)
        return text

    def secret(self, node: Node, key: str) -> str:
        """A secret or a reference to one; in clear it works, with a warning."""
        self.expanded, before = False, self.expanded
        text = self.string(node, key)
        if not text:
            self.report.warn(node.at, key, "is empty")
        elif not self.expanded and not _REFERENCE.match(text):
            self.report.warn(
                node.at,
                key,
                "a secret in clear text",
                'write "${NAME}" or a reference such as "env:NAME" or "ssm:/path"',
            )
        self.expanded |= before
        return text

    def strings(self, node: Node, key: str) -> tuple[str, ...]:
        """A list of texts; a single one is a list of one."""
        if isinstance(node, ObjectNode):
            raise InvalidValueError("expected a list of texts, found an object")
        if not isinstance(node, ArrayNode):
            return (self.string(node, key),)
        found = []
        for index, item in enumerate(node.items):
            try:
                found.append(self.string(item, key))
            except InvalidValueError as wrong:
                self.report.error(item.at, f"{key}[{index}]", wrong.text, wrong.fix)
        return tuple(found)

    def headers(self, node: Node, key: str) -> dict[str, tuple[str, ...]]:
        """Names with one or more values each."""
        if not isinstance(node, ObjectNode):
            fix = 'write {"Name": "value"}'
            raise InvalidValueError(f"expected an object of headers, found {describe(node)}", fix)
        found = {}
        for member in node.members:
            if is_null(member.value):
                continue
            try:
                found[member.key] = self.strings(member.value, f"{key}.{member.key}")
            except InvalidValueError as wrong:
                self.report.error(member.value.at, f"{key}.{member.key}", wrong.text, wrong.fix)
        return found

    def ranges(self, node: Node, key: str) -> tuple[tuple[int, int], ...]:
        """Numbers and ranges of them; a single one is a list of one."""
        items = node.items if isinstance(node, ArrayNode) else (node,)
        return tuple(self._range(item, key) for item in items)

    def _range(self, node: Node, _: str) -> tuple[int, int]:
        text, form = self._scalar(node, "a number or a range")
        match = _RANGE.fullmatch(text) if form is not ScalarStyle.WORD else None
        fix = 'write it like 404 or "200-299"'
        if match is None:
            raise InvalidValueError(
                f"expected a number or a range, found {describe(node)}", fix, node.at
            )
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise InvalidValueError("a range that ends before it begins", fix, node.at)
        return first, last


def _no_moment() -> NoReturn:
    raise InvalidValueError("not a moment", 'write it like "2026-01-31T18:00:00Z"') from None
