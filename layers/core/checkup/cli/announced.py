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
from checkup.history.periods import format_month
from checkup.incidents.model import IncidentUpdate
from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.announcements.desk import EditableIncidents, load_editable
from checkup_page.announcements.markdown import LIMIT, clean_markdown
from checkup_page.announcements.story import TITLE_LIMIT
from checkup_page.speech.words import clean_line

Item = TypeVar("Item", IncidentView, MaintenanceView)

Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def new_id() -> str:
    """Return twelve characters that nobody has used."""
    return secrets.token_hex(6)


def new_update(text: str, status: str, at: int) -> IncidentUpdate:
    """Return a new entry of a story."""
    return IncidentUpdate(id=new_id(), at=at, status=status, text=clean_body(text))


def clean_title(text: str) -> str:
    """Return a title as it is kept: one line that every page, feed and terminal can show.

    Raises:
        CheckupError: nothing is left to read.
    """
    title = clean_line(text, TITLE_LIMIT)
    if not title:
        raise CheckupError("the title is empty; people have to know what it is about")
    if len(" ".join(text.split())) > TITLE_LIMIT:
        terminal.log_line(f"warning: the title is cut after {TITLE_LIMIT} characters")
    return title


def clean_body(text: str) -> str:
    """Return a Markdown text as it is kept, without what nothing could show."""
    if len(text) > LIMIT:
        terminal.log_line(f"warning: the text is cut after {LIMIT} characters")
    return clean_markdown(text)


def find_by_id_prefix(
    items: Mapping[str, Item], start: str, noun: str, month: int | None = None
) -> Item:
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
        name = format_month(month)
        listing = f'"checkup {noun} list --month {name}" shows their ids'
        raise CheckupError(f'no {noun} "{start}" began in {name}; {listing}')
    listing = f'"checkup {noun} list" shows their ids'
    older = "what began more than three months ago is found with --month YYYY-MM"
    raise CheckupError(f'no {noun} "{start}"; {listing}; {older}')


def id_completion(choose: Callable[[EditableIncidents], Mapping[str, Item]]) -> Completion:
    """Return what offers the ids of incidents or of maintenance to a shell."""

    def complete(
        context: click.Context, _: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        try:
            config = session.read_config(context.params.get("config_file"))
            storage, month = recording.require_storage(config), context.params.get("month")
            items = choose(load_editable(config, storage, time.time_ns(), month))
        except CheckupError:
            return []
        return [
            CompletionItem(key, help=item.title)
            for key, item in items.items()
            if key.startswith(incomplete)
        ]

    return complete
