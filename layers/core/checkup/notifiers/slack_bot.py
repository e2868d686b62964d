"""Slack with a bot's token: one message per incident, edited in place, its alerts in the thread.

Every message carries metadata: its incidents, and the alerts that it contains. So nothing is
stored elsewhere: what was delivered is read from the channel. See https://api.slack.com/metadata.

The bot needs the scopes ``chat:write`` and, to read before it repeats itself, those of the history
of its channel (``channels:history`` or ``groups:history``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.interfaces import Clients, Notification
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.base import check_response, json_object, notifier_secret, safe_error_code
from checkup.notifiers.message import MAX_DETAILED, incident_key, short_id
from checkup.times import SECOND

_URL: Final = "https://slack.com/api/"
_CALL_SECONDS: Final = 4.0
_SHORTEST_SECONDS: Final = 0.2

_ABOUT_THE_MESSAGE: Final = frozenset(
    {
        "invalid_attachments",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "msg_too_long",
        "no_text",
        "too_many_attachments",
    }
)

_PERHAPS_DONE: Final = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "service_unavailable"}
)
"""Codes of https://api.slack.com/methods/chat.postMessage#errors; any other means not done."""

_NO_LONGER: Final = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})


class SlackApi:
    """Calls of Slack's Web API (https://api.slack.com/web) for one message, under one deadline.

    Attributes:
        has_written: a call that changes the channel was accepted.
    """

    def __init__(self, clients: Clients, token: str, deadline: Deadline) -> None:
        self._clients = clients
        self._token = token
        self._deadline = deadline
        self.has_written = False

    def post(self, message: dict[str, Any]) -> str:
        """Post a message and return its ``ts``, which identifies it.

        Raises:
            DeliveryError: it was not accepted, or that is unknown.
        """
        return str(self._write("chat.postMessage", message).get("ts", ""))

    def edit(self, message: dict[str, Any]) -> None:
        """Change a message, unless that is no longer allowed or somebody has removed it.

        Raises:
            DeliveryError: it was not accepted, or that is unknown.
        """
        self._write("chat.update", message, ignored_errors=_NO_LONGER)

    def read(self, method: str, **parameters: str) -> dict[str, Any]:
        """Call a method that changes nothing.

        Raises:
            NotDeliveredError: it failed, whatever the reason.
        """
        body = urlencode(parameters).encode()
        try:
            return self._call(method, body, "application/x-www-form-urlencoded")
        except DeliveryError as error:
            raise NotDeliveredError(str(error), error.retry_after) from None

    def _write(
        self, method: str, message: dict[str, Any], ignored_errors: Collection[str] = ()
    ) -> dict[str, Any]:
        body = json.dumps(message).encode()
        answer = self._call(method, body, "application/json; charset=utf-8", ignored_errors)
        self.has_written = True
        return answer

    def _call(
        self, method: str, body: bytes, kind: str, ignored_errors: Collection[str] = ()
    ) -> dict[str, Any]:
        """Call a method and return its response, which has ``"ok": true``.

        Args:
            ignored_errors: error codes that return an empty response.
        """
        left = self._deadline.remaining()
        if left < _SHORTEST_SECONDS:
            raise NotDeliveredError("no time left to call Slack")
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": kind,
            "user-agent": "checkup",
        }
        timeout = min(left, _CALL_SECONDS)
        answer = self._clients.post(_URL + method, body, headers, timeout=timeout)
        said = json_object(answer)
        if answer.status == HTTPStatus.OK and said.get("ok") is False:
            error = safe_error_code(str(said.get("error", "")))
            if error in ignored_errors:
                return {}
            text = f"Slack answered {error or 'with an error'}"
            if error in _ABOUT_THE_MESSAGE:
                raise MessageRejectedError(text)
            raise DeliveryUnknownError(text) if error in _PERHAPS_DONE else NotDeliveredError(text)
        check_response(
            "Slack", answer, accepted=answer.status == HTTPStatus.OK and said.get("ok") is True
        )
        return said


EVENT: Final = "checkup_alerts"
_HEADLINE: Final = 1500

_REMEMBERED: Final = 200
"""Alerts that the metadata of a message names; Slack limits its size, and the outbox knows that
older ones were delivered."""


