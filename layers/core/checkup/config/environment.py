"""``${ENV}`` in the texts of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from checkup.redaction import MASK

_VARIABLE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class MissingVariableError(LookupError):
    """A variable that is not set and has no default.

    Attributes:
        name: of the variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class VariableExpander:
    """The variables of the process, and which of them the configuration used.

    Attributes:
        used: values that came from the environment, each once.
        shown: every text of the configuration, expanded, and how it looks without these values.
            They may differ from region to region; what stands in the file does not.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.used: dict[str, None] = {}
        self.shown: dict[str, str] = {}

    def expand(self, text: str) -> str:
        """Replace ``${NAME}`` and ``${NAME:-default}``; ``$${`` stands for a literal ``${``.

        As in a shell, the default also stands in for an empty value. What does not look like
        one of the three forms stays as it is.

        Raises:
            MissingVariableError: there is neither a value nor a default.
        """
        if "${" not in text:
            self.shown.setdefault(text, text)
            return text
        expanded = _VARIABLE.sub(self._value, text)
        self.shown[expanded] = _VARIABLE.sub(self._hidden, text)
        return expanded

    def _value(self, match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        if name is None:
            return "${"
        value = self._variables.get(name)
        if value:
            self.used[value] = None
            return value
        if default is not None:
            return default
        if value is None:
            raise MissingVariableError(name)
        return value

    def _hidden(self, match: re.Match[str]) -> str:
        return MASK if self._variables.get(match["name"] or "") else self._value(match)
