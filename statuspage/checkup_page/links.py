"""Addresses that may be followed from a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from checkup_page.view import LinkedText

_LINK = re.compile(r"https?://[^\s<>\"'\\]*[^\s<>\"'\\.,;:!?)\]}]", re.IGNORECASE)
_IMAGE = re.compile(
    r"data:image/(?:png|gif|jpeg|webp|svg\+xml)[;,][\w!$&'()*+,;=:@%/.-]*", re.IGNORECASE
)
_PATH = re.compile(r"(?!/)[\w./-]+", re.ASCII)


def safe_link(address: str) -> str:
    """Return an http or https address as it is, and anything else as an empty string."""
    return address if _LINK.fullmatch(address) else ""


def safe_image(address: str) -> str:
    """Return the address of a picture that lies beside the page or is contained in it.

    Any other would be a request to somebody else, which the page does not make: then an empty
    string.
    """
    return address if _IMAGE.fullmatch(address) or _PATH.fullmatch(address) else ""


def linkify(text: str) -> Iterator[LinkedText]:
    """Yield the parts of a text, with the addresses in it as links."""
    end = 0
    for match in _LINK.finditer(text):
        if match.start() > end:
            yield LinkedText(text[end : match.start()])
        yield LinkedText(match[0], match[0])
        end = match.end()
    if end < len(text):
        yield LinkedText(text[end:])
