"""Why a component is not operational, in words that may be public."""

from __future__ import annotations

from typing import Final

from checkup.model import Result, Status

SLOW: Final = "reason.slow"

_PHRASES: Final = {
    "body": "reason.answer",
    "connect": "reason.connection",
    "deadline": "reason.time",
    "dns": "reason.name",
    "empty": "reason.answer",
    "network": "reason.connection",
    "protocol": "reason.answer",
    "short": "reason.answer",
    "status": "reason.error",
    "tls": "reason.secure",
    "unreachable": "reason.connection",
}
"""By the first word of the failure's class. They say no more than a visitor could find out.

The sentence of the error itself is private, for it may name addresses and contents, and so is
the rest of the class. A class that is not listed is not shown.
"""


def public_reason(result: Result) -> str:
    """Return the key of a few words, or an empty string."""
    if result.status is Status.DEGRADED:
        return SLOW if result.threshold else ""
    if result.status is Status.DOWN:
        return _PHRASES.get(result.failure.partition("_")[0], "")
    return ""
