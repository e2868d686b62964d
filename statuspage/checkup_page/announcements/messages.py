"""What people said with ``checkup message``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from checkup.model import Run
from checkup.ports import Checker
from checkup_page.components.tracks import tracks
from checkup_page.links import with_links
from checkup_page.speech.words import clean
from checkup_page.view import Message

MOST: Final = 20
LIMIT: Final = 2000
"""Characters of one message; more is cut."""


def messages(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> tuple[Message, ...]:
    """Return the newest messages, the last one first.

    Args:
        checkers: the configured ones.
        runs: oldest first; also those that have no vote, for they may have something to say.
        names: of the components that are shown, by the keys of their tracks.
    """
    return tuple(islice(_said(checkers, runs, names), MOST))


def _said(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> Iterator[Message]:
    for run in reversed(runs):
        is_spoken = any(result.message for result in run.results)
        for track in tracks(checkers, [run]) if is_spoken else ():
            text = clean(track.newest.message, LIMIT) if track.newest else ""
            if text and track.key in names:
                parts = tuple(with_links(text))
                yield Message(component=names[track.key], at=run.slot, parts=parts)
