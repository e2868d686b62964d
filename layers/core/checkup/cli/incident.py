"""``checkup incident``: incidents that people write about, and the ids and texts typed for them."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
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
    find_by_id_prefix,
    month_option,
    verbose_option,
)
from checkup.cli.output import format_table
from checkup.cli.stack import request_publish
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.incidents import model
from checkup.incidents.model import (
    IMPACTS,
    INCIDENT_STATUSES,
    RESOLVED_STATUSES,
    IncidentDocument,
    IncidentUpdate,
    UpdateCorrection,
    add_incident,
    add_update,
    correct_incident_update,
    edit_incident,
    resolve_incident,
)
from checkup.incidents.store import change_incidents
from checkup.pipeline.state_store import announce_update
from checkup.text import clean_line
from checkup.times import DAY, format_minute, format_timespan, parse_timestamp
from checkup_page.incidents.load import EditableIncidents, load_editable, take_over_automatic
from checkup_page.incidents.markdown import LIMIT, clean_markdown
from checkup_page.incidents.view import TITLE_LIMIT, IncidentView, MaintenanceView

Item = TypeVar("Item", IncidentView, MaintenanceView)
Completion = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def id_completion(choose: Callable[[EditableIncidents], Mapping[str, Item]]) -> Completion:
    """Return a shell completion of the ids of incidents or of maintenance."""

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


incident_ids = id_completion(lambda loaded: loaded.incidents)

_OLDEST_START: Final = 366 * DAY
"""A start before that is taken for a typing error: each month since then would have its page."""


@click.group(
    cls=SubcommandGroup,
    epilog=examples_epilog(
        'checkup incident open "Payments fail" --impact major --component api',
        'checkup incident update 3f9 "We found the cause." --status identified',
        'checkup incident resolve 3f9 "It was a full disk. We are sorry."',
        "checkup incident                 list open and recent incidents",
        'checkup incident open "Slow" --from "2026-11-24 10:00" --until "2026-11-24 10:40"',
        'checkup incident correct 3f9 last "The cause was a full disk."',
        'checkup incident update 3f9 "What we learned." --status postmortem --month 2026-03',
        "checkup --stack shop incident    list those of a deployed stack",
    ),
)
def incident() -> None:
    """Write about incidents on the status page.

    Outages appear there automatically. Once you update one, its automatic text is replaced and
    only you can resolve it. Until then the overall status is at least as bad as its impact,
    except in status "monitoring", where the checks decide. Texts are Markdown. The start of an
    ID is enough. A TIME is "now", "2026-11-28 22:00" in the time zone of the page, or with a zone
    as in RFC 3339.
    """


@incident.command("list")
@config_options
@month_option
@verbose_option
def list_incidents(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List open and recent incidents, or those of one month."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    loaded = load_editable(config, app.require_storage(config), now, month)
    rows = [_incident_row(it, loaded, now) for it in loaded.incidents.values()]
    print(format_table(rows, right={4}) or "no incidents")
    return 0


@incident.command("show")
@config_options
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
def show_incident(config_file: str | None, *, month: int | None, verbose: bool, name: str) -> int:
    """Show an incident and its updates, oldest first."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    loaded = load_editable(config, app.require_storage(config), now, month)
    it = find_by_id_prefix(loaded.incidents, name, "incident", month)
    print(format_table([_incident_row(it, loaded, now)]))
    if it.affected:
        print(f"  affects {', '.join(part.name for part in it.affected)}")
    print_updates(it)
    return 0


def _incident_row(it: IncidentView, loaded: EditableIncidents, now: int) -> tuple[str, ...]:
    source = ""
    if it.key in loaded.automatic:
        source = "  (automatic)" if it.key in loaded.published else "  (automatic, not on the page)"
    return (
        it.key,
        it.impact,
        it.status,
        format_minute(it.started_at),
        format_timespan((it.resolved_at or now) - it.started_at),
        f"{it.title}{source}",
    )


def _status_option(help_text: str) -> Decorator:
    return click.option(
        "--status", type=click.Choice(INCIDENT_STATUSES), default=None, help=help_text
    )


def _impact_option(help_text: str) -> Decorator:
    return click.option("--impact", type=click.Choice(IMPACTS), default=None, help=help_text)


def time_option(name: str, variable: str, help_text: str) -> Decorator:
    """Return an option for a time, which is empty if it is not given."""
    return click.option(name, variable, metavar="TIME", default="", help=help_text)


at_option = time_option("--at", "at", "Time of the update  [default: now]")


def parse_past(text: str, now: int, config: Config, name: str = "--at") -> int:
    """Return a time that was typed; now if there is none.

    Raises:
        CheckupError: it is in the future.
    """
    at = parse_timestamp(text, now, config.page.timezone) if text else now
    if at > now:
        raise CheckupError(f'{name} "{text}" is in the future')
    return at