class IncidentMessage(Struct, frozen=True, kw_only=True):
    """The one message of an incident, or of several that began together.

    Attributes:
        ts: Slack's id of it; empty before it is posted.
        incidents: the keys of its incidents.
        resolved: the keys of those that are resolved.
        alert_ids: the short ids of the alerts in it and in its thread.
        text: its current text.
        headline: its text when it was posted.
    """

    ts: str = ""
    incidents: tuple[str, ...]
    resolved: tuple[str, ...] = ()
    alert_ids: tuple[str, ...] = ()
    text: str = ""
    headline: str = ""

    @classmethod
    def from_alerts(cls, alerts: Iterable[Alert], headline: str) -> IncidentMessage:
        """Return the message of incidents that begin."""
        known = tuple(alerts)
        return cls(
            incidents=tuple(map(incident_hash, known)),
            alert_ids=tuple(map(short_id, known)),
            text=headline[:_HEADLINE],
            headline=headline[:_HEADLINE],
        )

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> IncidentMessage | None:
        """Return what a message of the channel says about its incidents; None if it is not ours."""
        about = payload(message)
        incidents = _texts(about.get("incidents"))
        if not incidents:
            return None
        return cls(
            ts=str(message.get("ts", "")),
            incidents=incidents,
            resolved=_texts(about.get("over")),
            alert_ids=_texts(about.get("told")),
            text=str(message.get("text", "")),
            headline=str(about.get("headline", "")),
        )

    def with_alert(self, alert: Alert) -> IncidentMessage:
        """Return a copy with one more alert."""
        over = self.resolved
        if alert.kind is AlertKind.RESOLVE and incident_hash(alert) not in over:
            over = (*over, incident_hash(alert))
        return replace(
            self, resolved=over, alert_ids=(*self.alert_ids, short_id(alert))[-_REMEMBERED:]
        )

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata to post with the message; the keys are stored in Slack."""
        about = {
            "incidents": list(self.incidents),
            "over": list(self.resolved),
            "told": list(self.alert_ids),
            "headline": self.headline,
        }
        return {"event_type": EVENT, "event_payload": about}


def incident_hash(alert: Alert) -> str:
    """Return a short name of the alert's incident."""
    return hashlib.sha256(incident_key(alert).encode()).hexdigest()[:12]


