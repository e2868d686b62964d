"""Text from outside, made safe to show: secrets masked, names cleaned, misspellings explained.

Masking replaces passwords in addresses, the values of their queries and fragments,
``password=…`` and its like, and every value that is known to be secret with ``***``.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from urllib.parse import quote, quote_plus

MASK: Final = "***"

_QUOTE_LIMIT: Final = 80

_SHORT_SECRET: Final = 4
"""Shorter secrets are masked only where they stand alone: an ``eu`` inside a word is not one."""

_ADDRESS: Final = re.compile(r"://([^\s\"'<>`]*)")
_USERINFO: Final = re.compile(r"[^/?#]*@")

_BROKEN_USERINFO: Final = re.compile(r"[^/?#@\[]*:(?![0-9]+(?:[/?#]|$)).*@")
"""A password with a raw ``/``, ``?`` or ``#`` in it: what looks like a port is no number."""

_BARE_USERINFO: Final = re.compile(
    r"(?<![^\s\"'<>`=(,])([^\s\"'<>`=(,/:@?#]{0,256}):(?!//|[0-9]*/)[^\s\"'<>`@]{1,256}@"
)

_PAIR: Final = re.compile(r"([?&;#][^\s\"'<>`&;#=?]*=)[^\s\"'<>`&;#]+")

_NAMED: Final = re.compile(
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
    return escaped if len(secret) >= _SHORT_SECRET else rf"(?<![^\W_]){escaped}(?![^\W_])"


def quote_untrusted(text: str, secrets: Sequence[str]) -> str:
    """Return the beginning of what a server sent, to be quoted in an error.

    Args:
        secrets: what was sent to it and may come back. Only those of four characters or more
            are masked: shorter ones would leave holes in every sentence.
    """
    printable = "".join(letter for letter in text if letter.isprintable())
    known = [secret for secret in secrets if len(secret) >= _SHORT_SECRET]
    return mask_address(mask_secrets(printable, known))[:_QUOTE_LIMIT]


_SEPARATORS: Final = "\t\n\v\f\r\u2028\u2029"
_INVISIBLE: Final = frozenset(
    {
        *"\u061c\u200e\u200f",  # these turn the direction of writing, as do the next two
        *map(chr, range(0x202A, 0x202F)),
        *map(chr, range(0x2066, 0x206A)),
        *"\u00ad\u180e\u200b\ufeff",
        *map(chr, range(0x2060, 0x2066)),
    }
)
_MOST_COMBINING: Final = 4


def one_line(text: str) -> str:
    """Return an untrusted text of any length without line breaks and unprintable characters."""
    line = " ".join(text.split())
    visible = "".join(character for character in line if character.isprintable())
    return " ".join(visible.split())


def clean_line(text: str, limit: int) -> str:
    """Return an untrusted text for the page: one line of at most ``limit`` characters.

    Control characters, invisible ones and those that change the direction of writing are
    removed, so that a name cannot imitate another or break the layout; at most four combining
    marks follow each other. Joiners stay, because emoji and some scripts need them. A text that
    is too long ends in an ellipsis.
    """
    kept: list[str] = []
    stacked = 0
    for character in text[: 4 * limit]:
        stacked = stacked + 1 if unicodedata.combining(character) else 0
        if character in _SEPARATORS:
            kept.append(" ")
        elif (
            stacked <= _MOST_COMBINING
            and character not in _INVISIBLE
            and unicodedata.category(character) not in {"Cc", "Cs"}
        ):
            kept.append(character)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


_FEWEST_LETTERS: Final = 3
_MOST_NAMES: Final = 1000
_FEW_NAMES: Final = 100
_LENGTHS_APART: Final = 2


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean "…"?`` for the known name that is most like ``name``, or nothing.

    Case, ``-`` and ``_`` do not count. Comparing takes time by the number of names, so in more
    than a thousand only a difference in these is found.
    """
    found = similar_name(name, known)
    return f"did you mean {json.dumps(found, ensure_ascii=False)}?" if found else ""


def similar_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that is most like ``name``, or nothing; see :func:`did_you_mean`."""
    return _similar_name(name, tuple(known))


@lru_cache(maxsize=256)
def _similar_name(name: str, known: tuple[str, ...]) -> str:
    folded = {
        other.casefold().replace("_", "").replace("-", ""): other for other in reversed(known)
    }
    typed = name.casefold().replace("_", "").replace("-", "")
    found = [folded[typed]] if typed in folded else []
    if not found and len(name) >= _FEWEST_LETTERS and len(known) <= _MOST_NAMES:
        # "tls_skip_verify" is as close to "tls_verify" as it is far from its meaning
        similar = [other for other in folded if abs(len(other) - len(typed)) <= _LENGTHS_APART]
        found = [folded[other] for other in get_close_matches(typed, similar, n=1, cutoff=0.66)]
    if not found and len(name) >= _FEWEST_LETTERS and len(known) <= _FEW_NAMES:
        # "endpoint_url" for "url", "threshold_rtt" for "threshold"
        word = name.casefold()
        found = [it for it in known if it.startswith(f"{word}_") or it.endswith(f"_{word}")]
    return found[0] if len(found) == 1 else ""


# Public keys: short names in addresses of the page that reveal nothing.


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_KEY_LENGTH: Final = 12


@lru_cache(maxsize=10_000)
def public_key(*parts: str) -> str:
    """Return twelve characters of base 36, like the ids of Statuspage.

    The same parts always give the same key, and the parts cannot be read from it.
    """
    digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).digest()
    number = int.from_bytes(digest) % len(_DIGITS) ** _KEY_LENGTH
    digits = []
    for _ in range(_KEY_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)


def component_key(page_key: str, checker: str) -> str:
    """Return the public key of a checker on the page with this key; its page has it as its name."""
    return public_key(page_key, "component", checker)