@incident.command("open")
@config_options
@_impact_option("Impact on users  [default: of the automatic incident, or minor]")
@component_option
@_status_option("Status  [default: investigating, or with --until resolved]")
@click.option("--message", "text", metavar="TEXT", default="", help="First update.")
@time_option("--from", "begin", "Start  [default: now]")
@time_option("--until", "end", "End, of an incident that is over.")
@time_option("--at", "at", "Time of the first update  [default: now, or the end]")
@verbose_option
@click.argument("title")
def open_incident(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    impact: str | None,
    components: tuple[str, ...],
    status: str | None,
    text: str,
    begin: str,
    end: str,
    at: str,
    verbose: bool,
    title: str,
) -> int:
    """Open an incident with the TITLE shown on the status page.

    If there is an automatic incident of the same components, it is replaced. With --until, the
    incident is over and its status is "resolved".
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now, zone = time.time_ns(), config.page.timezone
    started = parse_timestamp(begin, now, zone) if begin else now
    if started > now:
        raise CheckupError('the start is in the future; use "checkup maintenance add"')
    if started < now - _OLDEST_START:
        raise CheckupError(f'--from "{begin}" is more than a year ago')
    ended = parse_past(end, now, config, "--until") if end else 0
    status = status or ("resolved" if ended else "investigating")
    if ended and status not in RESOLVED_STATUSES:
        raise click.UsageError(f'with --until, the status cannot be "{status}"')
    written_at = parse_past(at, now, config) if at else ended or now
    if (ended or now) < started or written_at < started:
        raise CheckupError("--until and --at must be after the start")
    if begin and status in RESOLVED_STATUSES and not (ended or at):
        output.log_line("warning: it is resolved as of now; --until sets an earlier end")
    about = checker_ids(config, components)
    storage = app.require_storage(config)
    key, entry = new_id(), new_update(text, status, written_at)
    written = model.Incident(
        id=key,
        title=clean_title(title),
        impact=impact or "minor",
        started=started,
        checkers=about,
        updates=(entry,),
        ended=ended if ended != written_at else 0,
    )
    if not ended:
        loaded = load_editable(config, storage, now)
        written = take_over_automatic(loaded, written, keep_impact=impact is None)
    context = app.run_context(config, os.environ, storage=storage)
    announce_update(
        context, entry.id, lambda: change_incidents(storage, lambda it: add_incident(it, written))
    )
    request_publish()
    print(f"{written.id}  {written.title}: {status}")
    return 0


@incident.command("update")
@config_options
@_status_option("Status of the incident.")
@_impact_option("Impact on users.")
@click.option("--title", metavar="TEXT", default="", help="New title.")
@component_option
@at_option
@month_option
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
    at: str,
    month: int | None,
    verbose: bool,
    name: str,
    text: str,
) -> int:
    """Add an update with TEXT or a new status, or change title, impact or components."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    about = checker_ids(config, components)
    now = time.time_ns()
    entry = new_update(text, status or "", parse_past(at, now, config))
    is_news = bool(entry.text or entry.status)
    corrected = bool(title or impact or about)
    if not (is_news or corrected):
        raise click.UsageError(
            "nothing to update: give TEXT, --status, --impact, --title or --component"
        )
    new = {"title": clean_title(title) if title else "", "impact": impact or ""}

    def change(document: IncidentDocument, known: model.Incident) -> IncidentDocument:
        if entry.at < known.started:
            raise CheckupError(f"the incident started at {format_minute(known.started)}")
        changed = add_update(document, known, entry) if is_news else document
        return edit_incident(changed, known, now, **new, checkers=about) if corrected else changed

    return _change(config, name, month, change, entry.id if is_news else "")


@incident.command("resolve")
@config_options
@time_option("--at", "at", "When it ended  [default: now]")
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
@click.argument("text", required=False, default="")
def resolve(  # noqa: PLR0913 - a flag each
    config_file: str | None, *, at: str, month: int | None, verbose: bool, name: str, text: str
) -> int:
    """Resolve an incident, with a last update TEXT if given. A resolved one stays as it is."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now = time.time_ns()
    entry = new_update(text, "resolved", now)
    ended = parse_past(at, now, config) if at else 0

    def change(document: IncidentDocument, known: model.Incident) -> IncidentDocument:
        if ended and ended < known.started:
            raise CheckupError(f"the incident started at {format_minute(known.started)}")
        return resolve_incident(document, known, entry, ended)

    return _change(config, name, month, change, entry.id)


@incident.command("correct")
@config_options
@_status_option("New status of the update.")
@time_option("--at", "at", "New time of the update.")
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
@click.argument("update")
@click.argument("text", required=False, default=None)
def correct_update(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    status: str | None,
    at: str,
    month: int | None,
    verbose: bool,
    name: str,
    update: str,
    text: str | None,
) -> int:
    """Replace the TEXT, status or time of an UPDATE, given by the start of its ID or as "last".

    "checkup incident show" lists the updates with their IDs.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    correction = new_correction(text, status, at, time.time_ns(), config)
    return _correct(config, name, month, update, correction)


