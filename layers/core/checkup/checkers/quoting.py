"""Repeats in a sentence what a server said: printable, short, and without our secrets."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.redaction import mask_address, mask_secrets

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
