"""What every channel is told, in the same words: short, for a phone at three in the morning. Pure.

The headline says what happened and how bad it is. Below it, each alert has what is needed to
decide whether to get up: what, since when, how long, why, from where. Many at once become a list.
A channel lends its voice, so that outside text can do no harm there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Final
from urllib.parse import quote

from msgspec import Meta, Struct, structs

from checkup.interfaces import Notification, NotifierSettings
from checkup.model import Alert, AlertKind, Status
from checkup.text import one_line
from checkup.times import SECOND, format_length, format_minute, format_time

# What each kind of alert says. Pure.


DURATION_LABELS: Final[Mapping[AlertKind, str]] = {
    AlertKind.CHANGE: "So far",
    AlertKind.REMIND: "So far",
    AlertKind.RESOLVE: "Lasted",
    AlertKind.MISSED_RUNS: "Lasted",
}
"""What the length of time is called that an alert of this kind tells of."""

_STATES: Final[Mapping[AlertKind, str]] = {
    AlertKind.FLAPPING: "flapping",
    AlertKind.FLAPPING_ENDED: "settled",
    AlertKind.NOT_MONITORED: "cannot be checked",
    AlertKind.MONITORED_AGAIN: "can be checked again",
    AlertKind.INCONCLUSIVE: "notice from",
    AlertKind.MISSED_RUNS: "notice from",
    AlertKind.STATE_REBUILT: "notice from",
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
    until = alert.slot if alert.kind in {AlertKind.REMIND, AlertKind.MISSED_RUNS} else alert.since
    return format_length(until - alert.opened)


def _open(alert: Alert, name: str, why: str) -> str:
    never = ", never seen healthy," if alert.previous_status is Status.UNKNOWN else ""
    return f"{name} is {alert.status}{never} since {_since(alert)}{why}{_explains(alert)}"


def _change(alert: Alert, name: str, why: str) -> str:
    before = "no longer down but " if alert.previous_status is Status.DOWN else ""
    return f"{name} is {before}{alert.status} since {_since(alert)}{why}{_explains(alert)}"


def _remind(alert: Alert, name: str, why: str) -> str:
    return (
        f"{name} is still {alert.status}, for {outage_duration(alert)} now{why}{_explains(alert)}"
    )


def _resolve(alert: Alert, name: str, _: str) -> str:
    if alert.status is Status.UNKNOWN:
        since = format_time(alert.opened, alert.slot)
        return f"{name} is no longer checked; it had been {alert.previous_status} since {since}"
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
    count = len(alert.suppressed_dependents)
    return f"; it explains {count} more" if count else ""


_SENTENCES: Final[Mapping[AlertKind, Callable[[Alert, str, str], str]]] = {
    AlertKind.OPEN: _open,
    AlertKind.CHANGE: _change,
    AlertKind.REMIND: _remind,
    AlertKind.RESOLVE: _resolve,
    AlertKind.FLAPPING: _flapping,
    AlertKind.FLAPPING_ENDED: _settled,
    AlertKind.NOT_MONITORED: _blind,
    AlertKind.MONITORED_AGAIN: _sighted,
    AlertKind.INCONCLUSIVE: _notice,
    AlertKind.MISSED_RUNS: _gap,
    AlertKind.STATE_REBUILT: _notice,
    AlertKind.TEST: _notice,
}


# How a channel writes what comes from outside: nothing in it can be markup there. Pure.


def _as_it_is(character: str) -> str:
    return character


class ChannelFormat(Struct, frozen=True, kw_only=True):
    """How a channel writes.

    Attributes:
        escape: makes one outside character harmless.
        bold: what stands before and after a name.
        length: how the channel counts a text against its limits.
        ellipsis: stands for what is left out.
    """

    escape: Callable[[str], str] = _as_it_is
    bold: tuple[str, str] = ("", "")
    length: Callable[[str], int] = len
    ellipsis: str = "…"

    def escape_text(self, text: str, limit: int) -> str:
        """Make outside text harmless: one line, nothing invisible, no markup, not long.

        What is too long is cut between two characters, never inside an escape.
        """
        escaped = [self.escape(character) for character in one_line(text)[: limit + 1]]
        if sum(map(self.length, escaped)) <= limit:
            return "".join(escaped)
        room = limit - self.length(self.ellipsis)
        kept = []
        for piece in escaped:
            room -= self.length(piece)
            if room < 0:
                break
            kept.append(piece)
        return "".join(kept) + self.ellipsis


PLAIN: Final = ChannelFormat()

MAX_DETAILED: Final = 5
"""Alerts that are told with their details; more than these are a list."""

MAX_LISTED: Final = 20
"""Alerts that are named at all."""

LATE_AFTER_NS: Final = 600 * SECOND
"""From when on it is worth a word that a message comes late."""

_TITLE, _NAME, _REASON, _URL = 150, 60, 300, 500
"""Lengths of a title in a sentence of its own, of one among many, of a reason, of a detail."""

_FACTS: Final = 320
"""Room for all details but the address."""

_MORE: Final = 24
"""Room for the line that says how many are not shown."""

_ROOM: Final = 20_000
"""More than twenty lines take."""


class Fact(Struct, frozen=True):
    """One thing about an alert; ``value`` is outside text. ``short`` fits beside another."""

    name: str
    value: str
    short: bool = False


def title(alert: Alert) -> str:
    """Return the checker's name as people know it."""
    return alert.title or alert.checker


