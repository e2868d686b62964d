"""What is announced, and the one of it that an id means."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from checkup.cli import recording, session, terminal
from checkup.errors import CheckupError
from checkup.history.periods import month_of
from checkup.incidents.model import Said
from checkup_page.announcements.announcement import Incident, Maintenance
from checkup_page.announcements.desk import Desk, desk
from checkup_page.announcements.markdown import LIMIT, cleaned
from checkup_page.announcements.story import TITLE_LIMIT
from checkup_page.speech.words import clean

Item = TypeVar("Item", Incident, Maintenance)

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def new_id() -> str:
    """Return twelve characters that nobody has used."""
    return secrets.token_hex(6)


def said(text: str, status: str, at: int) -> Said:
    """Return a new entry of a story."""
    return Said(id=new_id(), at=at, status=status, text=words(text))


def titled(text: str) -> str:
    """Return a title as it is kept: one line that every page, feed and terminal can show.

    Raises:
        CheckupError: nothing is left to read.
    """
    title = clean(text, TITLE_LIMIT)
    if not title:
        raise CheckupError("the title is empty; people have to know what it is about")
    if len(" ".join(text.split())) > TITLE_LIMIT:
        terminal.say(f"warning: the title is cut after {TITLE_LIMIT} characters")
    return title


def words(text: str) -> str:
    """Return a Markdown text as it is kept, without what nothing could show."""
    if len(text) > LIMIT:
        terminal.say(f"warning: the text is cut after {LIMIT} characters")
    return cleaned(text)


def meant(items: Mapping[str, Item], start: str, noun: str, month: int | None = None) -> Item:
    """Return the one whose id begins like this.

    Args:
        items: by id.
        start: what was typed.
        noun: what they are.
        month: that in which all of them began.

    Raises:
        CheckupError: there is none, or several.
    """
    found = [key for key in items if key.startswith(start.casefold())] if start else []
    if len(found) == 1:
        return items[found[0]]
    if found:
        raise CheckupError(f'"{start}" is the beginning of several ids: {", ".join(found)}')
    if month is not None:
        name = month_of(month)
        listing = f'"checkup {noun} list --month {name}" shows their ids'
        raise CheckupError(f'no {noun} "{start}" began in {name}; {listing}')
    listing = f'"checkup {noun} list" shows their ids'
    older = "what began more than three months ago is found with --month YYYY-MM"
    raise CheckupError(f'no {noun} "{start}"; {listing}; {older}')


def completing(choose: Callable[[Desk], Mapping[str, Item]]) -> Completion:
    """Return what offers the ids of incidents or of maintenance to a shell."""

    def complete(
        context: click.Context, _: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            config = session.read(context.params.get("config_file"))
            storage, month = recording.open_storage(config), context.params.get("month")
            items = choose(desk(config, storage, time.time_ns(), month))
        except CheckupError:
            return []
        return [
            CompletionItem(key, help=item.title)
            for key, item in items.items()
            if key.startswith(incomplete)
        ]

    return complete
