"""Incidents and maintenance that people write, on their way to the channels that ask for them.

Whoever writes an update may be killed between the two documents that it is in, the incidents and
the state. So the state is marked first with the id of the update. A run that finds the mark, and
the update in the incidents, queues the update and removes the mark in one write; from then on it is
delivered as alerts are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

from msgspec.structs import replace

from checkup.alerting.outbox import MATCH_ALL, enqueue
from checkup.alerting.state import AlertState
from checkup.errors import StorageError
from checkup.incidents.model import Incident, IncidentDocument, Maintenance
from checkup.incidents.store import load_incidents
from checkup.interfaces import Checker
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.message import safe_url
from checkup.pipeline.context import RunContext
from checkup.text import one_line
from checkup.times import HOUR

_log = logging.getLogger(__name__)

WRITING_TIMEOUT: Final = HOUR
"""After this time an update that is marked and nowhere to be found was not written."""

_REASON: Final = 1000


def is_announced(context: RunContext) -> bool:
    """Say whether any channel asks for what people write."""
    routes = (context.routes.get(name, MATCH_ALL) for name in context.channels)
    return any({"incidents", "maintenance"} & {*route.on} for route in routes)


def with_announcements(context: RunContext, state: AlertState) -> AlertState:
    """Return the state in which the marked updates are queued; the same without a mark.

    Incidents that cannot be read delay no run: the mark stays.
    """
    if not state.announcing:
        return state
    try:
        document = load_incidents(context.storage)
    except StorageError as error:
        _log.warning("updates to incidents are announced later: %s", error)
        return state
    left = dict(state.announcing)
    for update, marked in state.announcing.items():
        found = _find(context, document, update, marked)
        if found is not None:
            state = _enqueued(context, state, *found)
        if found is not None or context.storage.now_ns() - marked > WRITING_TIMEOUT:
            del left[update]
    return replace(state, announcing=left)


def announcement_urls(context: RunContext, alerts: Iterable[Alert]) -> dict[str, str]:
    """Return the pages of what people wrote, by the id of the alert."""
    base = safe_url(context.page_url).rstrip("/")
    folders = {AlertKind.INCIDENT: "incidents", AlertKind.MAINTENANCE: "maintenance"}
    return {
        alert.id: f"{base}/{folders[alert.kind]}/{alert.id.split('/')[2]}.html"
        for alert in alerts
        if base and alert.kind in folders
    }


def announce(
    context: RunContext,
    update: str,
    write: Callable[[], IncidentDocument],
    change_state: Callable[[Callable[[AlertState], AlertState]], object],
) -> IncidentDocument:
    """Write an update, have the channels that ask for it get it, and return the incidents.

    Args:
        update: the id of the update, or of maintenance that is new; empty for none.
        write: writes the update.
        change_state: changes the state by compare-and-set.

    Raises:
        StorageError: the update is not written, or that is unknown.
    """
    if not update or not is_announced(context):
        return write()
    now = context.storage.now_ns()
    change_state(lambda state: replace(state, announcing={**state.announcing, update: now}))
    document = write()
    try:
        change_state(lambda state: with_announcements(context, state))
    except StorageError as error:
        _log.warning("the next run announces the update: %s", error)
    return document


def _enqueued(
    context: RunContext, state: AlertState, alert: Alert, checkers: list[Checker]
) -> AlertState:
    for channel in context.channels:
        if context.routes.get(channel, MATCH_ALL).matches_announcement(alert, checkers):
            state = enqueue(state, channel, [alert])
    return state


def _find(
    context: RunContext, document: IncidentDocument, update: str, marked: int
) -> tuple[Alert, list[Checker]] | None:
    """Return the message about an update and the checkers that it affects."""
    for incident in document.incidents.values():
        for it in incident.updates:
            if it.id == update:
                alert = _alert(incident, update, it.status, it.text, marked)
                return alert, [c for c in context.checkers if c.id in incident.checkers]
    for maintenance in document.maintenance.values():
        affected = [
            checker
            for checker in context.checkers
            if checker.id in maintenance.checkers or checker.group in maintenance.groups
        ]
        if maintenance.id == update:
            return _alert(maintenance, update, "scheduled", maintenance.text, marked), affected
        for it in maintenance.updates:
            if it.id == update:
                return _alert(maintenance, update, it.status, it.text, marked), affected
    return None


def _alert(about: Incident | Maintenance, update: str, status: str, text: str, at: int) -> Alert:
    """Return the message: ``failure`` is the status; of maintenance ``since`` is the end."""
    if isinstance(about, Incident):
        kind, start, end = AlertKind.INCIDENT, about.started, about.started
    else:
        kind, start, end = AlertKind.MAINTENANCE, about.start, about.end
    return Alert(
        id=f"/{kind}:{status}/{about.id}/{update}",
        checker="",
        title=about.title,
        kind=kind,
        status=Status.UNKNOWN,
        previous_status=Status.UNKNOWN,
        slot=at,
        since=end,
        opened=start,
        reason=one_line(text)[:_REASON],
        failure=status.replace("_", " "),
    )
