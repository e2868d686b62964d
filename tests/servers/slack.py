"""A server on loopback that plays Slack's incoming webhooks, well or badly.

It keeps every request, and apart from that the messages that a human would have seen. A test in
the same process reads the attributes; any other process asks ``GET /messages`` or ``GET /requests``
and sets the behaviour with ``PUT /behaviour`` and a body like ``["500", "ok"]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Any

from tests.servers.base import Handler, HttpServer

SECRET = "T0000/B0000/secretsecretsecret"


class FakeSlack(HttpServer):
    """Plays Slack while the block runs.

    What it can be told to do, one behaviour per request and the last one for ever:

    - ``ok``: accept what is a valid message, and answer 400 ``invalid_payload`` otherwise
    - a status such as ``429``, ``404``, ``500``: answer with it and accept nothing
    - ``not-ok``: answer 200 with another body and accept nothing
    - ``hang``: read the request and say nothing
    - ``reset``: close the connection hard before the request is read
    - ``drop``: accept the message and close the connection without an answer
    - ``killed-before``, ``killed-after``: end the sender, before or after accepting the message
    - ``plain``: refuse attachments with 400, accept text
    - ``redirect``: send the client elsewhere on this server, where it would be seen as stolen

    Attributes:
        kill: ends the sender of the message that is being served; a test's own.
    """

    def __init__(self) -> None:
        self.kill: Callable[[], None] = lambda: None
        self.requests: list[bytes] = []
        self.messages: list[dict[str, Any]] = []
        self.stolen: list[bytes] = []
        self._behaviours: list[str] = ["ok"]
        self._lock = Lock()
        self._closing = Event()
        super().__init__(_Handler)

    @property
    def webhook(self) -> str:
        return f"{self.url}/services/{SECRET}"

    @property
    def texts(self) -> list[str]:
        """The first lines of the messages that were accepted, times as in their fallback."""
        return [shown(message["text"]) for message in self.messages]

    @property
    def alerts(self) -> list[list[str]]:
        """The short alert ids in each accepted message, in order."""
        return [short_ids(message) for message in self.messages]

    def behave(self, *behaviours: str) -> None:
        """Do this with the next requests, and the last of it with all after them."""
        with self._lock:
            self._behaviours = list(behaviours)

    def next_behaviour(self) -> str:
        with self._lock:
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def wait(self) -> None:
        """Hang until the server is closed."""
        self._closing.wait(60)

    def down(self) -> None:
        self._closing.set()
        super().down()

    def up(self) -> None:
        self._closing.clear()
        super().up()


def short_ids(message: dict[str, Any]) -> list[str]:
    """Return the short alert ids that a message shows."""
    labels = re.findall(r"(?:alert |\()([0-9a-f]{8}(?:, [0-9a-f]{8})*)\b", json.dumps(message))
    return list(dict.fromkeys(name for label in labels for name in label.split(", ")))


def shown(text: str) -> str:
    """Return a text as somebody sees it to whom Slack shows the fallback of times."""
    return re.sub(r"<!date\^[0-9]+\^[^|>]*\|([^>]*)>", r"\1", text)


def problems(payload: object) -> str:
    """Return Slack's error code for a payload that it would not accept, or an empty string."""
    if not isinstance(payload, dict):
        return "invalid_payload"
    text, attachments = payload.get("text", ""), payload.get("attachments", [])
    if not isinstance(text, str) or not isinstance(attachments, list):
        return "invalid_payload"
    if not text and not attachments:
        return "no_text"
    if len(text) > 40_000 or not all(_is_attachment(item) for item in attachments):
        return "invalid_payload"
    return "too_many_attachments" if len(attachments) > 100 else ""


def _is_attachment(item: object) -> bool:
    if not isinstance(item, dict):
        return False
    fields: Sequence[object] = item.get("fields", [])
    texts = [item.get(key, "") for key in ("color", "fallback", "footer", "text", "title")]
    return all(isinstance(text, str) for text in texts) and all(map(_is_field, fields))


def _is_field(field: object) -> bool:
    if not isinstance(field, dict):
        return False
    words = (field.get("title"), field.get("value"))
    return all(isinstance(word, str) for word in words) and isinstance(field.get("short"), bool)


class _Handler(Handler):
    owner: FakeSlack

    def serve(self, method: str) -> None:
        match method:
            case "POST":
                self._receive()
            case "PUT":
                self.owner.behave(*json.loads(self.body()))
                self.answer(200, b"ok")
            case _:
                self._tell()

    def _receive(self) -> None:
        slack = self.owner
        behaviour = slack.next_behaviour()
        if behaviour == "reset":
            self.reset()
            return
        body = self.body()
        if self.path == "/elsewhere":
            slack.stolen.append(body)
        slack.requests.append(body)
        self._behave(behaviour, body)

    def _behave(self, behaviour: str, body: bytes) -> None:
        slack = self.owner
        match behaviour:
            case "hang":
                slack.wait()
            case "drop":
                self._accept(body)
            case "killed-before" | "killed-after":
                self._end_sender(behaviour, body)
            case "redirect":
                self.answer(307, b"", location=f"{slack.url}/elsewhere")
            case "not-ok":
                self.answer(200, b"something else")
            case "plain" if b"attachments" in body:
                self.answer(400, b"invalid_attachments")
            case "ok" | "plain":
                error = self._accept(body)
                self.answer(400 if error else 200, error.encode() or b"ok")
            case status:
                self.answer(int(status), _CODES.get(status, b"error"))

    def _end_sender(self, behaviour: str, body: bytes) -> None:
        if behaviour == "killed-after":
            self._accept(body)
        self.owner.kill()

    def _tell(self) -> None:
        slack = self.owner
        kept: object = slack.messages
        if self.path == "/requests":
            kept = [body.decode(errors="replace") for body in slack.requests]
        self.answer(200, json.dumps(kept).encode())

    def _accept(self, body: bytes) -> str:
        try:
            payload = json.loads(body)
        except ValueError:
            return "invalid_payload"
        error = problems(payload)
        if not error:
            self.owner.messages.append(payload)
        return error


_CODES = {
    "400": b"invalid_payload",
    "403": b"action_prohibited",
    "404": b"no_service",
    "410": b"channel_is_archived",
    "429": b"rate_limited",
}
