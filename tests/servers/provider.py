"""A server on loopback that plays any provider's HTTP interface, well or badly."""

from __future__ import annotations

import json
from threading import Event, Lock
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from tests.servers.base import Handler, HttpServer


class Request(NamedTuple):
    """What was asked: ``headers`` by their names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form, each of which is there once."""
        fields = parse_qs(self.body.decode(), keep_blank_values=True, strict_parsing=True)
        assert all(len(values) == 1 for values in fields.values())
        return {name: values[0] for name, values in fields.items()}

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.path).query)


class Say(NamedTuple):
    """An answer: its status, body and ``Retry-After``."""

    status: int
    body: bytes | str = b""
    retry_after: str = ""


HANG, RESET, DROP, REDIRECT = "hang", "reset", "drop", "redirect"
"""Read and say nothing; close hard before reading; close after reading; send elsewhere."""

Behaviour = Say | str


class Provider(HttpServer):
    """Plays a provider while the block runs: one behaviour per request, the last for ever.

    Attributes:
        requests: what was asked, in order.
    """

    def __init__(self, *behaviours: Behaviour) -> None:
        self.requests: list[Request] = []
        self._behaviours = list(behaviours) or [Say(200)]
        self._lock = Lock()
        self.closing = Event()
        super().__init__(_Handler)

    def behave(self, *behaviours: Behaviour) -> None:
        with self._lock:
            self._behaviours = list(behaviours)

    def next_behaviour(self) -> Behaviour:
        with self._lock:
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def heard(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def down(self) -> None:
        self.closing.set()
        super().down()


class _Handler(Handler):
    owner: Provider

    def serve(self, method: str) -> None:
        provider = self.owner
        behaviour = provider.next_behaviour()
        if behaviour == RESET:
            self.reset()
            return
        body = self.body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        provider.heard(Request(self.path, headers, body, method))
        match behaviour:
            case Say(status=status, body=said, retry_after=wait):
                headers = {"Retry-After": wait} if wait else {}
                self.answer(status, said.encode() if isinstance(said, str) else said, **headers)
            case "redirect":
                self.answer(307, b"", location=f"{provider.url}/stolen")
            case "hang":
                provider.closing.wait(60)
            case _:
                self.close_connection = True
