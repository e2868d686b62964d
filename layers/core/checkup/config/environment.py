"""``${ENV}`` in the texts of a configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class MissingVariable(LookupError):  # noqa: N818 - caught where it is met
    """A variable that is not set and has no default.

    Attributes:
        name: of the variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Environment:
    """The variables of the process, and which of them the configuration used.

    Attributes:
        used: values that came from the environment, each once.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self.used: dict[str, None] = {}

    def expand(self, text: str) -> str:
        """Replace ``${NAME}`` and ``${NAME:-default}``; ``$${`` stands for a literal ``${``.

        As in a shell, the default also stands in for an empty value. What does not look like
        one of the three forms stays as it is.

        Raises:
            MissingVariable: there is neither a value nor a default.
        """
        return _REFERENCE.sub(self._value, text) if "${" in text else text

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
            raise MissingVariable(name)
        return value
