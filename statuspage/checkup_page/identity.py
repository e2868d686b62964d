"""Names that machines can rely on and that give nothing away."""

from __future__ import annotations

import hashlib
from functools import lru_cache

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LENGTH = 12


@lru_cache(maxsize=10_000)
def public_key(*parts: str) -> str:
    """Return twelve characters of base 36, as the ids of Statuspage look.

    The same parts give the same key for ever; the parts cannot be read from it.
    """
    digest = hashlib.sha256("\0".join(parts).encode(errors="replace")).digest()
    number = int.from_bytes(digest) % len(_DIGITS) ** _LENGTH
    digits = []
    for _ in range(_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(digits)
