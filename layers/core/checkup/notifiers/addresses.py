"""Mail addresses as they are configured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import getaddresses

from checkup.errors import NotDeliveredError


def parse_addresses(texts: Iterable[str], key: str) -> list[Address]:
    """Return the addresses, of which there is at least one.

    Args:
        key: what configures them, for the error.

    Raises:
        Refused: one is none, or there are none. It can be put right, so the message waits.
    """
    found = list(_addresses(texts, key))
    if not found:
        raise NotDeliveredError(f"no address is configured as {key}")
    return found


def _addresses(texts: Iterable[str], key: str) -> Iterator[Address]:
    written = [text for text in texts if text.strip()]
    is_visible = all(map(str.isprintable, written))
    for name, address in getaddresses(written):
        try:
            plain = Address(display_name=name, addr_spec=address)
        except (MessageError, ValueError, IndexError):
            plain = Address()
        if not (plain.username and plain.domain and address.isascii() and is_visible):
            raise NotDeliveredError(f"what is configured as {key} is not a mail address")
        yield plain
