"""What all channels share: the meaning of a response, secrets, fallbacks, and a test message."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final

from msgspec import Struct, structs

from checkup.alerting.outbox import channel_names
from checkup.documents import load
from checkup.errors import (
    CheckupError,
    DeliveryError,
    DeliveryUnknownError,
    MessageRejectedError,
    NotDeliveredError,
    StorageError,
    UnavailableError,
)
from checkup.history.documents import PAGE_KEY, PageIdentity
from checkup.interfaces import (
    Checker,
    Clients,
    HttpResponse,
    Notification,
    Notifier,
    NotifierSettings,
    Storage,
)
from checkup.interfaces.kinds import secret_fields
from checkup.model import Alert, AlertKind, Status
from checkup.notifiers.message import safe_url
from checkup.text import component_key, public_key
from checkup.times import DAY, SECOND

_log = logging.getLogger(__name__)

_MAX_WAIT_SECONDS: Final = DAY / SECOND
"""A service that asks for more than that is asked again once a day."""


def check_response(
    service: str,
    answer: HttpResponse,
    *,
    accepted: bool,
    rejected_statuses: Collection[int] = (400, 413),
    error_code: str = "",
) -> None:
    """Raise what the response of a provider's HTTP interface means, unless it accepted the message.

    What is wrong with the channel (a revoked key, an exhausted quota, a changed address) can be put
    right, so the message waits for that.

    Args:
        service: the provider's name, for the error.
        accepted: whether its documentation says that such a response accepts the message.
        rejected_statuses: statuses that blame this very message.
        error_code: the provider's own code for what is wrong, if it is safe to show.

    Raises:
        MessageRejectedError: the message will never be accepted.
        NotDeliveredError: it was certainly not accepted.
        DeliveryUnknownError: it may have been accepted.
    """
    if accepted:
        return
    words = f"{service} answered {answer.status}" + (f" ({error_code})" if error_code else "")
    if answer.status in rejected_statuses:
        raise MessageRejectedError(words)
    wait = retry_after(answer.headers.get("retry-after") or json_object(answer).get("retry_after"))
    if 300 <= answer.status < 500:  # noqa: PLR2004 - redirects and refusals
        raise NotDeliveredError(words, wait)
    raise DeliveryUnknownError(words, wait)


def retry_after(value: object) -> float:
    """Return the seconds of a ``Retry-After`` (RFC 9110, 10.2.3), at most a day; 0 if unusable.

    Some services send a decimal number, and Discord the same in the body.
    """
    text = str(value or "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), _MAX_WAIT_SECONDS) if isfinite(seconds) else 0.0


def json_object(answer: HttpResponse) -> dict[str, Any]:
    """Return the JSON object of a response, or an empty one."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def safe_error_code(text: str) -> str:
    """Return a provider's error code, such as ``channel_is_archived``, if it looks like one.

    A response may repeat what was sent; keys and tokens have digits or capitals in them.
    """
    return text.strip() if re.fullmatch(r"[a-z_]{1,40}", text.strip()) else ""


def notifier_secret(clients: Clients, value: str, missing: str) -> str:
    """Return a secret, read again for each message.

    Args:
        missing: the error text if none is configured.

    Raises:
        NotDeliveredError: there is none. It can be put right, so the message waits.
    """
    if not value:
        raise NotDeliveredError(missing)
    try:
        return clients.secret(value)
    except UnavailableError as error:
        raise NotDeliveredError(str(error)) from error


class FallbackNotifier(Struct, frozen=True):
    """A channel that is replaced by another while it fails.

    Attributes:
        names: of both, for the log.
    """

    primary: Notifier
    secondary: Notifier
    names: tuple[str, str]

    def send(self, notification: Notification) -> None:
        """Send to the first, else to the second; see :meth:`checkup.interfaces.Notifier.send`.

        A message that the first has certainly not accepted goes to the second at once. One that it
        may have accepted is first tried there once more, so that a short disturbance does not
        deliver everything twice.
        """
        try:
            self.primary.send(notification)
        except NotDeliveredError as error:
            self._send_to_second(notification, error)
        except DeliveryUnknownError as error:
            if not notification.possible_duplicate:
                raise
            self._send_to_second(notification, error)

    def _send_to_second(
        self, notification: Notification, error: NotDeliveredError | DeliveryUnknownError
    ) -> None:
        first, second = self.names
        _log.warning("%s: %s; sending to %s instead", first, error, second)
        try:
            self.secondary.send(notification)
        except DeliveryUnknownError:
            raise
        except Exception as also:  # noqa: BLE001 - the first one's error decides
            _log.warning("%s: %s", second, also)
            raise error from None


