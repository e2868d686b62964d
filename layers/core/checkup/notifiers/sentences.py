"""What each kind of alert says. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.moments import format_length, format_time

DURATION_LABELS: Final[Mapping[AlertKind, str]] = {
    AlertKind.CHANGE: "So far",
    AlertKind.REMIND: "So far",
    AlertKind.RESOLVE: "Lasted",
    AlertKind.GAP: "Lasted",
}
"""What the length of time is called that an alert of this kind tells of."""

_STATES: Final[Mapping[AlertKind, str]] = {
    AlertKind.FLAPPING: "flapping",
    AlertKind.SETTLED: "settled",
    AlertKind.BLIND: "cannot be checked",
    AlertKind.SIGHTED: "can be checked again",
    AlertKind.INCONCLUSIVE: "notice from",
    AlertKind.GAP: "notice from",
    AlertKind.REBUILT: "notice from",
    AlertKind.TEST: "test of",
}


def status_phrase(alert: Alert) -> str:
    """Return the words under which alerts are counted together."""
    if alert.kind in _STATES:
        return _STATES[alert.kind]
    if alert.kind is AlertKind.RESOLVE:
        return "no longer checked" if alert.status is Status.UNKNOWN else "healthy again"
    return f"still {alert.status}" if alert.kind is AlertKind.REMIND else str(alert.status)


def alert_sentence(alert: Alert, name: str, reason: str) -> str:
    """Return one sentence.

    Args:
        name, reason: those of the alert, as they can be shown.
    """
    return _SENTENCES[alert.kind](alert, name, f": {reason}" if reason else "")


def outage_duration(alert: Alert) -> str:
    """Return how long it has lasted until the announced status began, or until now."""
    until = alert.slot if alert.kind in {AlertKind.REMIND, AlertKind.GAP} else alert.since
    return format_length(until - alert.opened)


def _open(alert: Alert, name: str, why: str) -> str:
    never = ", never seen healthy," if alert.before is Status.UNKNOWN else ""
    return f"{name} is {alert.status}{never} since {_since(alert)}{why}{_explains(alert)}"


def _change(alert: Alert, name: str, why: str) -> str:
    before = "no longer down but " if alert.before is Status.DOWN else ""
    return f"{name} is {before}{alert.status} since {_since(alert)}{why}{_explains(alert)}"


def _remind(alert: Alert, name: str, why: str) -> str:
    return (
        f"{name} is still {alert.status}, for {outage_duration(alert)} now{why}{_explains(alert)}"
    )


def _resolve(alert: Alert, name: str, _: str) -> str:
    if alert.status is Status.UNKNOWN:
        since = format_time(alert.opened, alert.slot)
        return f"{name} is no longer checked; it had been {alert.before} since {since}"
    return f"{name} is healthy again since {_since(alert)}, after {outage_duration(alert)}"


def _flapping(alert: Alert, name: str, why: str) -> str:
    return f"{name} is flapping: it changes again and again, now {alert.status}{why}"


def _settled(alert: Alert, name: str, why: str) -> str:
    return f"{name} has settled and is {alert.status} since {_since(alert)}{why}"


def _blind(_: Alert, name: str, why: str) -> str:
    return f"{name} cannot be checked{why}"


def _sighted(alert: Alert, name: str, why: str) -> str:
    return f"{name} can be checked again and is {alert.status}{why}"


def _gap(alert: Alert, name: str, why: str) -> str:
    return f"{name}{why}, from {_since(alert)} for {outage_duration(alert)}"


def _notice(_: Alert, name: str, why: str) -> str:
    return f"{name}{why}"


def _since(alert: Alert) -> str:
    return format_time(alert.since, alert.slot)


def _explains(alert: Alert) -> str:
    """Say how many failures this one explains, which are not announced on their own."""
    count = len(alert.holds_back)
    return f"; it explains {count} more" if count else ""


_SENTENCES: Final[Mapping[AlertKind, Callable[[Alert, str, str], str]]] = {
    AlertKind.OPEN: _open,
    AlertKind.CHANGE: _change,
    AlertKind.REMIND: _remind,
    AlertKind.RESOLVE: _resolve,
    AlertKind.FLAPPING: _flapping,
    AlertKind.SETTLED: _settled,
    AlertKind.BLIND: _blind,
    AlertKind.SIGHTED: _sighted,
    AlertKind.INCONCLUSIVE: _notice,
    AlertKind.GAP: _gap,
    AlertKind.REBUILT: _notice,
    AlertKind.TEST: _notice,
}