def delivery_prefix(notification: Notification, before: str = "", after: str = "") -> str:
    """Return what stands before the headline of a message that may be a repeat, or is late.

    Args:
        before, after: how the channel marks it.
    """
    words = ["possible repeat"] if notification.possible_duplicate else []
    if notification.delay_ns >= LATE_AFTER_NS:
        words.append(f"told {format_length(notification.delay_ns)} late")
    text = ", ".join(words)
    return f"{before}{text[:1].upper()}{text[1:]}:{after} " if text else ""


def headline(notification: Notification, voice: ChannelFormat = PLAIN) -> str:
    """Say what is the case now; of a checker with several alerts the last one counts."""
    last = latest_alerts(notification.alerts)
    if len(last) == 1:
        return alert_line(last[0], voice)
    groups: dict[str, list[Alert]] = {}
    for alert in sorted(last, key=_rank):
        groups.setdefault(status_phrase(alert), []).append(alert)
    of = f" of {notification.checker_count}" if notification.checker_count else ""
    return "; ".join(
        f"{len(alerts)}{of if alerts[0].checker else ''} {words}: {_names(alerts, voice)}"
        for words, alerts in groups.items()
    )


def latest_alerts(alerts: Sequence[Alert]) -> list[Alert]:
    """Return the last alert of each checker, and all that are about the monitor itself."""
    return list({alert.checker or alert.id: alert for alert in alerts}.values())


def worst_status(alerts: Sequence[Alert]) -> Status:
    """Return the most severe status that is the case now."""
    return Status.worst(alert.status for alert in latest_alerts(alerts))


def alert_line(alert: Alert, voice: ChannelFormat = PLAIN) -> str:
    """Say in one line what happened."""
    reason = voice.escape_text(alert.reason, _REASON)
    return alert_sentence(alert, _name(alert, voice, _TITLE), reason)


def alert_list(
    alerts: Sequence[Alert], voice: ChannelFormat = PLAIN, max_length: int = _ROOM
) -> list[str]:
    """Return a line for each alert, as many as fit, and how many more there are.

    Args:
        max_length: what all lines together may take, each with its line break.
    """
    lines: list[str] = []
    max_length -= _MORE
    for alert in alerts[:MAX_LISTED]:
        entry = f"• {alert_line(alert, voice)} ({short_id(alert)})"
        max_length -= voice.length(entry) + 1
        if max_length < 0:
            break
        lines.append(entry)
    more = len(alerts) - len(lines)
    return [*lines, f"… and {more} more"] if more else lines


def body_lines(
    alerts: Sequence[Alert], voice: ChannelFormat = PLAIN, max_length: int = _ROOM
) -> list[str]:
    """Return what stands under the headline: of one alert its details, of several their lines."""
    return (
        detail_lines(alerts[0], voice, max_length)
        if len(alerts) == 1
        else alert_list(alerts, voice, max_length)
    )


