"""A server on loopback that plays Slack's Web API for one channel, well or badly."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from tests.servers.base import Handler, HttpServer

TOKEN = "xoxb-1234-5678-SeCrEtSeCrEt"
CHANNEL = "C0123456789"


class FakeSlackApi(HttpServer):
    """Plays Slack while the block runs.

    What it can be told to do, one behaviour per call: ``ok``; ``drop``: do it and close the
    connection without an answer; ``killed-before``, ``killed-after``: end the caller, before or
    after doing it; a status such as ``500``; any other word is an error's code.

    Attributes:
        messages: those of the channel and of its threads, oldest first, as they are now.
        calls: the methods that were called.
        page: messages on a page of an answer at most.
        kill: ends the caller that is being served; a test's own.
    """

    def __init__(self) -> None:
        self.kill: Callable[[], None] = lambda: None
        self.messages: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.page = 3
        self._behaviours: deque[str] = deque()
        self._lock = Lock()
        super().__init__(_Handler)

    @property
    def roots(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if "thread_ts" not in message]

    @property
    def replies(self) -> list[dict[str, Any]]:
        return [message for message in self.messages if "thread_ts" in message]

    def behave(self, *behaviours: str) -> None:
        """Do this with the next calls, and well what comes after."""
        self._behaviours = deque(behaviours)

    def answer(self, method: str, body: bytes, headers: dict[str, str]) -> tuple[str, Any]:
        """Return the behaviour and what to answer."""
        behaviour = self.next_behaviour()
        with self._lock:
            self.calls.append(method)
            if headers["authorization"] != f"Bearer {TOKEN}":
                return "ok", {"ok": False, "error": "invalid_auth"}
            if behaviour not in {"ok", "drop", "killed-after"}:
                return behaviour, {"ok": False, "error": behaviour}
            return behaviour, self._do(method, body, headers["content-type"])

    def next_behaviour(self) -> str:
        return self._behaviours.popleft() if self._behaviours else "ok"

    def _do(self, method: str, body: bytes, kind: str) -> Any:
        match method:
            case "chat.postMessage":
                return self._post(_read_json(body, kind))
            case "chat.update":
                return self._update(_read_json(body, kind))
            case "conversations.history":
                question = _read_form(body, kind)
                found = [m for m in self.roots if float(m["ts"]) >= float(question["oldest"])]
                return _listed(list(reversed(found)), question, self.page)
            case "conversations.replies":
                question = _read_form(body, kind)
                thread = {question["ts"]}
                found = [m for m in self.messages if {m["ts"], m.get("thread_ts")} & thread]
                return _listed(found, question, self.page)
        return {"ok": False, "error": "unknown_method"}

    def _post(self, message: dict[str, Any]) -> Any:
        error = _problem(message)
        if error:
            return {"ok": False, "error": error}
        ts = f"{1_714_532_000 + len(self.messages)}.000100"
        self.messages.append({**message, "ts": ts})
        return {"ok": True, "channel": CHANNEL, "ts": ts}

    def _update(self, change: dict[str, Any]) -> Any:
        error = _problem(change)
        if error:
            return {"ok": False, "error": error}
        for message in self.messages:
            if message["ts"] == change["ts"]:
                message.update(change)
                return {"ok": True, "channel": CHANNEL, "ts": message["ts"]}
        return {"ok": False, "error": "message_not_found"}


def _read_json(body: bytes, kind: str) -> dict[str, Any]:
    assert kind == "application/json; charset=utf-8"
    found: dict[str, Any] = json.loads(body)
    return found


def _read_form(body: bytes, kind: str) -> dict[str, str]:
    """Reading methods of Slack do not take JSON."""
    assert kind == "application/x-www-form-urlencoded"
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _listed(found: list[dict[str, Any]], question: dict[str, str], page: int) -> Any:
    assert question["channel"] == CHANNEL
    assert question["include_all_metadata"] == "true"
    begin, size = int(question.get("cursor", "0")), min(int(question["limit"]), page)
    after = begin + size
    more = {"next_cursor": str(after) if after < len(found) else ""}
    return {"ok": True, "messages": found[begin:after], "response_metadata": more}


def _problem(message: dict[str, Any]) -> str:
    if message.get("channel") != CHANNEL:
        return "channel_not_found"
    if not message.get("text"):
        return "no_text"
    if len(message["text"]) > 40_000:
        return "msg_too_long"
    metadata = message.get("metadata", {"event_type": "x", "event_payload": {}})
    if set(metadata) != {"event_type", "event_payload"}:
        return "invalid_metadata_format"
    return "metadata_too_large" if len(json.dumps(metadata)) > 8000 else ""


class _Handler(Handler):
    owner: FakeSlackApi

    def serve(self, method: str) -> None:
        assert method == "POST"
        assert self.path.startswith("/slack.com/api/")
        headers = {name.lower(): value for name, value in self.headers.items()}
        name = self.path.removeprefix("/slack.com/api/")
        behaviour, answer = self.owner.answer(name, self.body(), headers)
        if behaviour.startswith("killed"):
            self.owner.kill()
        if not behaviour.startswith(("drop", "killed")):
            said = json.dumps(answer).encode()
            self.answer(int(behaviour) if behaviour.isdigit() else 200, said)
