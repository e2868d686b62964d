"""Why a component is not operational, in words that may be public."""

from __future__ import annotations

from typing import Final

from checkup.model import Result, Status

SLOW: Final = "Slow"

_PHRASES: Final = {
    "body": "Unexpected answer",
    "connect": "No connection",
    "deadline": "No answer in time",
    "dns": "Name not found",
    "empty": "Unexpected answer",
    "network": "No connection",
    "protocol": "Unexpected answer",
    "short": "Unexpected answer",
    "status": "Answers with an error",
    "tls": "No secure connection",
    "unreachable": "No connection",
}
"""By the first word of the failure's class. They say no more than a visitor could find out.

The sentence of the error itself is private, for it may name addresses and contents, and so is
the rest of the class. A class that is not listed is not shown.
"""


def reason(result: Result) -> str:
    """Return a few words, or an empty string."""
    if result.status is Status.DEGRADED:
        return SLOW if result.threshold else ""
    if result.status is Status.DOWN:
        return _PHRASES.get(result.failure.partition("_")[0], "")
    return ""
