"""The words of the page in one language, which is one file under ``languages/``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

DEFAULT: Final = "en"

_FOLDER = Path(__file__).parent / "languages"


class Translations(Struct, frozen=True):
    """A language that the page speaks.

    Attributes:
        code: as in BCP 47, and as its file is called.
        phrases: what is said, by dotted keys: ``incident.status.resolved``.
    """

    code: str
    phrases: Mapping[str, str]

    def phrase(self, key: str, n: object = None) -> str:
        """Return a phrase with its ``{…}``; if it has a form for one, ``n`` chooses the form.

        Raises:
            KeyError: there is no such phrase: a mistake of ours.
        """
        if n == 1 and f"{key}.one" in self.phrases:
            return self.phrases[f"{key}.one"]
        other = self.phrases.get(f"{key}.other")
        return self.phrases[key] if other is None else other

    def say(self, key: str, **values: object) -> str:
        """Return a phrase with its values in place."""
        return self.phrase(key, values.get("n")).format_map(values)


@cache
def load_translations(code: str = DEFAULT) -> Translations:
    """Return a language by its code.

    Raises:
        LookupError: the page does not speak it.
    """
    if code not in available_languages():
        raise LookupError(
            f'the page does not speak "{code}"; it speaks {", ".join(available_languages())}'
        )
    text = (_FOLDER / f"{code}.toml").read_text("utf-8")
    return Translations(code, dict(_flat(tomllib.loads(text))))


@cache
def available_languages() -> tuple[str, ...]:
    """Return the codes of all languages that the page speaks."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{above}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return found
