"""A server on loopback that plays Slack's Web API for one channel, well or badly."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

TOKEN = "xoxb-1234-5678-SeCrEtSeCrEt"
CHANNEL = "C0123456789"


class FakeSlackApi:
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
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.slack = self
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

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

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


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


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    slack: FakeSlackApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        assert self.path.startswith("/slack.com/api/")
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        method = self.path.removeprefix("/slack.com/api/")
        behaviour, answer = self.server.slack.answer(method, body, headers)
        if behaviour.startswith("killed"):
            self.server.slack.kill()
        if behaviour.startswith(("drop", "killed")):
            self.close_connection = True
            return
        said = json.dumps(answer).encode()
        self.send_response(int(behaviour) if behaviour.isdigit() else 200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words: object) -> None:
        """Stay quiet."""
