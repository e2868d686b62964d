"""Hides secrets in texts that are stored, printed or sent. Pure.

What is hidden is replaced by ``***``: passwords in addresses, the values of their queries and
fragments, ``password=…`` and its like, and every value that is known to be secret.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, quote_plus

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