def facts(alert: Alert) -> list[Fact]:
    """Return what else there is to know of an alert, beside its name, address and status."""
    found = [Fact("Why", alert.reason)] if alert.reason else []
    if alert.suppressed_dependents:
        found.append(Fact("Explains", _shortened(alert.suppressed_dependents)))
    found.append(Fact("Since", format_minute(alert.since), short=True))
    if alert.kind in DURATION_LABELS:
        found.append(Fact(DURATION_LABELS[alert.kind], outage_duration(alert), short=True))
    if alert.region:
        found.append(Fact("Seen from", alert.region, short=True))
    return found


def detail_lines(alert: Alert, voice: ChannelFormat = PLAIN, max_length: int = _ROOM) -> list[str]:
    """Return what the line of an alert leaves out, one thing per line.

    Args:
        max_length: what all lines together may take; a long address is cut.
    """
    rest = [Fact("Address", alert.endpoint)] if alert.endpoint else []
    rest += [fact for fact in facts(alert) if fact.name != "Why"]
    rest.append(Fact("Alert", short_id(alert)))
    limits = {"Address": min(_URL, max_length - _FACTS), "Explains": 2 * _NAME}
    return [
        f"{fact.name}: {voice.escape_text(fact.value, limits.get(fact.name, _NAME))}"
        for fact in rest
    ]


def short_id(alert: Alert) -> str:
    """Return eight characters by which two messages can be told to be about the same alert."""
    return hashlib.sha256(alert.id.encode()).hexdigest()[:8]


def message_id(alerts: Sequence[Alert]) -> str:
    """Return what two messages have in common only if they tell of the same alerts."""
    return hashlib.sha256("\n".join(alert.id for alert in alerts).encode()).hexdigest()[:32]


def incident_key(alert: Alert) -> str:
    """Return what the alerts of one incident have in common: ``checker/number``."""
    checker, _, number, _ = alert.id.rsplit("/", 3)
    return f"{checker}/{number}"


def page_url(notification: Notification) -> str:
    """Return the address of the status page, harmless in any markup; empty if there is none."""
    url = notification.page_url
    if not url.startswith(("http://", "https://")) or len(url) > _URL:
        return ""
    return re.sub(r"[\s<>|\"'`\\^{}()\[\]\x00-\x20\x7f]", lambda found: quote(found[0]), url)


def _name(alert: Alert, voice: ChannelFormat, limit: int) -> str:
    before, after = voice.bold
    return before + voice.escape_text(title(alert), limit) + after


def _names(alerts: Sequence[Alert], voice: ChannelFormat) -> str:
    return _shortened([_name(alert, voice, _NAME) for alert in alerts])


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - MAX_DETAILED
    return ", ".join(names[:MAX_DETAILED]) + (f" and {more} more" if more > 0 else "")


def _rank(alert: Alert) -> int:
    """Return where an alert stands in a headline: the worst first, the monitor's own last."""
    order = [Status.DOWN, Status.DEGRADED, Status.HEALTHY, Status.UNKNOWN]
    return order.index(alert.status) if alert.checker else len(order)


# The subject line that mail, mailgun and pushover have in common.


DEFAULT_SUBJECT: Final = "Checkup: Service Unavailable"
_GOOD_NEWS: Final = "Checkup"
_LENGTH: Final = 200


class SubjectSettings(NotifierSettings, frozen=True, kw_only=True):
    """Settings of a channel whose messages have a subject."""

    subject: Annotated[str, Meta(description="The subject; the usual one if blank.")] = (
        DEFAULT_SUBJECT
    )

    def __post_init__(self) -> None:
        if not self.subject.strip():
            structs.force_setattr(self, "subject", DEFAULT_SUBJECT)


def subject_prefix(notification: Notification, subject: str) -> str:
    """Return the configured subject; the usual one only if something is unavailable."""
    trouble = worst_status(notification.alerts) in {Status.DOWN, Status.DEGRADED}
    return subject if trouble or subject != DEFAULT_SUBJECT else _GOOD_NEWS


def subject_line(notification: Notification, subject: str) -> str:
    """Return the configured subject and after it what happened, in one line.

    The configured part comes first, so that rules that sort mail by it go on working.
    """
    label = delivery_prefix(notification)
    line = f"{subject_prefix(notification, subject)}: {label}{headline(notification)}"
    return PLAIN.escape_text(line, _LENGTH)
