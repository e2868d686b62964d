"""Connections that are kept from one request to the next, where many go to one place."""

from __future__ import annotations

import selectors
import weakref
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPSConnection
from threading import Lock
from typing import Final

from checkup.http.exchange import HttpRequest, Origin, parse_url, send_request
from checkup.http.trust import client_tls_context
from checkup.ports import HttpResponse

MAX_MESSAGE_BODY: Final = 64 * 1024
MAX_DOCUMENT_BODY: Final = 64 * 1024 * 1024


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout: float, method: str = "POST"
) -> HttpResponse:
    """Send ``body`` and return the answer, whatever its status is, and the beginning of its body.

    A message never goes over a kept connection: one that breaks would leave open whether it
    arrived.

    Args:
        timeout: seconds for the whole exchange, name look-up included.

    Raises:
        Refused: it certainly did not arrive.
        DeliveryUnknownError: it was sent, and no whole answer came in time.
    """
    return _once(HttpRequest(method, parse_url(url), body, headers, MAX_MESSAGE_BODY), timeout)


def request(
    method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float
) -> HttpResponse:
    """Do any request and return the answer with its whole body, which may have 64 MiB.

    Args:
        timeout: as for :func:`post`, which raises the same.
    """
    return _once(HttpRequest(method, parse_url(url), body, headers, MAX_DOCUMENT_BODY), timeout)


class ConnectionPool:
    """Keeps one idle connection to each place, for as long as this object lives."""

    def __init__(self) -> None:
        self._idle: dict[Origin, HTTPConnection] = {}
        self._lock = Lock()
        weakref.finalize(self, _close_all, self._idle)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> HttpResponse:
        """Do a request as :func:`request` does, and keep the connection.

        A kept connection may break just as it is used. So what is asked has to be harmless if
        the caller asks once more.
        """
        question = HttpRequest(method, parse_url(url), body, headers, MAX_DOCUMENT_BODY)
        connection = self._taken(question.line, timeout)
        answer = send_request(question, timeout, connection)
        self._give_back(question.line, connection)
        return answer

    def _taken(self, line: Origin, timeout: float) -> HTTPConnection:
        """Return an open connection if there is one, else a new one."""
        with self._lock:
            kept = self._idle.pop(line, None)
        if kept is None:
            return _connection(line, timeout)
        if kept.sock is None or _has_ended(kept):
            kept.close()
            return _connection(line, timeout)
        kept.sock.settimeout(timeout)
        return kept

    def _give_back(self, line: Origin, connection: HTTPConnection) -> None:
        if connection.sock is None:  # the other side wants it closed
            return
        with self._lock:
            other = self._idle.setdefault(line, connection)
        if other is not connection:
            connection.close()


def _once(question: HttpRequest, timeout: float) -> HttpResponse:
    connection = _connection(question.line, timeout)
    try:
        return send_request(question, timeout, connection)
    finally:
        connection.close()


def _connection(line: Origin, timeout: float) -> HTTPConnection:
    if line.scheme == "http":
        return HTTPConnection(line.host, line.port, timeout=timeout)
    return HTTPSConnection(line.host, line.port, timeout=timeout, context=client_tls_context())


def _has_ended(connection: HTTPConnection) -> bool:
    """Say whether there is something to read where nothing was asked: the end, or nonsense."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _close_all(idle: dict[Origin, HTTPConnection]) -> None:
    for connection in idle.values():
        connection.close()
