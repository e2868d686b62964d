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


class Language(Struct, frozen=True):
    """A language that the page speaks.

    Attributes:
        code: as in BCP 47, and as its file is called.
        phrases: what is said, by dotted keys: ``incident.status.resolved``.
    """

    code: str
    phrases: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """Return a phrase with its values in place.

        If there is an ``n`` among them and the phrase has a form for one, ``n`` chooses the form.

        Raises:
            KeyError: there is no such phrase: a mistake of ours.
        """
        phrase = self.phrases.get(f"{key}.one") if values.get("n") == 1 else None
        if phrase is None:
            phrase = self.phrases.get(f"{key}.other") or self.phrases[key]
        return phrase.format_map(values)


@cache
def language(code: str = DEFAULT) -> Language:
    """Return a language by its code.

    Raises:
        LookupError: the page does not speak it.
    """
    path = _FOLDER / f"{code}.toml"
    if code not in codes():
        raise LookupError(f'the page does not speak "{code}"; it speaks {", ".join(codes())}')
    return Language(code, dict(_flat(tomllib.loads(path.read_text("utf-8")))))


@cache
def codes() -> tuple[str, ...]:
    """Return the codes of all languages that the page speaks."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def _flat(tree: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{above}{key}"
        found += _flat(value, f"{name}.") if isinstance(value, dict) else [(name, value)]
    return found
