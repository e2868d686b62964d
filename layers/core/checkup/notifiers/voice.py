"""How a channel writes what comes from outside: nothing in it can be markup there. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct


def _as_it_is(character: str) -> str:
    return character


class ChannelFormat(Struct, frozen=True, kw_only=True):
    """How a channel writes.

    Attributes:
        escape: makes one outside character harmless.
        strong: what stands before and after a name.
        size: how the channel counts a text against its limits.
        cut: stands for what is left out.
    """

    escape: Callable[[str], str] = _as_it_is
    strong: tuple[str, str] = ("", "")
    size: Callable[[str], int] = len
    cut: str = "…"

    def outside(self, text: str, limit: int) -> str:
        """Make outside text harmless: one line, nothing invisible, no markup, not long.

        What is too long is cut between two characters, never inside an escape.
        """
        escaped = [self.escape(character) for character in one_line(text)[: limit + 1]]
        if sum(map(self.size, escaped)) <= limit:
            return "".join(escaped)
        room = limit - self.size(self.cut)
        kept = []
        for piece in escaped:
            room -= self.size(piece)
            if room < 0:
                break
            kept.append(piece)
        return "".join(kept) + self.cut


PLAIN: Final = ChannelFormat()


def one_line(text: str) -> str:
    """Return the text without line breaks and without characters that cannot be seen."""
    line = " ".join(text.split())
    visible = "".join(character for character in line if character.isprintable())
    return " ".join(visible.split())
