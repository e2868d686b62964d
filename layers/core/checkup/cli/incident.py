"""``checkup incident``: tell people what is going on."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

import click
from click.shell_completion import CompletionItem

from checkup import app
from checkup.cli import options, output
from checkup.cli.commands import SubcommandGroup
from checkup.cli.options import (
    Decorator,
    checker_ids,
    component_option,
    config_options,
    examples_epilog,
    month_flag,
    verbose_option,
)
from checkup.cli.stack import request_publish
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.incidents import model
from checkup.incidents.model import (
    IMPACTS,
    INCIDENT_STATUSES,
    IncidentDocument,
    IncidentUpdate,
    add_incident,
    add_update,
    edit_incident,
    resolve_incident,
)
from checkup.incidents.store import change_incidents
from checkup.text import clean_line
from checkup.times import SECOND, format_minute, format_month, format_timespan, parse_timestamp
from checkup_page.incidents.load import EditableIncidents, load_editable, take_over_automatic
from checkup_page.incidents.markdown import LIMIT, clean_markdown
from checkup_page.incidents.view import TITLE_LIMIT, IncidentView, MaintenanceView

# What is announced, and the one of it that an id means.


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
        output.log_line(f"warning: the title is cut after {TITLE_LIMIT} characters")
    return title


def clean_body(text: str) -> str:
    """Return a Markdown text as it is kept, without what nothing could show."""
    if len(text) > LIMIT:
        output.log_line(f"warning: the text is cut after {LIMIT} characters")
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
            config = options.read_config(context.params.get("config_file"))
            storage, month = app.require_storage(config), context.params.get("month")
            items = choose(load_editable(config, storage, time.time_ns(), month))
        except CheckupError:
            return []
        return [
            CompletionItem(key, help=item.title)
            for key, item in items.items()
            if key.startswith(incomplete)
        ]

    return complete


# Listing incidents and maintenance, and showing one of them.


incident_ids = id_completion(lambda desk: desk.incidents)
maintenance_ids = id_completion(lambda desk: desk.maintenances)


@click.command("list")
@config_options
@month_flag
@verbose_option
def list_incidents(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List the incidents of the last months, or of one month: what is open, and what was."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    known = load_editable(config, app.require_storage(config), now, month)
    for it in known.incidents.values():
        print(_incident(it, known, now))
    if not known.incidents:
        print("no incidents")
    return 0


@click.command("show")
@config_options
@month_flag
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
def show_incident(config_file: str | None, *, month: int | None, verbose: bool, name: str) -> int:
    """Show an incident and all that was said of it, oldest first."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    known = load_editable(config, app.require_storage(config), now, month)
    it = find_by_id_prefix(known.incidents, name, "incident", month)
    print(_incident(it, known, now))
    if it.affected:
        print(f"  about {', '.join(part.name for part in it.affected)}")
    for line in _story(it):
        print(line)
    return 0


