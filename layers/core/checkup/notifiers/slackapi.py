"""Slack's Web API, as far as a channel needs it (https://api.slack.com/web)."""

from __future__ import annotations

import json
from collections.abc import Collection
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from checkup.deadline import Deadline
from checkup.errors import (
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
)
from checkup.notifiers.answers import check_response, json_object, safe_error_code
from checkup.ports import Clients

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
"""Codes of https://api.slack.com/methods/chat.postMessage#errors; any other one is a refusal."""

_NO_LONGER: Final = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})


class SlackApi:
    """Calls on behalf of one message, all under one deadline.

    Attributes:
        has_written: a call that changes the channel was accepted.
    """

    def __init__(self, clients: Clients, token: str, life: Deadline) -> None:
        self._clients = clients
        self._token = token
        self._life = life
        self.has_written = False

    def post(self, message: dict[str, Any]) -> str:
        """Post a message and return its ``ts``, by which Slack knows it.

        Raises:
            DeliveryError: Slack did not take it, or perhaps.
        """
        return str(self._write("chat.postMessage", message).get("ts", ""))

    def edit(self, message: dict[str, Any]) -> None:
        """Change a message, unless that is not allowed any more or somebody has removed it.

        Raises:
            DeliveryError: Slack did not take it, or perhaps.
        """
        self._write("chat.update", message, but=_NO_LONGER)

    def read(self, method: str, **question: str) -> dict[str, Any]:
        """Ask for something.

        Raises:
            Refused: it cannot be had; nothing was changed by asking.
        """
        body = urlencode(question).encode()
        try:
            return self._call(method, body, "application/x-www-form-urlencoded")
        except DeliveryError as error:
            raise NotDeliveredError(str(error)) from None

    def _write(
        self, method: str, message: dict[str, Any], but: Collection[str] = ()
    ) -> dict[str, Any]:
        body = json.dumps(message).encode()
        answer = self._call(method, body, "application/json; charset=utf-8", but)
        self.has_written = True
        return answer

    def _call(
        self, method: str, body: bytes, kind: str, but: Collection[str] = ()
    ) -> dict[str, Any]:
        """Call a method and return its answer, which is ``"ok": true``.

        Args:
            but: errors that are answers as good as any.
        """
        left = self._life.left()
        if left < _SHORTEST_SECONDS:
            raise NotDeliveredError("no time was left for Slack")
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
            if error in but:
                return {}
            raise _refusal(error)
        check_response(
            "Slack", answer, accepted=answer.status == HTTPStatus.OK and said.get("ok") is True
        )
        return said


def _refusal(error: str) -> DeliveryError:
    words = f"Slack answered {error or 'no'}"
    if error in _ABOUT_THE_MESSAGE:
        return MessageRejectedError(words)
    return DeliveryUnknownError(words) if error in _PERHAPS_DONE else NotDeliveredError(words)