@incident.command("remove")
@config_options
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=incident_ids)
@click.argument("update")
def remove_update(
    config_file: str | None, *, month: int | None, verbose: bool, name: str, update: str
) -> int:
    """Remove a mistaken UPDATE, given by the start of its ID or as "last"."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    return _correct(config, name, month, update, None)


def _correct(
    config: Config,
    name: str,
    month: int | None,
    update: str,
    correction: UpdateCorrection | None,
) -> int:
    now = time.time_ns()

    def change(document: IncidentDocument, known: model.Incident) -> IncidentDocument:
        key = find_update(known.updates, update)
        try:
            return correct_incident_update(document, known, key, correction, now)
        except ValueError as error:
            raise CheckupError(f'{error}; use "checkup incident correct"') from None

    return _change(config, name, month, change)


def _change(
    config: Config,
    name: str,
    month: int | None,
    change: Callable[[IncidentDocument, model.Incident], IncidentDocument],
    update: str = "",
) -> int:
    """Change an incident by its id prefix, and announce the update with this id, if any."""
    storage = app.require_storage(config)
    known = load_editable(config, storage, time.time_ns(), month)
    view = find_by_id_prefix(known.incidents, name, "incident", month)
    it = known.as_stored(view.key)
    context = app.run_context(config, os.environ, storage=storage)
    document = announce_update(
        context, update, lambda: change_incidents(storage, lambda document: change(document, it))
    )
    request_publish()
    written = document.incidents[it.id]
    failing = [part.name for part in view.affected if any(one.end is None for one in part.periods)]
    if failing and written.resolved is not None and it.resolved is None:
        output.log_line(f"warning: not healthy yet: {', '.join(failing)}")
    print(f"{written.id}  {written.title}: {written.status}")
    return 0


# Ids and texts, of incidents and of maintenance.


def new_id() -> str:
    """Return a random id of twelve hexadecimal digits."""
    return secrets.token_hex(6)


def new_update(text: str, status: str, at: int) -> IncidentUpdate:
    """Return an update of an incident or of maintenance; the texts may be empty."""
    return IncidentUpdate(id=new_id(), at=at, status=status, text=clean_body(text))


def new_correction(
    text: str | None, status: str | None, at: str, now: int, config: Config
) -> UpdateCorrection:
    """Return what is to be another in an update.

    Raises:
        CheckupError: nothing is, or a time in the future is given.
    """
    if text is None and not status and not at:
        raise click.UsageError("nothing to correct: give TEXT, --status or --at")
    return UpdateCorrection(
        at=parse_past(at, now, config) if at else None,
        status=status,
        text=None if text is None else clean_body(text),
    )


def find_update(updates: Sequence[IncidentUpdate], start: str) -> str:
    """Return the id of the update whose id starts with ``start``, or of the last one.

    Raises:
        CheckupError: there is none, or several.
    """
    if updates and start.casefold() == "last":
        return updates[-1].id
    found = [it.id for it in updates if start and it.id.startswith(start.casefold())]
    if len(found) != 1:
        known = ", ".join(found or [it.id for it in updates]) or "none"
        raise CheckupError(f'"{start}" is not the start of one update\'s ID; there are: {known}')
    return found[0]


def clean_title(text: str) -> str:
    """Return a title as it is stored: one line that every page, feed and terminal can show.

    Raises:
        CheckupError: the title is empty.
    """
    title = clean_line(text, TITLE_LIMIT)
    if not title:
        raise CheckupError("the title is empty")
    if len(" ".join(text.split())) > TITLE_LIMIT:
        output.log_line(f"warning: the title is truncated to {TITLE_LIMIT} characters")
    return title


def clean_body(text: str) -> str:
    """Return a Markdown text as it is stored, without characters that cannot be shown."""
    if len(text) > LIMIT:
        output.log_line(f"warning: the text is truncated to {LIMIT} characters")
    return clean_markdown(text)


def print_updates(it: IncidentView | MaintenanceView) -> None:
    """Print all updates, oldest first."""
    for update in reversed(it.updates):
        print(f"\n  {update.key}  {format_minute(update.at)}  {update.status}")
        for line in update.body.splitlines():
            print(f"    {line}".rstrip())
