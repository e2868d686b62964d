"""One value of the file -> one value of a field, or what is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from checkup.config.environment import Environment, MissingVariable
from checkup.config.nearest import Nearest
from checkup.config.report import Report
from checkup.config.tree import Array, Form, Node, Object, Scalar, describe, is_null
from checkup.duration import parse_duration
from checkup.model import SECOND
from checkup.options import SPOKEN

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,3})?")
_LIMIT = 2**63
_TRUTHS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:[.,](\d{1,18}))?([Zz]|[-+]\d\d:\d\d)", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = re.compile(r"([0-9]{1,9})(?: ?- ?([0-9]{1,9}))?")
_COLOR = re.compile(r"#[0-9a-f]{6}")
_REFERENCE = re.compile(r"(?:ssm|secretsmanager|env|file):.")
_DURATION_FIX = 'write it like "500ms", "10s" or "1h30m"'
_MILLISECOND = SECOND // 1000


class Wrong(Exception):  # noqa: N818 - always caught by who knows the key
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


class Values:
    """Reads scalars and lists of them.

    Attributes:
        report: where problems go.
        environment: what ``${…}`` stands for.
        expanded: set whenever a value came from the environment; reset it to watch.
    """

    def __init__(self, report: Report, environment: Environment) -> None:
        self.report = report
        self.report.hidden = environment.used
        self.environment = environment
        self.expanded = False

    def string(self, node: Node, _: str) -> str:
        """A text; in YAML whatever stands there."""
        text, form = self._scalar(node, "a text")
        if form in {Form.QUOTED, Form.PLAIN}:
            return text
        raise Wrong(f"expected a text, found {describe(node)}", "write it in quotation marks")

    def integer(self, node: Node, _: str) -> int:
        """A whole number of 64 bits; no point, no exponent, no quotation marks."""
        text, form = self._scalar(node, "a whole number")
        if form in {Form.NUMBER, Form.PLAIN} and _WHOLE.fullmatch(text):
            number = int(text)
            if -_LIMIT <= number < _LIMIT:
                return number
        if form is Form.QUOTED:
            raise Wrong("expected a whole number, found a text", "remove the quotation marks")
        if form is Form.WORD:
            raise Wrong(f"expected a whole number, found {describe(node)}")
        raise Wrong("expected a whole number of at most 64 bits", "write digits only")

    def decimal(self, node: Node, _: str) -> float:
        """Any number."""
        text, form = self._scalar(node, "a number")
        if form in {Form.NUMBER, Form.PLAIN} and _NUMBER.fullmatch(text):
            return float(text)
        raise Wrong(f"expected a number, found {describe(node)}")

    def boolean(self, node: Node, _: str) -> bool:
        """True or false; in YAML also yes, no, on and off."""
        text, form = self._scalar(node, "true or false")
        if form is Form.PLAIN and text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        if form is Form.WORD:
            return text == "true"
        fix = "remove the quotation marks" if form is Form.QUOTED else ""
        raise Wrong(f"expected true or false, found {describe(node)}", fix)

    def duration(self, node: Node, key: str) -> int:
        """Nanoseconds, from a text with units or Go's integer."""
        text, form = self._scalar(node, "a duration")
        if form is not Form.QUOTED and _WHOLE.fullmatch(text):
            nanoseconds = self.integer(node, key)
            if 0 < nanoseconds < _MILLISECOND:
                said = f"{nanoseconds} means {nanoseconds} nanoseconds"
                self.report.warn(node.at, key, said, f'for seconds write "{nanoseconds}s"')
            return nanoseconds
        if form in {Form.NUMBER, Form.WORD}:
            raise Wrong(f"expected a duration, found {describe(node)}", _DURATION_FIX)
        try:
            return parse_duration(text)
        except (ValueError, ArithmeticError):
            raise Wrong("not a duration", _DURATION_FIX) from None

    def seconds(self, node: Node, key: str) -> int:
        """Whole seconds, from an integer or a text with units."""
        form = node.form if isinstance(node, Scalar) else None
        text = self.string(node, key) if form in {Form.QUOTED, Form.PLAIN} else ""
        if form is Form.NUMBER or _WHOLE.fullmatch(text):
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
            raise Wrong("a moment before 1970")
        return seconds * SECOND + int((fraction or "")[:9].ljust(9, "0"))

    def color(self, node: Node, key: str) -> str:
        """Red, green and blue, two hexadecimal digits each."""
        text = self.string(node, key).lower()
        if _COLOR.fullmatch(text) is None:
            raise Wrong("not a colour", 'write it like "#0a7d3c"')
        return text

    def languages(self, node: Node, key: str) -> tuple[str, ...]:
        """Languages of the page; a single one is a list of one."""
        items = node.items if isinstance(node, Array) else (node,)
        return tuple(self._language(item, key) for item in items)

    def _language(self, node: Node, key: str) -> str:
        text = self.string(node, key)
        if text not in SPOKEN:
            advice = Nearest(SPOKEN).advice(text)
            raise Wrong(f"must be one of {', '.join(SPOKEN)}", advice, node.at)
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
        if isinstance(node, Object):
            raise Wrong("expected a list of texts, found an object")
        if not isinstance(node, Array):
            return (self.string(node, key),)
        found = []
        for index, item in enumerate(node.items):
            try:
                found.append(self.string(item, key))
            except Wrong as wrong:
                self.report.error(item.at, f"{key}[{index}]", wrong.text, wrong.fix)
        return tuple(found)

    def headers(self, node: Node, key: str) -> dict[str, tuple[str, ...]]:
        """Names with one or more values each."""
        if not isinstance(node, Object):
            fix = 'write {"Name": "value"}'
            raise Wrong(f"expected an object of headers, found {describe(node)}", fix)
        found = {}
        for member in node.members:
            if is_null(member.value):
                continue
            try:
                found[member.key] = self.strings(member.value, f"{key}.{member.key}")
            except Wrong as wrong:
                self.report.error(member.value.at, f"{key}.{member.key}", wrong.text, wrong.fix)
        return found

    def ranges(self, node: Node, key: str) -> tuple[tuple[int, int], ...]:
        """Numbers and ranges of them; a single one is a list of one."""
        items = node.items if isinstance(node, Array) else (node,)
        return tuple(self._range(item, key) for item in items)

    def _range(self, node: Node, _: str) -> tuple[int, int]:
        text, form = self._scalar(node, "a number or a range")
        match = _RANGE.fullmatch(text) if form is not Form.WORD else None
        fix = 'write it like 404 or "200-299"'
        if match is None:
            raise Wrong(f"expected a number or a range, found {describe(node)}", fix, node.at)
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise Wrong("a range that ends before it begins", fix, node.at)
        return first, last

    def _scalar(self, node: Node, wanted: str) -> tuple[str, Form]:
        """Return text and form; what came from the environment has no form of its own."""
        if not isinstance(node, Scalar):
            raise Wrong(f"expected {wanted}, found {describe(node)}")
        if node.form not in {Form.QUOTED, Form.PLAIN} or "${" not in node.text:
            return node.text, node.form
        try:
            text = self.environment.expand(node.text)
        except MissingVariable as missing:
            text = f"the environment variable {missing.name} is not set"
            fix = f"set it, or write ${{{missing.name}:-default}}; $${{ is a literal ${{"
            raise Wrong(text, fix) from None
        if text == node.text:
            return text, node.form
        self.expanded = True
        return text, Form.PLAIN


def _no_moment() -> NoReturn:
    raise Wrong("not a moment", 'write it like "2026-01-31T18:00:00Z"') from None
