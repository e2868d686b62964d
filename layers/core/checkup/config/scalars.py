"""One scalar of the file -> a text, a number or a truth, or what is wrong with it."""

from __future__ import annotations

import re

from checkup.config.environment import MissingVariableError, VariableExpander
from checkup.config.report import Diagnostics
from checkup.config.tree import Node, ScalarNode, ScalarStyle, describe

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
        self.report.hidden = environment.used
        self.environment = environment
        self.expanded = False

    def string(self, node: Node, _: str) -> str:
        """A text; in YAML whatever stands there."""
        text, form = self._scalar(node, "a text")
        if form in {ScalarStyle.QUOTED, ScalarStyle.PLAIN}:
            return text
        raise InvalidValueError(
            f"expected a text, found {describe(node)}", "write it in quotation marks"
        )

    def integer(self, node: Node, _: str) -> int:
        """A whole number of 64 bits; no point, no exponent, no quotation marks."""
        text, form = self._scalar(node, "a whole number")
        if form in {ScalarStyle.NUMBER, ScalarStyle.PLAIN} and WHOLE.fullmatch(text):
            number = int(text)
            if -_LIMIT <= number < _LIMIT:
                return number
        if form is ScalarStyle.QUOTED:
            raise InvalidValueError(
                "expected a whole number, found a text", "remove the quotation marks"
            )
        if form is ScalarStyle.WORD:
            raise InvalidValueError(f"expected a whole number, found {describe(node)}")
        raise InvalidValueError("expected a whole number of at most 64 bits", "write digits only")

    def decimal(self, node: Node, _: str) -> float:
        """Any number."""
        text, form = self._scalar(node, "a number")
        if form in {ScalarStyle.NUMBER, ScalarStyle.PLAIN} and _NUMBER.fullmatch(text):
            return float(text)
        raise InvalidValueError(f"expected a number, found {describe(node)}")

    def boolean(self, node: Node, _: str) -> bool:
        """True or false; in YAML also yes, no, on and off."""
        text, form = self._scalar(node, "true or false")
        if form is ScalarStyle.PLAIN and text.lower() in _TRUTHS:
            return _TRUTHS[text.lower()]
        if form is ScalarStyle.WORD:
            return text == "true"
        fix = "remove the quotation marks" if form is ScalarStyle.QUOTED else ""
        raise InvalidValueError(f"expected true or false, found {describe(node)}", fix)

    def _scalar(self, node: Node, wanted: str) -> tuple[str, ScalarStyle]:
        """Return text and form; what came from the environment has no form of its own."""
        if not isinstance(node, ScalarNode):
            raise InvalidValueError(f"expected {wanted}, found {describe(node)}")
        if node.form not in {ScalarStyle.QUOTED, ScalarStyle.PLAIN}:
            return node.text, node.form
        try:
            text = self.environment.expand(node.text)
        except MissingVariableError as missing:
            text = f"the environment variable {missing.name} is not set"
            fix = f"set it, or write ${{{missing.name}:-default}}; $${{ is a literal ${{"
            raise InvalidValueError(text, fix) from None
        if text == node.text:
            return text, node.form
        self.expanded = True
        return text, ScalarStyle.PLAIN
