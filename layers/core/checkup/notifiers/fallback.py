"""A second channel for what the first one does not take."""

from __future__ import annotations

import logging

from msgspec import Struct

from checkup.errors import DeliveryUnknownError, NotDeliveredError
from checkup.ports import Notification, Notifier

_log = logging.getLogger(__name__)


class FallbackNotifier(Struct, frozen=True):
    """A channel that is replaced by another while it is dead.

    Attributes:
        names: of both, for the log.
    """

    first: Notifier
    second: Notifier
    names: tuple[str, str]

    def send(self, notification: Notification) -> None:
        """Tell the first, else the second, as :meth:`checkup.ports.Notifier.send` says.

        A message that the first has certainly not taken goes to the second at once. One that it
        may have taken is tried there once more before, so that a short disturbance does not
        tell everything twice.
        """
        try:
            self.first.send(notification)
        except NotDeliveredError as error:
            self._send_to_second(notification, error)
        except DeliveryUnknownError as error:
            if not notification.repeat:
                raise
            self._send_to_second(notification, error)

    def _send_to_second(
        self, notification: Notification, error: NotDeliveredError | DeliveryUnknownError
    ) -> None:
        first, second = self.names
        _log.warning("%s: %s; telling %s", first, error, second)
        try:
            self.second.send(notification)
        except DeliveryUnknownError:
            raise
        except Exception as also:  # noqa: BLE001 - the first one's answer decides
            _log.warning("%s: %s", second, also)
            raise error from None