class _UnavailableNotifier(Struct, frozen=True):
    """A channel that cannot be used here: its alerts wait, and the others are not affected."""

    reason: str

    def send(self, notification: Notification) -> None:
        raise NotDeliveredError(self.reason)


def open_notifiers(notifiers: Sequence[NotifierSettings], clients: Clients) -> dict[str, Notifier]:
    """Return every channel by its name, without fallbacks."""
    opened: dict[str, Notifier] = {}
    for name, settings in zip(channel_names(notifiers), notifiers, strict=True):
        try:
            opened[name] = settings.open(clients)
        except UnavailableError as error:
            opened[name] = _UnavailableNotifier(str(error))
    return opened


def open_notifiers_with_fallbacks(
    notifiers: Sequence[NotifierSettings], clients: Clients
) -> dict[str, Notifier]:
    """Return every channel by its name, with its fallback if it has one."""
    channels = open_notifiers(notifiers, clients)
    fallbacks = {
        name: settings.fallback
        for name, settings in zip(channels, notifiers, strict=True)
        if settings.fallback in channels
    }
    return {
        name: FallbackNotifier(channel, channels[fallbacks[name]], (name, fallbacks[name]))
        if name in fallbacks
        else channel
        for name, channel in channels.items()
    }


def channel_problems(notifiers: Sequence[NotifierSettings], clients: Clients) -> dict[str, str]:
    """Return why channels cannot deliver anything, by their name; nothing is sent.

    Only references that cost nothing are resolved: those to the environment and to files.
    """
    found: dict[str, str] = {}
    for name, settings in zip(channel_names(notifiers), notifiers, strict=True):
        try:
            settings.open(clients)
            for value in _secret_values(settings):
                if value.startswith(("env:", "file:")):
                    clients.secret(value)
        except UnavailableError as error:
            found[name] = str(error)
    return found


def _secret_values(settings: Struct) -> Iterator[str]:
    for name in secret_fields(type(settings)):
        yield getattr(settings, name)
    for field in structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Struct):
            yield from _secret_values(value)


def select_notifiers(known: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    """Return the wanted channels in the order of the configuration; without names all of them.

    Raises:
        CheckupError: no channel is configured, or none of that name.
    """
    if not known:
        raise CheckupError("no notifiers are configured")
    for name in wanted:
        if name not in known:
            raise CheckupError(f"unknown channel '{name}'; configured: {', '.join(known)}")
    return [name for name in known if name in wanted or not wanted]


def component_urls(
    checkers: Iterable[Checker], page_url: str, storage: Storage, page_id: str, configured_url: str
) -> dict[str, str]:
    """Return the pages of all components that are shown, by checker id.

    Their ids come from ``page.id``, the first published page, or else ``page.url``.

    Args:
        page_url: where the status page is; without one there are none.
        storage: where the source of the ids is.
        page_id, configured_url: as configured.
    """
    base = safe_url(page_url)
    if not base:
        return {}
    seed = page_id or configured_url
    try:
        identity = None if page_id else load(storage, PAGE_KEY, PageIdentity).document
        seed = identity.seed if identity else seed
    except StorageError as error:
        _log.warning("links to components are those of page.url: %s", error)
    page = public_key("page", seed)
    return {
        checker.id: f"{base.rstrip('/')}/components/{component_key(page, checker.id)}.html"
        for checker in checkers
        if not checker.hidden
    }


def send_test(channel: Notifier, name: str, page_url: str) -> str:
    """Send a test message, past routes and fallback; return what went wrong, or an empty text."""
    now = time.time_ns()
    alert = Alert(
        id=f"/test:unknown/{name}/{now}",
        checker="",
        title="Checkup",
        kind=AlertKind.TEST,
        status=Status.UNKNOWN,
        previous_status=Status.UNKNOWN,
        slot=now,
        since=now,
        opened=now,
        reason=f"this is a test message to channel {name}; no action needed",
    )
    try:
        channel.send(Notification(alerts=(alert,), page_url=page_url))
    except DeliveryUnknownError as error:
        return f"delivery unknown: {error}"
    except MessageRejectedError as error:
        return f"message rejected: {error}"
    except DeliveryError as error:
        return f"delivery failed: {error}"
    return ""
