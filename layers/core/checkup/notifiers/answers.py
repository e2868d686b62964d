"""What the answer of a provider's HTTP interface means for the message."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from checkup.errors import (
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
    UnavailableError,
)
from checkup.ports import Clients, HttpResponse


def check_response(
    who: str,
    answer: HttpResponse,
    *,
    accepted: bool,
    unreadable: Collection[int] = (400, 413),
    said: str = "",
) -> None:
    """Return if the message was accepted.

    What is wrong with the channel (a key was revoked, a quota is used up, an address has moved)
    can be put right, so the message waits for that.

    Args:
        who: the provider, for the sentence.
        accepted: what its documentation says of such an answer.
        unreadable: statuses that say that this very message is at fault.
        said: the provider's own code for what is wrong, if it is safe to show.

    Raises:
        MessageRejectedError: the message will never be accepted.
        Refused: it certainly was not accepted.
        DeliveryUnknownError: it may have been.
    """
    if accepted:
        return
    words = f"{who} answered {answer.status}" + (f" ({said})" if said else "")
    if answer.status in unreadable:
        raise MessageRejectedError(words)
    if 300 <= answer.status < 500:  # noqa: PLR2004 - redirects and refusals
        raise NotDeliveredError(words)
    raise DeliveryUnknownError(words)


def json_object(answer: HttpResponse) -> dict[str, Any]:
    """Return the JSON object that was answered, or an empty one."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def safe_error_code(text: str) -> str:
    """Return a provider's error code, such as ``channel_is_archived``, if it looks like one.

    What it says may repeat what it was sent; keys and tokens have digits or capitals in them.
    """
    return text.strip() if re.fullmatch(r"[a-z_]{1,40}", text.strip()) else ""


def notifier_secret(clients: Clients, value: str, missing: str) -> str:
    """Return what a secret stands for, looked up anew for each message.

    Args:
        missing: the sentence to say if none is configured.

    Raises:
        Refused: there is none. It can be put right, so the message waits.
    """
    if not value:
        raise NotDeliveredError(missing)
    try:
        return clients.secret(value)
    except UnavailableError as error:
        raise NotDeliveredError(str(error)) from error
