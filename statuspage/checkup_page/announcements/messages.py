"""What people said with ``checkup message``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from checkup.model import Run
from checkup.ports import Checker
from checkup_page.components.tracks import results_by_checker
from checkup_page.links import linkify
from checkup_page.speech.words import clean_line
from checkup_page.view import PageMessage

MOST: Final = 20
LIMIT: Final = 2000
"""Characters of one message; more is cut."""


def page_messages(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> tuple[PageMessage, ...]:
    """Return the newest messages, the last one first.

    Args:
        checkers: the configured ones.
        runs: oldest first; also those that have no vote, for they may have something to say.
        names: of the components that are shown, by the keys of their tracks.
    """
    return tuple(islice(_said(checkers, runs, names), MOST))


def _said(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> Iterator[PageMessage]:
    for run in reversed(runs):
        is_spoken = any(result.message for result in run.results)
        for track in results_by_checker(checkers, [run]) if is_spoken else ():
            text = clean_line(track.newest.message, LIMIT) if track.newest else ""
            if text and track.key in names:
                parts = tuple(linkify(text))
                yield PageMessage(component=names[track.key], at=run.slot, parts=parts)
