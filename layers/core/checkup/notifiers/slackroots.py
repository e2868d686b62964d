"""What of an incident is in a Slack channel already, read from the channel itself.

Every message of ours carries metadata: which incidents it is about and which alerts it has told.
So nothing has to be kept elsewhere, and whatever was lost on the way, a look shows it.
See https://api.slack.com/metadata.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.model import Alert, AlertKind
from checkup.notifiers import wording

EVENT: Final = "checkup_alerts"
_HEADLINE: Final = 1500
_TOLD: Final = 200
"""Alerts that a message remembers; Slack limits the size of metadata, and older ones are known
here to have arrived."""


class IncidentMessage(Struct, frozen=True, kw_only=True):
    """The one message of an incident, or of several that began together.

    Attributes:
        ts: Slack's name for it; empty before it is posted.
        incidents: the keys of its incidents.
        over: the keys of those that have ended.
        told: the short ids of the alerts that it and its thread tell of.
        text: as it is now.
        headline: as it was when it was posted.
    """

    ts: str = ""
    incidents: tuple[str, ...]
    over: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    text: str = ""
    headline: str = ""

    @classmethod
    def of(cls, alerts: Iterable[Alert], headline: str) -> IncidentMessage:
        """Return the root of incidents that begin."""
        known = tuple(alerts)
        return cls(
            incidents=tuple(map(incident_hash, known)),
            told=tuple(map(wording.short_id, known)),
            text=headline[:_HEADLINE],
            headline=headline[:_HEADLINE],
        )

    @classmethod
    def found(cls, message: Mapping[str, Any]) -> IncidentMessage | None:
        """Return the root that a message of the channel is, if it is one of ours."""
        about = payload(message)
        incidents = _texts(about.get("incidents"))
        if not incidents:
            return None
        return cls(
            ts=str(message.get("ts", "")),
            incidents=incidents,
            over=_texts(about.get("over")),
            told=_texts(about.get("told")),
            text=str(message.get("text", "")),
            headline=str(about.get("headline", "")),
        )

    def after(self, alert: Alert) -> IncidentMessage:
        """Return the root once it tells of one more alert."""
        over = self.over
        if alert.kind is AlertKind.RESOLVE and incident_hash(alert) not in over:
            over = (*over, incident_hash(alert))
        return replace(self, over=over, told=(*self.told, wording.short_id(alert))[-_TOLD:])

    @property
    def metadata(self) -> dict[str, Any]:
        """What the message carries."""
        about = {
            "incidents": list(self.incidents),
            "over": list(self.over),
            "told": list(self.told),
            "headline": self.headline,
        }
        return {"event_type": EVENT, "event_payload": about}


def incident_hash(alert: Alert) -> str:
    """Return a short name of the alert's incident."""
    return hashlib.sha256(wording.incident_key(alert).encode()).hexdigest()[:12]


def payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return our metadata of a message, or nothing."""
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT:
        return {}
    about = metadata.get("event_payload")
    return about if isinstance(about, Mapping) else {}


def alert_ids_in(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the short ids of the alerts that a message of ours tells of."""
    return _texts(payload(message).get("told"))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