def payload(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return our metadata of a message, or an empty mapping."""
    metadata = message.get("metadata")
    if not isinstance(metadata, Mapping) or metadata.get("event_type") != EVENT:
        return {}
    about = metadata.get("event_payload")
    return about if isinstance(about, Mapping) else {}


def alert_ids_in(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the short ids of the alerts in a message of ours."""
    return _texts(payload(message).get("told"))


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{5,30}")
_SECONDS: Final = 6.0

_EARLIER: Final = 600
"""Seconds before an incident from which on its message is searched: clocks differ."""

_TOGETHER: Final = 100
"""Most incidents that begin in one message; its metadata names them all."""

_PAGE: Final = 200
_PAGES: Final = 3

_INCIDENT_KINDS: Final = {AlertKind.OPEN, AlertKind.CHANGE, AlertKind.REMIND, AlertKind.RESOLVE}
"""Kinds of alert that say the state of an incident."""


class SlackBotNotifier(Struct, frozen=True):
    """A Slack channel behind a bot's token.

    Attributes:
        token: as configured; a secret or a reference to one.
        channel: the channel's id.
        username: the sender's name, if not that of the bot.
        render: writes a notification as a message, as for a webhook.
    """

    token: str
    channel: str
    username: str
    clients: Clients
    render: Callable[[Notification], dict[str, Any]]
    seconds: float = _SECONDS

    def send(self, notification: Notification) -> None:
        """Deliver what is not in the channel yet; see :meth:`checkup.interfaces.Notifier.send`.

        It takes several calls. If one fails after another was accepted, delivery is unknown: the
        next attempt reads what is there and continues behind it.
        """
        if not _CHANNEL.fullmatch(self.channel):
            raise NotDeliveredError("slack with a token needs a channel id, such as C0123456789")
        token = notifier_secret(self.clients, self.token, "no token is configured for slack")
        api = SlackApi(self.clients, token, Deadline.after(self.seconds))
        try:
            _Delivery(self, api, notification).run()
        except DeliveryError as error:
            if api.has_written:
                text = f"partly delivered, then: {error}"
                raise DeliveryUnknownError(text, error.retry_after) from None
            raise


class _Delivery:
    """One notification, delivered message by message."""

    def __init__(self, bot: SlackBotNotifier, api: SlackApi, notification: Notification) -> None:
        self._bot = bot
        self._api = api
        self._notification = notification
        self._roots: dict[str, IncidentMessage] = {}
        self._delivered: set[str] = set()
        self._replied: set[str] = set()

    def run(self) -> None:
        """Post incidents that begin, then add the other alerts to their incidents."""
        all_open = all(alert.kind is AlertKind.OPEN for alert in self._notification.alerts)
        if self._notification.possible_duplicate or not all_open:
            self._find_delivered()
        fresh = [a for a in self._notification.alerts if short_id(a) not in self._delivered]
        begun = list(
            {
                incident_hash(a): a for a in reversed(fresh) if incident_hash(a) not in self._roots
            }.values()
        )
        begun.reverse()
        size = 1 if len(begun) <= MAX_DETAILED else _TOGETHER
        for place in range(0, len(begun), size):
            self._post_incidents(begun[place : place + size])
        for alert in fresh:
            if alert not in begun:
                self._add_to_incident(alert)

    def _find_delivered(self) -> None:
        """Find the messages of the incidents, and their delivered alerts where that is unknown."""
        wanted = {incident_hash(alert) for alert in self._notification.alerts}
        for message in self._history():
            root = IncidentMessage.from_message(message)
            if root is None or not wanted & {*root.incidents}:
                continue
            self._delivered |= {*root.alert_ids}
            if self._notification.possible_duplicate:
                self._replied |= {
                    name for reply in self._replies(root) for name in alert_ids_in(reply)
                }
            for name in root.incidents:
                self._roots.setdefault(name, root)

    def _history(self) -> Iterator[dict[str, Any]]:
        """Yield the messages since the oldest incident began, newest first."""
        oldest = min(alert.opened for alert in self._notification.alerts) // SECOND - _EARLIER
        question = {
            "channel": self._bot.channel,
            "oldest": f"{max(0, oldest)}.000000",
            "limit": str(_PAGE),
            "include_all_metadata": "true",
        }
        for _ in range(_PAGES):
            answer = self._api.read("conversations.history", **question)
            yield from answer.get("messages", ())
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            question["cursor"] = str(cursor)

    def _replies(self, root: IncidentMessage) -> Sequence[dict[str, Any]]:
        question = {"channel": self._bot.channel, "ts": root.ts, "include_all_metadata": "true"}
        answer = self._api.read("conversations.replies", limit=str(_PAGE), **question)
        found: Sequence[dict[str, Any]] = answer.get("messages", ())
        return found

    def _post_incidents(self, alerts: Sequence[Alert]) -> None:
        message = self._rendered(alerts)
        root = IncidentMessage.from_alerts(alerts, message["text"])
        posted = replace(root, ts=self._post({**message, "metadata": root.metadata}))
        for name in posted.incidents:
            self._roots[name] = posted

    def _add_to_incident(self, alert: Alert) -> None:
        """Post an alert in the thread, then show the current state in the first message."""
        root = self._roots[incident_hash(alert)]
        grew = root.with_alert(alert)
        reply = {
            "thread_ts": root.ts,
            "text": self._rendered([alert])["text"],
            "metadata": {
                "event_type": root.metadata["event_type"],
                "event_payload": {"told": [short_id(alert)]},
            },
            # Also shown in the channel, for those who do not follow the thread.
            "reply_broadcast": alert.kind is AlertKind.CHANGE and alert.status is Status.DOWN,
        }
        if short_id(alert) not in self._replied:
            self._post(reply)
        place = {"channel": self._bot.channel, "ts": grew.ts, "metadata": grew.metadata}
        self._api.edit({**self._current(grew, alert), **place})
        for name in grew.incidents:
            self._roots[name] = grew

    def _current(self, root: IncidentMessage, alert: Alert) -> dict[str, Any]:
        """Return what a first message shows after an alert."""
        if len(root.incidents) == 1 and alert.kind in _INCIDENT_KINDS:
            return self._rendered([alert])
        if len(root.incidents) == 1 or not root.resolved:
            return {"text": root.text}
        over = f"_{len(root.resolved)} of {len(root.incidents)} recovered_"
        return {"text": f"{root.headline}\n{over}"}

    def _rendered(self, alerts: Sequence[Alert]) -> dict[str, Any]:
        # The channel was read: it is not a duplicate.
        return self._bot.render(
            replace(self._notification, alerts=tuple(alerts), possible_duplicate=False)
        )

    def _post(self, message: dict[str, Any]) -> str:
        sender = {"username": self._bot.username} if self._bot.username else {}
        place = {"channel": self._bot.channel, "unfurl_links": False, **sender}
        return self._api.post({**message, **place})
