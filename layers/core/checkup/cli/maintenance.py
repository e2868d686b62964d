"""``checkup maintenance``: announced work, whose alerts are suppressed."""

from __future__ import annotations

import os
import time

import click

from checkup import app
from checkup.cli import options
from checkup.cli.commands import SubcommandGroup
from checkup.cli.incident import (
    at_option,
    clean_body,
    clean_title,
    find_update,
    id_completion,
    new_correction,
    new_id,
    new_update,
    parse_past,
    print_updates,
    time_option,
)
from checkup.cli.options import (
    checker_ids,
    component_option,
    config_options,
    examples_epilog,
    find_by_id_prefix,
    group_names,
    group_option,
    month_option,
    verbose_option,
)
from checkup.cli.output import format_table
from checkup.cli.stack import request_publish
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.incidents import model
from checkup.incidents.model import (
    IncidentUpdate,
    UpdateCorrection,
    add_maintenance,
    add_maintenance_update,
    correct_maintenance_update,
    end_maintenance,
    move_maintenance,
)
from checkup.incidents.store import LATEST_TIME, change_incidents
from checkup.interfaces import Storage
from checkup.pipeline.state_store import announce_update, schedule_maintenance
from checkup.times import format_minute, parse_timespan, parse_timestamp
from checkup_page.incidents.load import load_editable
from checkup_page.incidents.view import MaintenanceView

maintenance_ids = id_completion(lambda loaded: loaded.maintenances)


@click.group(
    cls=SubcommandGroup,
    epilog=examples_epilog(
        'checkup maintenance add "New database" --from "2026-11-28 22:00" --for 2h --component api',
        'checkup maintenance add "Deploy" --for 15m --group Shop     starts now',
        'checkup maintenance update 7c1 "The disk is in." --status verifying',
        'checkup maintenance update 7c1 "Postponed." --from "2026-11-29 22:00"',
        "checkup maintenance update 7c1 --until 23:30                extend it",
        "checkup maintenance end 7c1                                 end it early",
        "checkup maintenance cancel 7c1                              before it starts",
        "checkup maintenance                                         list maintenance",
    ),
)
def maintenance() -> None:
    """Schedule maintenance: show it on the status page and suppress its alerts.

    Checks go on and results are stored. What is still down at the end is alerted then. Put
    recurring maintenance into the configuration. The start of an ID is enough. A TIME is "now",
    "in 2h", "2026-11-28 22:00" in the time zone of the page, or with a zone as in RFC 3339.
    """


