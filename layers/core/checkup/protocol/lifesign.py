"""A sign of life after each complete run, for a service that raises the alarm when none comes.

The addresses are those of healthchecks.io (https://healthchecks.io/docs/http_api/): the configured
one for a run that was stored, ``/start`` before it and ``/fail`` for one that was not. Whatever the
service does, no run fails because of it or waits for it for more than two seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from checkup.errors import DeliveryError, UnavailableError
from checkup.ports import Clients

_log = logging.getLogger(__name__)

SECONDS: Final = 2.0
_HEADERS: Final = {"user-agent": "checkup"}


class HeartbeatPing(Struct, frozen=True):
    """Somebody who waits for our runs.

    Attributes:
        url: where, or a reference to the secret that says so.
    """

    url: str
    clients: Clients

    @contextmanager
    def around(self) -> Iterator[None]:
        """Say that a run begins, and how it ended. The first goes on beside the run."""
        beginning = Thread(target=self._send, args=("/start",), name="life-sign", daemon=True)
        beginning.start()
        verb = "/fail"
        try:
            yield
            verb = ""
        finally:
            beginning.join(SECONDS)
            self._send(verb)

    def _send(self, verb: str) -> None:
        try:
            url = _with_verb(self.clients.secret(self.url), verb)
            answer = self.clients.request("GET", url, b"", _HEADERS, timeout=SECONDS)
        except (DeliveryError, UnavailableError) as error:
            _log.warning("heartbeat_url%s: %s", verb, error)
            return
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            log = _log.info if verb else _log.warning  # not every service knows the verbs
            log("heartbeat_url%s: the service answered %d", verb, answer.status)


def _with_verb(url: str, verb: str) -> str:
    address = urlsplit(url)
    return address._replace(path=address.path.rstrip("/") + verb).geturl() if verb else url
