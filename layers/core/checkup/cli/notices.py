"""Listing incidents and maintenance, and showing one of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from checkup.cli import recording, session
from checkup.cli.announced import completing, meant
from checkup.cli.flags import config_flag, month_flag, verbose_flag
from checkup.cli.spans import moment, span
from checkup_page.announcements.announcement import Incident, Maintenance
from checkup_page.announcements.desk import Desk, desk

incident_ids = completing(lambda desk: desk.incidents)
maintenance_ids = completing(lambda desk: desk.maintenances)


@click.command("list")
@config_flag
@month_flag
@verbose_flag
def incidents(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List the incidents of the last months, or of one month: what is open, and what was."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = desk(config, recording.open_storage(config), now, month)
    for it in known.incidents.values():
        print(_incident(it, known, now))
    if not known.incidents:
        print("no incidents")
    return 0


@click.command("show")
@config_flag
@month_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=incident_ids)
def incident(config_file: str | None, *, month: int | None, verbose: bool, name: str) -> int:
    """Show an incident and all that was said of it, oldest first."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = desk(config, recording.open_storage(config), now, month)
    it = meant(known.incidents, name, "incident", month)
    print(_incident(it, known, now))
    if it.affected:
        print(f"  about {', '.join(part.name for part in it.affected)}")
    for line in _story(it):
        print(line)
    return 0


@click.command("list")
@config_flag
@month_flag
@verbose_flag
def maintenances(config_file: str | None, *, month: int | None, verbose: bool) -> int:
    """List what is going on and what is planned, that of the configuration too.

    With --month, list what began in that month.
    """
    config = session.begin(config_file, verbose=verbose, quiet=True)
    known = desk(config, recording.open_storage(config), time.time_ns(), month)
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
@config_flag
@month_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=maintenance_ids)
def maintenance(config_file: str | None, *, month: int | None, verbose: bool, name: str) -> int:
    """Show maintenance and all that was said of it, oldest first."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    known = desk(config, recording.open_storage(config), time.time_ns(), month)
    it = meant(known.maintenances, name, "maintenance", month)
    print(_maintenance(it))
    for line in _story(it):
        print(line)
    return 0


def _incident(it: Incident, known: Desk, now: int) -> str:
    """Return an incident in one line, and whether it is there by itself."""
    lasted = span((it.resolved_at or now) - it.started_at)
    source = "" if it.key not in known.unwritten else "  (by itself"
    if source:
        source += ")" if it.key in known.shown else ", not on the page)"
    return (
        f"{it.key}  {it.impact:<8}  {it.status:<13}  {moment(it.started_at)}  {lasted:>9}  "
        f"{it.title}{source}"
    )


def _maintenance(it: Maintenance) -> str:
    about = ", ".join(part.name for part in it.affected) or "everything"
    return (
        f"{it.key}  {it.status:<11}  {moment(it.scheduled_for)} to {moment(it.scheduled_until)}  "
        f"{it.title}: {about}"
    )


def _story(it: Incident | Maintenance) -> Iterator[str]:
    """Yield all that was said, oldest first."""
    for entry in reversed(it.updates):
        yield f"\n  {moment(entry.at)}  {entry.status}"
        for line in entry.body.splitlines():
            yield f"    {line}".rstrip()
