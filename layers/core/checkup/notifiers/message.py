"""What an alert says, in the same words for all channels. Pure.

Messages are short enough for a phone. The summary says what happened, how bad it is and how much is
down in all; the lines below it say what else is needed to decide whether to get up: address, since
when, for how long, from which region. Each checker appears once, with its last alert. More than
five become a list.

Titles, addresses and reasons come from outside. A :class:`ChannelFormat` escapes and shortens
them, so that nothing in them is markup in the channel.
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
from checkup.times import MINUTE, format_length, format_minute, format_time

MAX_DETAILED: Final = 5
"""Alerts that are shown with their details; more than these are a list."""

MAX_LISTED: Final = 20
"""Alerts that are named at all."""

LATE_AFTER_NS: Final = 10 * MINUTE
"""From this delay on a message says that it is late."""

_TITLE, _NAME, _REASON, _URL = 150, 60, 300, 500
"""Lengths of a title in a headline, of a title in a list of titles, of a reason, of an address."""

_FACTS: Final = 320
"""Room for all details but the address."""

_MAX_IDS: Final = 12
"""Alerts of one checker that a message names; more than a few come only after a long failure."""

_MORE: Final = 24
"""Room for the line that says how many are not shown."""

_ROOM: Final = 20_000
"""More than twenty lines take."""


class ChannelFormat(Struct, frozen=True, kw_only=True):
    """How a channel writes.

    Attributes:
        escape: makes one outside character harmless.
        bold: what stands before and after a name.
        length: how the channel counts a text against its limits.
        ellipsis: stands for what is left out.
        link: makes an address and a text a link; None where a link needs a line of its own.
        local_time: makes a time, and its text, one that each reader sees in their own time zone.
        timezone: for all other times.
        links: pages of components by checker id, and of other alerts by the alert's id.
    """

    escape: Callable[[str], str] = str
    bold: tuple[str, str] = ("", "")
    length: Callable[[str], int] = len
    ellipsis: str = "…"
    link: Callable[[str, str], str] | None = None
    local_time: Callable[[int, str], str] | None = None
    timezone: str = "UTC"
    links: Mapping[str, str] = {}

    def adapt(self, notification: Notification) -> ChannelFormat:
        """Return the format with the time zone and the links of a notification."""
        return structs.replace(self, timezone=notification.timezone, links=notification.links)

    def time(self, at: int, now: int) -> str:
        """Return a time for a sentence; without the date if that is the date of ``now``."""
        text = format_time(at, now, self.timezone)
        return self.local_time(at, text) if self.local_time else text

    def full_time(self, at: int) -> str:
        """Return a time with its date."""
        text = format_minute(at, self.timezone)
        return self.local_time(at, text) if self.local_time else text

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


class Fact(Struct, frozen=True):
    """One detail of an alert.

    Attributes:
        value: outside text; empty for a time.
        at: a time.
        short: it fits beside another.
    """

    name: str
    value: str = ""
    short: bool = False
    at: int = 0

    def text(self, style: ChannelFormat, limit: int) -> str:
        """Return the value as the channel writes it."""
        return style.full_time(self.at) if self.at else style.escape_text(self.value, limit)


class Card(Struct, frozen=True):
    """What a message shows of one checker, or of one alert about the monitor itself.

    Attributes:
        alert: the last one.
        label: the short ids of all that are in the message.
    """

    alert: Alert
    label: str


def cards(alerts: Sequence[Alert]) -> list[Card]:
    """Return one card for each checker, in order."""
    ids: dict[str, list[str]] = {}
    for alert in alerts:
        ids.setdefault(alert.checker or alert.id, []).append(short_id(alert))
    return [
        Card(alert, ", ".join(ids[alert.checker or alert.id][-_MAX_IDS:]))
        for alert in latest_alerts(alerts)
    ]


def headline(alert: Alert, style: ChannelFormat = PLAIN) -> str:
    """Say in one line what happened, since when, and why."""
    name, status = _name(alert, style, _TITLE), alert.status
    since = style.time(alert.since, alert.slot)
    reason = style.escape_text(alert.reason, _REASON)
    why = f": {reason}" if reason else ""
    count = len(alert.suppressed_dependents)
    checks = "1 dependent check" if count == 1 else f"{count} dependent checks"
    affected = f"; {checks} affected" if count else ""
    match alert.kind:
        case AlertKind.OPEN:
            never = " (no successful check yet)" if alert.previous_status is Status.UNKNOWN else ""
            line = f"{name} is {status} since {since}{never}{why}{affected}"
        case AlertKind.CHANGE:
            is_same = alert.previous_status is status  # while it was flapping
            again, was = (" again", "") if is_same else ("", f" (was {alert.previous_status})")
            line = f"{name} is {status}{again} since {since}{was}{why}{affected}"
        case AlertKind.REMIND:
            line = f"{name} is still {status} after {_duration(alert)}{why}{affected}"
        case AlertKind.RESOLVE if status is Status.UNKNOWN:
            opened = style.time(alert.opened, alert.slot)
            before = f"was {alert.previous_status} since {opened}"
            line = f"{name} is no longer monitored ({before})"
        case AlertKind.RESOLVE:
            line = f"{name} recovered at {since} after {_duration(alert)}"
        case AlertKind.FLAPPING:
            line = f"{name} is flapping (frequent state changes), currently {status}{why}"
        case AlertKind.FLAPPING_ENDED:
            line = f"{name} is no longer flapping, {status} since {since}{why}"
        case AlertKind.NOT_MONITORED:
            line = f"{name} cannot be checked{why}"
        case AlertKind.MONITORED_AGAIN:
            line = f"{name} can be checked again, currently {status}{why}"
        case _:
            line = _line_without_checker(alert, style, name, why)
    return line


def _line_without_checker(alert: Alert, style: ChannelFormat, name: str, why: str) -> str:
    """Return the headline of what is about the monitor itself, or was written by people."""
    since, opened = style.time(alert.since, alert.slot), style.time(alert.opened, alert.slot)
    match alert.kind:
        case AlertKind.MISSED_RUNS:
            return f"{name}{why} ({_duration(alert)} from {since})"
        case AlertKind.INCIDENT:
            return f"{name} (incident, {alert.failure}){why}"
        case AlertKind.MAINTENANCE:
            return f"{name} (maintenance {alert.failure}, {opened} to {since}){why}"
    return f"{name}{why}"


def summary(notification: Notification, style: ChannelFormat = PLAIN) -> str:
    """Return what changed, and how many checks are down in all.

    That is the headline of one alert, or how many changed to which state, worst first. Of a checker
    with several alerts the last one counts.
    """
    overall = _overall_status(notification)
    last = latest_alerts(notification.alerts)
    if len(last) == 1:
        line = headline(last[0], style)
        return f"{line.removesuffix('.')}. {overall}" if overall else line
    order = [Status.DOWN, Status.DEGRADED, Status.HEALTHY, Status.UNKNOWN]
    groups: dict[str, list[Alert]] = {}
    for alert in sorted(last, key=lambda it: (not it.checker, order.index(it.status))):
        groups.setdefault(_state(alert), []).append(alert)
    changes = "; ".join(
        f"{len(alerts)} {state}: " + _first_few([_name(alert, style, _NAME) for alert in alerts])
        for state, alerts in groups.items()
    )
    return f"{changes}. {overall}" if overall else changes


def _overall_status(notification: Notification) -> str:
    """Return ``8 of 13 are down``; empty if it is not known, or only one check is configured."""
    counts, total = notification.status_counts, notification.checker_count
    if not counts or total <= 1 or not any(alert.checker for alert in notification.alerts):
        return ""
    for status in (Status.DOWN, Status.DEGRADED):
        if count := counts.get(status, 0):
            return f"{count} of {total} {'is' if count == 1 else 'are'} {status}"
    if counts.get(Status.HEALTHY, 0) == total:
        return f"All {total} are healthy"
    return f"None of {total} is down"


def delivery_prefix(notification: Notification, before: str = "", after: str = "") -> str:
    """Return what stands before the summary of a message that may be a duplicate, or is late.

    Args:
        before, after: how the channel marks it.
    """
    words = ["possible duplicate"] if notification.possible_duplicate else []
    if notification.not_recorded:
        words.append("not recorded, because the storage failed")
    if notification.delay_ns >= LATE_AFTER_NS:
        words.append(f"delayed by {format_length(notification.delay_ns)}")
    text = ", ".join(words)
    return f"{before}{text[:1].upper()}{text[1:]}:{after} " if text else ""


def facts(alert: Alert) -> list[Fact]:
    """Return the details of an alert beside its name, address and status."""
    found = [Fact("Why", alert.reason)] if alert.reason else []
    if alert.suppressed_dependents:
        found.append(Fact("Affected", _first_few(alert.suppressed_dependents)))
    if alert.kind is AlertKind.MAINTENANCE:
        found.append(Fact("From", at=alert.opened, short=True))
        found.append(Fact("Until", at=alert.since, short=True))
    else:
        found.append(Fact("Since", at=alert.since, short=True))
    if alert.kind in _WITH_DURATION:
        found.append(Fact("Duration", _duration(alert), short=True))
    if alert.region:
        found.append(Fact("Region", alert.region, short=True))
    return found


def detail_lines(card: Card, style: ChannelFormat = PLAIN, max_length: int = _ROOM) -> list[str]:
    """Return what the headline of an alert leaves out, one detail per line.

    Args:
        max_length: what all lines together may take; a long address is cut.
    """
    alert = card.alert
    rest = [Fact("Address", alert.endpoint)] if alert.endpoint else []
    rest += [fact for fact in facts(alert) if fact.name != "Why"]
    rest.append(Fact("Alert", card.label))
    limits = {"Address": min(_URL, max_length - _FACTS), "Affected": 2 * _NAME, "Alert": _TITLE}
    lines = [f"{fact.name}: {fact.text(style, limits.get(fact.name, _NAME))}" for fact in rest]
    url = style.links.get(alert.checker or alert.id, "")
    needs_line = url and style.link is None and max_length >= _ROOM
    return [*lines, f"Details: {url}"] if needs_line else lines


def alert_list(
    alerts: Sequence[Alert], style: ChannelFormat = PLAIN, max_length: int = _ROOM
) -> list[str]:
    """Return a line for each checker, as many as fit, and how many more there are.

    Args:
        max_length: what all lines together may take, each with its line break.
    """
    lines: list[str] = []
    max_length -= _MORE
    shown = cards(alerts)
    for card in shown[:MAX_LISTED]:
        entry = f"• {headline(card.alert, style)} ({card.label})"
        max_length -= style.length(entry) + 1
        if max_length < 0:
            break
        lines.append(entry)
    more = len(shown) - len(lines)
    return [*lines, f"… and {more} more"] if more else lines


def body_lines(
    alerts: Sequence[Alert], style: ChannelFormat = PLAIN, max_length: int = _ROOM
) -> list[str]:
    """Return what stands below the summary: details of one checker, or a list of several."""
    shown = cards(alerts)
    if len(shown) == 1:
        return detail_lines(shown[0], style, max_length)
    return alert_list(alerts, style, max_length)


def mentioned(alerts: Sequence[Alert], mention: Mapping[str, Sequence[str]]) -> list[str]:
    """Return whom to mention: those for each status that something changed to for the worse."""
    found: dict[str, None] = {}
    for alert in latest_alerts(alerts):
        improves = alert.previous_status is Status.DOWN and alert.status is Status.DEGRADED
        if alert.kind in _MENTIONING and not improves:
            found |= dict.fromkeys(mention.get(alert.status, ()))
    return list(found)


def title(alert: Alert) -> str:
    """Return the checker's name as people know it."""
    return alert.title or alert.checker


