"""Slack with a bot's token: one message per incident, edited in place, its story in the thread.

The bot needs the scopes ``chat:write`` and, to look before it repeats itself, those that read
the history of its channel (``channels:history`` or ``groups:history``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.errors import DeliveryError, DeliveryUnknownError, NotDeliveredError
from checkup.model import SECOND, Alert, AlertKind, Status
from checkup.notifiers.answers import notifier_secret
from checkup.notifiers.slackapi import SlackApi
from checkup.notifiers.slackroots import IncidentMessage, alert_ids_in, incident_hash
from checkup.notifiers.wording import MAX_DETAILED, short_id
from checkup.ports import Clients, Notification

_CHANNEL: Final = re.compile(r"[CGD][A-Z0-9]{5,30}")
_SECONDS: Final = 6.0
_EARLIER: Final = 600
"""Seconds before an incident from which on its message is looked for: clocks differ."""

_TOGETHER: Final = 100
"""Incidents that begin in one message at most; its metadata names them all."""

_PAGE: Final = 200
_PAGES: Final = 3

_STORY: Final = {AlertKind.OPEN, AlertKind.CHANGE, AlertKind.REMIND, AlertKind.RESOLVE}
"""Kinds that say how an incident stands."""


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
        """Tell what is not in the channel yet, as :meth:`checkup.ports.Notifier.send` says.

        It takes several calls. If one fails after another was accepted, the message counts as
        perhaps accepted: the next try looks what is there and goes on behind it.
        """
        if not _CHANNEL.fullmatch(self.channel):
            raise NotDeliveredError(
                "slack with a token needs the channel's id, such as C0123456789"
            )
        token = notifier_secret(self.clients, self.token, "no token is configured for slack")
        api = SlackApi(self.clients, token, Deadline.after(self.seconds))
        try:
            _Story(self, api, notification).tell()
        except DeliveryError as error:
            if api.has_written:
                raise DeliveryUnknownError(f"a part was accepted, then: {error}") from None
            raise


class _Story:
    """One message of the outbox, told in the channel."""

    def __init__(self, bot: SlackBotNotifier, api: SlackApi, notification: Notification) -> None:
        self._bot = bot
        self._api = api
        self._notification = notification
        self._roots: dict[str, IncidentMessage] = {}
        self._told: set[str] = set()
        self._replied: set[str] = set()

    def tell(self) -> None:
        """Post what begins, then go on with what is there."""
        is_news = all(alert.kind is AlertKind.OPEN for alert in self._notification.alerts)
        if self._notification.repeat or not is_news:
            self._look()
        fresh = [a for a in self._notification.alerts if short_id(a) not in self._told]
        begun = list(
            {
                incident_hash(a): a for a in reversed(fresh) if incident_hash(a) not in self._roots
            }.values()
        )
        begun.reverse()
        size = 1 if len(begun) <= MAX_DETAILED else _TOGETHER
        for place in range(0, len(begun), size):
            self._begin(begun[place : place + size])
        for alert in fresh:
            if alert not in begun:
                self._go_on(alert)

    def _look(self) -> None:
        """Find the messages of the incidents, and what was told of them if that is not certain."""
        wanted = {incident_hash(alert) for alert in self._notification.alerts}
        for message in self._history():
            root = IncidentMessage.found(message)
            if root is None or not wanted & {*root.incidents}:
                continue
            self._told |= {*root.told}
            if self._notification.repeat:
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

    def _begin(self, alerts: Sequence[Alert]) -> None:
        message = self._rendered(alerts)
        root = IncidentMessage.of(alerts, message["text"])
        posted = replace(root, ts=self._post({**message, "metadata": root.metadata}))
        for name in posted.incidents:
            self._roots[name] = posted

    def _go_on(self, alert: Alert) -> None:
        """Tell of an alert in the thread, then show in the first message what is the case now."""
        root = self._roots[incident_hash(alert)]
        grew = root.after(alert)
        reply = {
            "thread_ts": root.ts,
            "text": self._rendered([alert])["text"],
            "metadata": {
                "event_type": root.metadata["event_type"],
                "event_payload": {"told": [short_id(alert)]},
            },
            # Who does not follow the thread has to hear that it is worse.
            "reply_broadcast": alert.kind is AlertKind.CHANGE and alert.status is Status.DOWN,
        }
        if short_id(alert) not in self._replied:
            self._post(reply)
        self._edit(grew, alert)
        for name in grew.incidents:
            self._roots[name] = grew

    def _edit(self, root: IncidentMessage, alert: Alert) -> None:
        place = {"channel": self._bot.channel, "ts": root.ts, "metadata": root.metadata}
        self._api.edit({**self._now(root, alert), **place})

    def _now(self, root: IncidentMessage, alert: Alert) -> dict[str, Any]:
        """Return what a first message shows after an alert."""
        if len(root.incidents) == 1 and alert.kind in _STORY:
            return self._rendered([alert])
        if len(root.incidents) == 1 or not root.over:
            return {"text": root.text}
        over = f"_{len(root.over)} of {len(root.incidents)} are over_"
        return {"text": f"{root.headline}\n{over}"}

    def _rendered(self, alerts: Sequence[Alert]) -> dict[str, Any]:
        # A look has shown that it is no repeat.
        return self._bot.render(replace(self._notification, alerts=tuple(alerts), repeat=False))

    def _post(self, message: dict[str, Any]) -> str:
        sender = {"username": self._bot.username} if self._bot.username else {}
        place = {"channel": self._bot.channel, "unfurl_links": False, **sender}
        return self._api.post({**message, **place})