@click.command("show")
@config_options
@month_flag
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
def show_maintenance(
    config_file: str | None, *, month: int | None, verbose: bool, name: str
) -> int:
    """Show maintenance and all that was said of it, oldest first."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    known = load_editable(config, app.require_storage(config), time.time_ns(), month)
    it = find_by_id_prefix(known.maintenances, name, "maintenance", month)
    print(_maintenance(it))
    for line in _story(it):
        print(line)
    return 0


def _incident(it: IncidentView, known: EditableIncidents, now: int) -> str:
    """Return an incident in one line, and whether it is there by itself."""
    lasted = format_timespan((it.resolved_at or now) - it.started_at)
    source = "" if it.key not in known.unwritten else "  (by itself"
    if source:
        source += ")" if it.key in known.shown else ", not on the page)"
    return (
        f"{it.key}  {it.impact:<8}  {it.status:<13}  {format_minute(it.started_at)}  {lasted:>9}  "
        f"{it.title}{source}"
    )


def _maintenance(it: MaintenanceView) -> str:
    about = ", ".join(part.name for part in it.affected) or "everything"
    return (
        f"{it.key}  {it.status:<11}  "
        f"{format_minute(it.scheduled_for)} to {format_minute(it.scheduled_until)}  "
        f"{it.title}: {about}"
    )


def _story(it: IncidentView | MaintenanceView) -> Iterator[str]:
    """Yield all that was said, oldest first."""
    for entry in reversed(it.updates):
        yield f"\n  {format_minute(entry.at)}  {entry.status}"
        for line in entry.body.splitlines():
            yield f"    {line}".rstrip()


_LONG_AGO: Final = 366 * 86_400 * SECOND
"""Before that, a beginning is a slip of the pen, and each month since then would have its page."""


@click.group(
    cls=SubcommandGroup,
    epilog=examples_epilog(
        'checkup incident open "Payments fail" --impact major --component api',
        'checkup incident update 3f9 "We found the cause." --status identified',
        'checkup incident resolve 3f9 "It was a full disk. We are sorry."',
        "checkup incident                 list what is open, and what was of late",
        'checkup incident update 3f9 "What we learned." --status postmortem --month 2026-03',
        "checkup --stack shop incident    the same, of a deployed stack",
    ),
)
def incident() -> None:
    """Tell people what is going on, on the status page.

    Outages appear there by themselves, in few words. What you write about one replaces them, and
    from then on only you end it. Until then the page is no better than its impact, unless it is
    "monitoring": then the checks decide again. Texts are Markdown. An ID may be cut short.
    """


def _status_flag(default: str | None) -> Decorator:
    return click.option(
        "--status",
        type=click.Choice(INCIDENT_STATUSES),
        default=default,
        show_default=True,
        help="What is being done about it.",
    )


def _impact_flag(default: str | None) -> Decorator:
    return click.option(
        "--impact",
        type=click.Choice(IMPACTS),
        default=default,
        show_default=True,
        help="How bad it is.",
    )


@incident.command("open")
@config_options
@_impact_flag("minor")
@component_option
@_status_flag("investigating")
@click.option("--message", "text", metavar="TEXT", default="", help="The first thing to say.")
@click.option("--from", "begin", metavar="TIME", default="", help="When it began, if before now.")
@verbose_option
@click.argument("title")
def open_incident(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    impact: str,
    components: tuple[str, ...],
    status: str,
    text: str,
    begin: str,
    verbose: bool,
    title: str,
) -> int:
    """Open an incident with the TITLE that people will read.

    If an outage of the same components is going on, this is what is told of it from now on.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    started = parse_timestamp(begin, now, config.page.timezone) if begin else now
    if started > now:
        raise CheckupError('it begins later; announce it with "checkup maintenance add"')
    if started < now - _LONG_AGO:
        raise CheckupError(f'--from "{begin}" is more than a year ago')
    about = checker_ids(config, components)
    storage = app.require_storage(config)
    written = model.Incident(
        id=new_id(),
        title=clean_title(title),
        impact=impact,
        started=started,
        checkers=about,
        updates=(new_update(text, status, now),),
    )
    written = take_over_automatic(load_editable(config, storage, now), written)
    change_incidents(storage, lambda document: add_incident(document, written))
    request_publish()
    print(f"{written.id}  {written.title}: {status}")
    return 0


@incident.command("update")
@config_options
@_status_flag(None)
@_impact_flag(None)
@click.option("--title", metavar="TEXT", default="", help="What it is called from now on.")
@component_option
@month_flag
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
@click.argument("text", required=False, default="")
def update_incident(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    status: str | None,
    impact: str | None,
    title: str,
    components: tuple[str, ...],
    month: int | None,
    verbose: bool,
    name: str,
    text: str,
) -> int:
    """Say TEXT about an incident, and perhaps what it is now; or only change what it is called."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    about = checker_ids(config, components)
    now = time.time_ns()
    entry = new_update(text, status or "", now)
    is_news = bool(entry.text or entry.status)
    corrected = bool(title or impact or about)
    if not (is_news or corrected):
        raise click.UsageError("say something: TEXT, --status, --impact, --title or --component")
    new = {"title": clean_title(title) if title else "", "impact": impact or ""}

    def change(document: IncidentDocument, known: model.Incident) -> IncidentDocument:
        changed = add_update(document, known, entry) if is_news else document
        return edit_incident(changed, known, now, **new, checkers=about) if corrected else changed

    return _write(config, name, month, change)


@incident.command("resolve")
@config_options
@month_flag
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
@click.argument("text", required=False, default="")
def resolve(
    config_file: str | None, *, month: int | None, verbose: bool, name: str, text: str
) -> int:
    """End an incident, and perhaps say TEXT. One that is over stays as it is."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    entry = new_update(text, "resolved", time.time_ns())
    return _write(
        config, name, month, lambda document, known: resolve_incident(document, known, entry)
    )


def _write(
    config: Config,
    name: str,
    month: int | None,
    change: Callable[[IncidentDocument, model.Incident], IncidentDocument],
) -> int:
    """Change the incident that an id means; an outage becomes what a person wrote."""
    storage = app.require_storage(config)
    known = load_editable(config, storage, time.time_ns(), month)
    it = known.to_write(find_by_id_prefix(known.incidents, name, "incident", month).key)
    document = change_incidents(storage, lambda document: change(document, it))
    request_publish()
    written = document.incidents[it.id]
    print(f"{written.id}  {written.title}: {written.status}")
    return 0


incident.add_command(list_incidents)


incident.add_command(show_incident)