def latest_alerts(alerts: Sequence[Alert]) -> list[Alert]:
    """Return the last alert of each checker, and all that are about the monitor itself."""
    return list({alert.checker or alert.id: alert for alert in alerts}.values())


def worst_status(alerts: Sequence[Alert]) -> Status:
    """Return the most severe status that any checker has after these alerts."""
    return Status.worst(alert.status for alert in latest_alerts(alerts))


def short_id(alert: Alert) -> str:
    """Return eight characters that are the same in all messages about this alert."""
    return hashlib.sha256(alert.id.encode()).hexdigest()[:8]


def message_id(alerts: Sequence[Alert]) -> str:
    """Return an id that two messages share only if they contain the same alerts."""
    return hashlib.sha256("\n".join(alert.id for alert in alerts).encode()).hexdigest()[:32]


def incident_key(alert: Alert) -> str:
    """Return what the alerts of one incident have in common: ``checker/number``."""
    checker, _, number, _ = alert.id.rsplit("/", 3)
    return f"{checker}/{number}"


def page_url(notification: Notification) -> str:
    """Return the address of the status page, harmless in any markup; empty if there is none."""
    return safe_url(notification.page_url)


def details_url(notification: Notification) -> str:
    """Return the page of the only checker of a message; else that of the status page."""
    last = latest_alerts(notification.alerts)
    link = last[0].checker or last[0].id if len(last) == 1 else ""
    return notification.links.get(link) or page_url(notification)


