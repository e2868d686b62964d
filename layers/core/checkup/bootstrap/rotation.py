"""A second try with a new secret, when the one that was remembered is refused."""

from __future__ import annotations

from msgspec import Struct

from checkup.bootstrap.clients import LiveClients
from checkup.errors import NotDeliveredError
from checkup.ports import Notification, Notifier


class SecretRotationRetry(Struct, frozen=True):
    """A channel whose secret may be rotated at any moment.

    What was refused has certainly not been accepted, so that a second message doubles nothing.
    """

    channel: Notifier
    clients: LiveClients

    def send(self, notification: Notification) -> None:
        """Deliver a message, as :meth:`checkup.ports.Notifier.send` says."""
        known = self.clients.known_secrets
        try:
            self.channel.send(notification)
        except NotDeliveredError:
            if not known or self.clients.known_secrets:
                raise  # the secret was new, or nobody said that it was wrong
            self.channel.send(notification)
