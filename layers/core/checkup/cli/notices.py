"""Listing incidents and maintenance, and showing one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from checkup.cli import recording, session
from checkup.cli.announced import find_by_id_prefix, id_completion
from checkup.cli.flags import config_options, month_flag, verbose_option
from checkup.cli.spans import format_minute, format_timespan
from checkup_page.announcements.announcement import IncidentView, MaintenanceView
from checkup_page.announcements.desk import EditableIncidents, load_editable

incident_ids = id_completion(lambda desk: desk.incidents)
maintenance_ids = id_completion(lambda desk: desk.maintenances)


@click.command("list")
@config_options
@month_flag
@verbose_option
def list_incidents(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List the incidents of the last months, or of one month: what is open, and what was."""
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = load_editable(config, recording.require_storage(config), now, month)
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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = load_editable(config, recording.require_storage(config), now, month)
    it = find_by_id_prefix(known.incidents, name, "incident", month)
    print(_incident(it, known, now))
    if it.affected:
        print(f"  about {', '.join(part.name for part in it.affected)}")
    for line in _story(it):
        print(line)
    return 0


@click.command("list")
@config_options
@month_flag
@verbose_option
def list_maintenance(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List what is going on and what is planned, that of the configuration too.

    With --month, list what began in that month.
    """
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    known = load_editable(config, recording.require_storage(config), time.time_ns(), month)
    listed = [
        it for it in known.maintenances.values() if month is not None or it.status != "completed"
    ]
    for it in listed:
        ours = it.key in known.written.maintenance
        print(_maintenance(it) + ("" if ours else f"  (in {config.path})"))
    if not listed:
        print("no maintenance")
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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    known = load_editable(config, recording.require_storage(config), time.time_ns(), month)
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