def safe_url(url: str) -> str:
    """Return an address, harmless in any markup; empty if it cannot be one."""
    if not url.startswith(("http://", "https://")) or len(url) > _URL:
        return ""
    return re.sub(r"[\s<>|\"'`\\^{}()\[\]\x00-\x20\x7f]", lambda found: quote(found[0]), url)


_MENTIONING: Final = {AlertKind.OPEN, AlertKind.CHANGE, AlertKind.REMIND}

_WITH_DURATION: Final = {
    AlertKind.CHANGE,
    AlertKind.REMIND,
    AlertKind.RESOLVE,
    AlertKind.MISSED_RUNS,
}

_STATES: Final = {
    AlertKind.FLAPPING: "flapping",
    AlertKind.FLAPPING_ENDED: "no longer flapping",
    AlertKind.NOT_MONITORED: "cannot be checked",
    AlertKind.MONITORED_AGAIN: "can be checked again",
    AlertKind.INCONCLUSIVE: "monitoring notice",
    AlertKind.MISSED_RUNS: "monitoring notice",
    AlertKind.STATE_REBUILT: "monitoring notice",
    AlertKind.TEST: "test message",
    AlertKind.INCIDENT: "incident update",
    AlertKind.MAINTENANCE: "maintenance update",
}


def _state(alert: Alert) -> str:
    """Return the words under which a summary counts an alert."""
    match alert.kind:
        case AlertKind.OPEN | AlertKind.CHANGE:
            return str(alert.status)
        case AlertKind.REMIND:
            return f"still {alert.status}"
        case AlertKind.RESOLVE:
            return "no longer monitored" if alert.status is Status.UNKNOWN else "recovered"
    return _STATES[alert.kind]


