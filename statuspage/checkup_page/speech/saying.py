"""Phrases of a language in HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from markupsafe import Markup, escape

from checkup_page.speech.language import Translations

_VALUE: Final = re.compile(r"\{(\w+)\}")


def html_translator(language: Translations) -> Callable[..., Markup]:
    """Return what says phrases: markup among the values stays, all else is escaped.

    A page says hundreds of them, so each is taken apart once.
    """

    @cache
    def parts(key: str, *, one: bool) -> tuple[str, ...]:
        """Return text and names of values in turn, text first and last."""
        return tuple(_VALUE.split(escape(language.phrase(key, 1 if one else None))))

    def filled(key: str, values: Mapping[str, object]) -> Markup:
        told = list(parts(key, one=values.get("n") == 1))
        for at in range(1, len(told), 2):
            told[at] = escape(values[told[at]])
        return Markup("".join(told))  # noqa: S704 - each part has been escaped

    @cache
    def plain(key: str) -> Markup:
        return filled(key, {})

    def say(key: str, **values: object) -> Markup:
        return filled(key, values) if values else plain(key)

    return say
