"""Why a component is not operational, in words that may be public."""

from __future__ import annotations

from checkup.model import Result, Status

SLOW = "Slow"

_PHRASES = {
    "dns": "Name not found",
    "connect": "No connection",
    "tls": "Problem with the certificate",
    "status": "Answers with an error",
    "body": "Unexpected answer",
    "deadline": "No answer in time",
}
"""By the first word of the failure's class. The sentence of the error itself is private: it can
name addresses and contents. A class that is not listed is not shown."""


def reason(result: Result) -> str:
    """Return a few words, or an empty string."""
    if result.status is Status.DEGRADED:
        return SLOW if result.threshold else ""
    if result.status is Status.DOWN:
        return _PHRASES.get(result.failure.partition("_")[0], "")
    return ""