def _duration(alert: Alert) -> str:
    """Return the time from the incident's start to the announced status, or to this slot."""
    until = alert.slot if alert.kind in {AlertKind.REMIND, AlertKind.MISSED_RUNS} else alert.since
    return format_length(until - alert.opened)


def _name(alert: Alert, style: ChannelFormat, limit: int) -> str:
    before, after = style.bold
    name = style.escape_text(title(alert), limit)
    url = style.links.get(alert.checker or alert.id, "")
    return before + (style.link(url, name) if style.link and url else name) + after


def _first_few(names: Sequence[str]) -> str:
    more = len(names) - MAX_DETAILED
    return ", ".join(names[:MAX_DETAILED]) + (f" and {more} more" if more > 0 else "")


DEFAULT_SUBJECT: Final = "Checkup: Service Unavailable"
_GOOD_NEWS: Final = "Checkup"
_SUBJECT: Final = 200


class SubjectSettings(NotifierSettings, frozen=True, kw_only=True):
    """Settings of a channel whose messages have a subject."""

    subject: Annotated[str, Meta(description="The subject; the default if blank.")] = (
        DEFAULT_SUBJECT
    )

    def __post_init__(self) -> None:
        super().__post_init__()
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
    style = PLAIN.adapt(notification)
    line = f"{subject_prefix(notification, subject)}: {label}{summary(notification, style)}"
    return PLAIN.escape_text(line, _SUBJECT)
