"""A server on loopback that plays Slack's incoming webhooks, well or badly.

It keeps every request, and apart from that the messages that a human would have seen. A test in
the same process reads the attributes; any other process asks ``GET /messages`` or ``GET /requests``
and sets the behaviour with ``PUT /behaviour`` and a body like ``["500", "ok"]``.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, Self

SECRET = "T0000/B0000/secretsecretsecret"


class FakeSlack:
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
        self._listen(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def webhook(self) -> str:
        return f"{self.url}/services/{SECRET}"

    @property
    def texts(self) -> list[str]:
        """The first lines of the messages that were accepted."""
        return [message["text"] for message in self.messages]

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
        """Refuse connections."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def up(self) -> None:
        """Listen again, on the same port."""
        self._closing.clear()
        self._listen(self._server.server_port)
        self._thread.start()

    def _listen(self, port: int) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.slack = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down()


def short_ids(message: dict[str, Any]) -> list[str]:
    """Return the short alert ids that a message shows."""
    found = re.findall(r"(?:alert |\()([0-9a-f]{8})\b", json.dumps(message))
    return list(dict.fromkeys(found))


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


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    slack: FakeSlack

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        slack = self.server.slack
        behaviour = slack.next_behaviour()
        if behaviour == "reset":
            self._reset()
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/elsewhere":
            slack.stolen.append(body)
        slack.requests.append(body)
        self._behave(behaviour, body)

    def _behave(self, behaviour: str, body: bytes) -> None:
        slack = self.server.slack
        match behaviour:
            case "hang":
                slack.wait()
            case "drop":
                self._accept(body)
            case "killed-before" | "killed-after":
                self._end_sender(behaviour, body)
            case "redirect":
                self._answer(307, b"", location=f"{slack.url}/elsewhere")
            case "not-ok":
                self._answer(200, b"something else")
            case "plain" if b"attachments" in body:
                self._answer(400, b"invalid_attachments")
            case "ok" | "plain":
                error = self._accept(body)
                self._answer(400 if error else 200, error.encode() or b"ok")
            case status:
                self._answer(int(status), _CODES.get(status, b"error"))

    def _end_sender(self, behaviour: str, body: bytes) -> None:
        if behaviour == "killed-after":
            self._accept(body)
        self.server.slack.kill()

    def do_GET(self) -> None:
        slack = self.server.slack
        kept: object = slack.messages
        if self.path == "/requests":
            kept = [body.decode(errors="replace") for body in slack.requests]
        self._answer(200, json.dumps(kept).encode())

    def do_PUT(self) -> None:
        self.server.slack.behave(*json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(200, b"ok")

    def log_message(self, *words: object) -> None:
        """Stay quiet."""

    def _accept(self, body: bytes) -> str:
        try:
            payload = json.loads(body)
        except ValueError:
            return "invalid_payload"
        error = problems(payload)
        if not error:
            self.server.slack.messages.append(payload)
        return error

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with suppress(OSError):
            self.connection.close()
        self.close_connection = True


_CODES = {
    "400": b"invalid_payload",
    "403": b"action_prohibited",
    "404": b"no_service",
    "410": b"channel_is_archived",
    "429": b"rate_limited",
}
