"""What the newest run found out about each component, for programs that plot it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.model import Phases, Result, Status
from checkup.redaction import mask_address
from checkup_page.components.recent import response_time
from checkup_page.components.tracks import CheckerResults
from checkup_page.speech.words import clean_line
from checkup_page.state import ComponentStatus

ADDRESSES: Final = "addresses"
CERTIFICATES: Final = "certificates"
"""What is private unless ``page.publish`` lists it."""

_ADDRESS_LIMIT: Final = 300


class ProbeMetrics(Struct, frozen=True, kw_only=True):
    """What is known of one component.

    Attributes:
        success: whether it could be used; None if nobody knows, or too long ago.
        response: the median response time in nanoseconds; None if there is none.
        phases: where the time of an HTTP request went; None if there was none.
        address: what was checked, secrets masked; empty unless addresses are published.
        certificate_expiry: when the server's certificate ends, in nanoseconds since the epoch;
            None if there is none, and unless certificates are published.
    """

    success: bool | None = None
    response: int | None = None
    phases: Phases | None = None
    address: str = ""
    certificate_expiry: int | None = None


def probe_metrics(
    track: CheckerResults, state: ComponentStatus, published: Collection[str], masks: Sequence[str]
) -> ProbeMetrics:
    """Return what the newest run found out about a component.

    Args:
        track: its results.
        state: how it is shown; what is unknown on the page is unknown here.
        published: what ``page.publish`` lists.
        masks: values that must not be shown.
    """
    newest = track.newest
    if newest is None:
        return ProbeMetrics()
    found = ProbeMetrics(address=_address(newest, masks) if ADDRESSES in published else "")
    if ComponentStatus.UNKNOWN in {state, ComponentStatus.of(newest.status)}:
        return found
    return replace(
        found,
        success=newest.status is not Status.DOWN,
        response=response_time(newest),
        phases=_phases(newest),
        certificate_expiry=_certificate_expiry(newest) if CERTIFICATES in published else None,
    )


def _address(result: Result, masks: Sequence[str]) -> str:
    """Return what was checked; the Go program stored it as it was."""
    return clean_line(mask_address(result.endpoint, masks), _ADDRESS_LIMIT)


def _phases(result: Result) -> Phases | None:
    """Return the phases of the last request that was answered."""
    if result.kind != "http":
        return None
    answered = (attempt.phases for attempt in reversed(result.times) if not attempt.error)
    return next((phases for phases in answered if phases is not None), None)


def _certificate_expiry(result: Result) -> int | None:
    found = (attempt.certificate_expiry for attempt in result.times)
    return min((expiry for expiry in found if expiry > 0), default=None)