@maintenance.command("list")
@config_options
@month_option
@verbose_option
def list_maintenance(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List current and planned maintenance, including that of the configuration.

    With --month, list what started in that month.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    loaded = load_editable(config, app.require_storage(config), time.time_ns(), month)
    rows = [
        _maintenance_row(
            it, "" if it.key in loaded.document.maintenance else f"  (in {config.path})"
        )
        for it in loaded.maintenances.values()
        if month is not None or it.status != "completed"
    ]
    print(format_table(rows) or "no maintenance")
    return 0


@maintenance.command("show")
@config_options
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
def show_maintenance(
    config_file: str | None, *, month: int | None, verbose: bool, name: str
) -> int:
    """Show maintenance and its updates, oldest first."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    loaded = load_editable(config, app.require_storage(config), time.time_ns(), month)
    it = find_by_id_prefix(loaded.maintenances, name, "maintenance", month)
    print(format_table([_maintenance_row(it)]))
    print_updates(it)
    return 0


def _maintenance_row(it: MaintenanceView, note: str = "") -> tuple[str, ...]:
    affected = ", ".join(part.name for part in it.affected) or "everything"
    return (
        it.key,
        it.status,
        f"{format_minute(it.scheduled_for)} to {format_minute(it.scheduled_until)}",
        f"{it.title}: {affected}{note}",
    )


@maintenance.command("add")
@config_options
@click.option("--from", "begin", metavar="TIME", default="now", help="Start  [default: now]")
@click.option("--for", "length", metavar="TIME", default="", help="Duration: 90m, 2h, 3d.")
@click.option("--until", "end", metavar="TIME", default="", help="End, instead of --for.")
@component_option
@group_option
@click.option("--message", "text", metavar="TEXT", default="", help="Description.")
@verbose_option
@click.argument("title")
def add(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    begin: str,
    length: str,
    end: str,
    components: tuple[str, ...],
    groups: tuple[str, ...],
    text: str,
    verbose: bool,
    title: str,
) -> int:
    """Schedule maintenance with the TITLE shown on the status page.

    It affects the components and groups given, or everything.
    """
    if bool(length) == bool(end):
        raise click.UsageError("use either --for or --until")
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    now, zone = time.time_ns(), config.page.timezone
    start = parse_timestamp(begin, now, zone)
    planned = model.Maintenance(
        id=new_id(),
        title=clean_title(title),
        text=clean_body(text),
        created=now,
        start=start,
        end=start + parse_timespan(length) if length else parse_timestamp(end, now, zone),
        checkers=checker_ids(config, components),
        groups=group_names(config, groups),
    )
    _require_valid(planned.start, planned.end, now)
    monitor = app.run_context(config, os.environ)
    announce_update(
        monitor,
        planned.id,
        lambda: schedule_maintenance(monitor, lambda document: add_maintenance(document, planned)),
    )
    request_publish()
    print(
        f"{planned.id}  {planned.title}: "
        f"{format_minute(planned.start)} to {format_minute(planned.end)}"
    )
    return 0


def _require_valid(start: int, end: int, now: int) -> None:
    if end <= max(start, now):
        raise CheckupError("end is before start, or already past")
    if end >= LATEST_TIME:
        raise CheckupError(f"end must be before {format_minute(LATEST_TIME)}")


@maintenance.command("update")
@config_options
@click.option(
    "--status",
    type=click.Choice(("in_progress", "verifying")),
    help="Progress; only while maintenance is in progress.",
)
@time_option("--from", "begin", "New start, before it has started; the duration stays.")
@click.option("--for", "length", metavar="TIME", default="", help="New duration: 90m, 2h, 3d.")
@time_option("--until", "end", "New end, instead of --for.")
@at_option
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
@click.argument("text", required=False, default="")
def update_maintenance(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    status: str | None,
    begin: str,
    length: str,
    end: str,
    at: str,
    month: int | None,
    verbose: bool,
    name: str,
    text: str,
) -> int:
    """Add an update to maintenance: before, during or after it. Move or extend it."""
    if length and end:
        raise click.UsageError("use either --for or --until")
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    monitor, now = app.run_context(config, os.environ), time.time_ns()
    it = _find_written(config, monitor.storage, name, now, month)
    entry = new_update(text, status or "", parse_past(at, now, config))
    is_moved = bool(begin or length or end)
    if not (entry.text or status or is_moved):
        raise click.UsageError("nothing to update: give TEXT, --status, --from, --for or --until")
    stage = it.status(now)
    if status and stage in {"scheduled", "completed"}:
        raise CheckupError(f'"{it.title}" is not in progress: it is {stage}')
    if not is_moved:
        document = announce_update(
            monitor,
            entry.id,
            lambda: change_incidents(
                monitor.storage, lambda document: add_maintenance_update(document, it, entry)
            ),
        )
    else:
        if stage == "completed":
            raise CheckupError(f'"{it.title}" is over; use "checkup maintenance add"')
        if begin and stage != "scheduled":
            raise CheckupError(f'"{it.title}" has started; use --for or --until to extend it')
        zone = config.page.timezone
        start = parse_timestamp(begin, now, zone) if begin else it.start
        until = start + (parse_timespan(length) if length else it.end - it.start)
        until = parse_timestamp(end, now, zone) if end else until
        _require_valid(start, until, now)
        document = announce_update(
            monitor,
            entry.id,
            lambda: schedule_maintenance(
                monitor,
                lambda document: move_maintenance(document, it, entry, start=start, end=until),
            ),
        )
    request_publish()
    changed = document.maintenance[it.id]
    times = f", {format_minute(changed.start)} to {format_minute(changed.end)}" if is_moved else ""
    print(f"{it.id}  {it.title}: {changed.status(now)}{times}")
    return 0


@maintenance.command("end")
@config_options
@time_option("--at", "at", "When it ended  [default: now]")
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
@click.argument("text", required=False, default="")
def end_planned(config_file: str | None, *, at: str, verbose: bool, name: str, text: str) -> int:
    """End maintenance now, or cancel it before its start, with a last update TEXT if given."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    return _end(config, name, text, at)


@maintenance.command("cancel")
@config_options
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
@click.argument("text", required=False, default="")
def cancel(config_file: str | None, *, verbose: bool, name: str, text: str) -> int:
    """Cancel maintenance before its start, with a last update TEXT if given."""
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    return _end(config, name, text, is_cancel=True)


def _end(config: Config, name: str, text: str, at: str = "", *, is_cancel: bool = False) -> int:
    monitor = app.run_context(config, os.environ)
    now = time.time_ns()
    it = _find_written(config, monitor.storage, name, now)
    if is_cancel and now >= it.start and it.end > it.start:
        raise CheckupError(f'"{it.title}" has started; use "checkup maintenance end"')
    entry = new_update(text, "completed", parse_past(at, now, config))
    if at and entry.at < it.start:
        raise CheckupError(f'"{it.title}" started at {format_minute(it.start)}')
    document = announce_update(
        monitor,
        entry.id,
        lambda: schedule_maintenance(
            monitor,
            # Maintenance that ended long ago is in the file of its month.
            lambda document: end_maintenance(add_maintenance(document, it), it.id, entry),
        ),
    )
    request_publish()
    over = document.maintenance[it.id]
    how = f"ended {format_minute(over.end)}" if over.end > over.start else "canceled"
    print(f"{it.id}  {it.title}: {how}")
    return 0


@maintenance.command("correct")
@config_options
@time_option("--at", "at", "New time of the update.")
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
@click.argument("update")
@click.argument("text", required=False, default=None)
def correct_update(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    at: str,
    month: int | None,
    verbose: bool,
    name: str,
    update: str,
    text: str | None,
) -> int:
    """Replace the TEXT or time of an UPDATE, given by the start of its ID or as "last".

    "checkup maintenance show" lists the updates with their IDs; the ID of the description is that
    of the maintenance.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    correction = new_correction(text, None, at, time.time_ns(), config)
    return _correct(config, name, month, update, correction)


@maintenance.command("remove")
@config_options
@month_option
@verbose_option
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
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
    storage, now = app.require_storage(config), time.time_ns()
    it = _find_written(config, storage, name, now, month)
    description = IncidentUpdate(id=it.id, at=it.created, status="scheduled")
    key = find_update((description, *it.updates), update)
    document = change_incidents(
        storage, lambda document: correct_maintenance_update(document, it, key, correction, now)
    )
    request_publish()
    print(f"{it.id}  {it.title}: {document.maintenance[it.id].status(now)}")
    return 0


def _find_written(
    config: Config, storage: Storage, name: str, now: int, month: int | None = None
) -> model.Maintenance:
    """Return the maintenance with this id prefix; that of the configuration cannot be changed."""
    known = load_editable(config, storage, now, month)
    it = find_by_id_prefix(known.maintenances, name, "maintenance", month)
    if it.key not in known.document.maintenance:
        raise CheckupError(f'"{it.title}" is in {config.path}; change it there')
    return known.document.maintenance[it.key]
