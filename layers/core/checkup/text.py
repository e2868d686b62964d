"""Hides secrets in texts that are stored, printed or sent. Pure.

What is hidden is replaced by ``***``: passwords in addresses, the values of their queries and
fragments, ``password=…`` and its like, and every value that is known to be secret.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from urllib.parse import quote, quote_plus

from checkup.times import _REPLACED, _STACKED, _is_unwanted

MASK = "***"

_SHORT = 4
"""Shorter secrets are hidden where they stand alone: an ``eu`` inside a word is no secret."""

_ADDRESS = re.compile(r"://([^\s\"'<>`]*)")
_USERINFO = re.compile(r"[^/?#]*@")

_BROKEN_USERINFO = re.compile(r"[^/?#@\[]*:(?![0-9]+(?:[/?#]|$)).*@")
"""A password with a raw ``/``, ``?`` or ``#`` in it: what looks like a port is no number."""

_BARE_USERINFO = re.compile(
    r"(?<![^\s\"'<>`=(,])([^\s\"'<>`=(,/:@?#]{0,256}):(?!//|[0-9]*/)[^\s\"'<>`@]{1,256}@"
)

_PAIR = re.compile(r"([?&;#][^\s\"'<>`&;#=?]*=)[^\s\"'<>`&;#]+")

_NAMED = re.compile(
    r"((?:password|passwd|pwd|secret|token|api[_-]?key) ?= ?)"
    r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s&;\"'<>`]+)",
    re.IGNORECASE,
)


def mask_secrets(text: str, secrets: Sequence[str] = ()) -> str:
    """Return the text with every secret hidden, also where it is percent-encoded."""
    pattern = _any_of(tuple(secrets))
    return pattern.sub(MASK, text) if pattern else text


def mask_address(text: str, secrets: Sequence[str] = ()) -> str:
    """Return an address, or a text with addresses in it, with everything secret hidden.

    The user's name stays (``https://user:***@host``) unless there is no password: then it is
    a token. Names of query values stay (``?key=***``), so that people know their address.
    """
    shown = _ADDRESS.sub(_mask_userinfo, mask_secrets(text, secrets))
    shown = _BARE_USERINFO.sub(rf"\1:{MASK}@", shown)
    shown = _PAIR.sub(rf"\1{MASK}", shown)
    return _NAMED.sub(rf"\1{MASK}", shown)


def _mask_userinfo(match: re.Match[str]) -> str:
    rest = match[1]
    userinfo = "@" in rest and (_BROKEN_USERINFO.match(rest) or _USERINFO.match(rest))
    if not userinfo:
        return match[0]
    user, colon, _ = userinfo[0].partition(":")
    shown = f"{user}:{MASK}" if colon else MASK
    return f"://{shown}@{rest[userinfo.end() :]}"


@lru_cache(maxsize=8)
def _any_of(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return a pattern for any of the secrets in any of their spellings, the longest first."""
    spellings = {
        spelling
        for secret in secrets
        if secret.strip("* ")
        for spelling in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    }
    if not spellings:
        return None
    return re.compile("|".join(map(_literal, sorted(spellings, key=len, reverse=True))))


def _literal(secret: str) -> str:
    escaped = re.escape(secret)
    return escaped if len(secret) >= _SHORT else rf"(?<![^\W_]){escaped}(?![^\W_])"


# Repeats in a sentence what a server said: printable, short, and without our secrets.


_LONGEST = 80

_SHORTEST_SECRET = 4
"""Letters; a shorter one would tear holes in every sentence."""


def quote_untrusted(text: str, secrets: Sequence[str]) -> str:
    """Return the text, fit to be printed and stored.

    Args:
        secrets: what was sent and is nobody else's business; a server may send it back.
    """
    printable = "".join(letter for letter in text if letter.isprintable())
    known = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    return mask_address(mask_secrets(printable, known))[:_LONGEST]


# Did you mean …: the known name that is one slip away from an unknown one.


_LONGEST_NAME = 64
_FEW = 100
_SHORTEST = 3


class Nearest:
    """Known names, ready to be guessed at.

    A guess takes time by the length of the name and not by how many names there are: both
    sides are compared without one letter each, which covers a letter too many, too few,
    wrong, or swapped with the next. Case, ``-`` and ``_`` do not count.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)

    def guess(self, name: str) -> str:
        """Return the name that was probably meant, or an empty string."""
        if not _SHORTEST <= len(name) <= _LONGEST_NAME:
            return self._variants.get(_fold(name), "")
        for variant in _without_one(_fold(name)):
            if variant in self._variants:
                return self._variants[variant]
        return self._by_word(name.casefold())

    def advice(self, name: str) -> str:
        """Return ``did you mean "…"?``, or an empty string."""
        guess = self.guess(name)
        return f'did you mean "{guess}"?' if guess else ""

    @cached_property
    def _variants(self) -> dict[str, str]:
        variants: dict[str, str] = {}
        for name in self._names:
            folded = _fold(name)
            variants[folded] = name
            if _SHORTEST <= len(name) <= _LONGEST_NAME:
                for variant in _without_one(folded):
                    variants.setdefault(variant, name)
        return variants

    def _by_word(self, name: str) -> str:
        """Find ``endpoint_url`` for ``url`` and ``threshold_rtt`` for ``threshold``."""
        if len(self._names) > _FEW:
            return ""
        found = [
            known
            for known in self._names
            if known.startswith(f"{name}_") or known.endswith(f"_{name}")
        ]
        return found[0] if len(found) == 1 else ""


def _fold(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _without_one(name: str) -> Iterator[str]:
    yield name
    for index in range(len(name)):
        yield name[:index] + name[index + 1 :]


def one_line(text: str) -> str:
    """Return the text without line breaks and without characters that cannot be seen."""
    line = " ".join(text.split())
    visible = "".join(character for character in line if character.isprintable())
    return " ".join(visible.split())


def clean_line(text: str, limit: int) -> str:
    """Return a foreign string as it may be shown: one line that stays within its line.

    Control characters, characters that turn the direction of writing and invisible ones are
    left out, so that no name can pass for another or disturb its surroundings; combining marks
    are stacked at most four high. What is longer than ``limit`` ends in an ellipsis.
    """
    kept: list[str] = []
    stacked = 0
    for character in text[: 4 * limit]:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        if character in _REPLACED:
            kept.append(" ")
        elif stacked <= _STACKED and not _is_unwanted(character):
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
