"""``checkup maintenance``: announce work, and be told nothing of what it breaks."""

from __future__ import annotations

import os
import time

import click

from checkup import bootstrap
from checkup.cli import notices, recording, session
from checkup.cli.announced import meant, new_id, said, titled, words
from checkup.cli.deployed import publish_soon
from checkup.cli.flags import config_flag, examples, month_flag, verbose_flag
from checkup.cli.moments import parse_moment
from checkup.cli.spans import moment, parse_span
from checkup.cli.verbs import Verbs
from checkup.cli.whom import checkers_of, component_flag, group_flag, groups_of
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.incidents import model, rules
from checkup.incidents.documents import LAST
from checkup.ports import Storage
from checkup.protocol.announcing import announce
from checkup.protocol.planning import announce_maintenance
from checkup_page.announcements.desk import desk


@click.group(
    cls=Verbs,
    epilog=examples(
        'checkup maintenance add "New database" --from "2026-11-28 22:00" --for 2h --component api',
        'checkup maintenance add "Deploy" --for 15m --group Shop     from now on',
        'checkup maintenance update 7c1 "The disk is in." --status verifying',
        "checkup maintenance end 7c1                                 it is done earlier",
        "checkup maintenance                                         list what is planned",
    ),
)
def maintenance() -> None:
    """Announce work on the status page, and be told nothing of what it breaks meanwhile.

    Everything is checked and stored as ever; what is still down at the end is announced then.
    Maintenance that comes again belongs into the configuration. An ID may be cut short.
    """


@maintenance.command("add")
@config_flag
@click.option("--from", "begin", metavar="TIME", default="now", help="When it begins, if not now.")
@click.option("--for", "length", metavar="TIME", default="", help="How long: 90m, 2h, 3d.")
@click.option("--until", "end", metavar="TIME", default="", help="When it ends, in place of --for.")
@component_flag
@group_flag
@click.option("--message", "text", metavar="TEXT", default="", help="What people should know.")
@verbose_flag
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
    """Announce maintenance with the TITLE that people will read.

    It is about the components and groups named, or about everything. A TIME is "now", "in 2h",
    "2026-11-28 22:00" in the time zone of the page, or with a zone as in RFC 3339.
    """
    if bool(length) == bool(end):
        raise click.UsageError("say how long with --for, or when it ends with --until")
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now, zone = time.time_ns(), config.page.timezone
    start = parse_moment(begin, now, zone)
    planned = model.Maintenance(
        id=new_id(),
        title=titled(title),
        text=words(text),
        created=now,
        start=start,
        end=start + parse_span(length) if length else parse_moment(end, now, zone),
        checkers=checkers_of(config, components),
        groups=groups_of(config, groups),
    )
    if planned.end <= max(planned.start, now):
        raise CheckupError("it would be over before it begins, or by now")
    if planned.end >= LAST:
        raise CheckupError(f"it would not be over before {moment(LAST)}")
    monitor = bootstrap.make_monitor(config, os.environ)
    announce_maintenance(monitor, lambda document: rules.planned(document, planned))
    publish_soon()
    print(f"{planned.id}  {planned.title}: {moment(planned.start)} to {moment(planned.end)}")
    return 0


@maintenance.command("update")
@config_flag
@click.option(
    "--status",
    type=click.Choice(("in_progress", "verifying")),
    help="How far it is; only while it goes on.",
)
@month_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=notices.maintenance_ids)
@click.argument("text", required=False, default="")
def update(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    status: str | None,
    month: int | None,
    verbose: bool,
    name: str,
    text: str,
) -> int:
    """Say TEXT about maintenance, before it, meanwhile or afterwards."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    storage, now = recording.open_storage(config), time.time_ns()
    it = _ours(config, storage, name, now, month)
    entry = said(text, status or "", now)
    if not (entry.text or status):
        raise click.UsageError("say something: TEXT or --status")
    if status and (stage := it.status(now)) in {"scheduled", "completed"}:
        raise CheckupError(f'"{it.title}" is not going on: it is {stage}')
    document = announce(storage, lambda document: rules.noted(document, it, entry))
    publish_soon()
    print(f"{it.id}  {it.title}: {document.maintenance[it.id].status(now)}")
    return 0


@maintenance.command("end")
@config_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=notices.maintenance_ids)
@click.argument("text", required=False, default="")
def end_(config_file: str | None, *, verbose: bool, name: str, text: str) -> int:
    """End maintenance now, or call it off, and perhaps say TEXT about it."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    monitor = bootstrap.make_monitor(config, os.environ)
    now = time.time_ns()
    it = _ours(config, monitor.storage, name, now)
    entry = said(text, "completed", now)
    document = announce_maintenance(
        monitor,
        # What is long over is in the file of its month.
        lambda document: rules.ended(rules.planned(document, it), it.id, entry),
    )
    publish_soon()
    over = document.maintenance[it.id]
    how = f"ended {moment(over.end)}" if over.end > over.start else "called off"
    print(f"{it.id}  {it.title}: {how}")
    return 0


def _ours(
    config: Config, storage: Storage, name: str, now: int, month: int | None = None
) -> model.Maintenance:
    """Return the announced maintenance whose id begins like this; the file's is not ours."""
    known = desk(config, storage, now, month)
    it = meant(known.maintenances, name, "maintenance", month)
    if it.key not in known.written.maintenance:
        raise CheckupError(f'"{it.title}" is in {config.path}; change it there')
    return known.written.maintenance[it.key]


maintenance.add_command(notices.maintenances)
maintenance.add_command(notices.maintenance)
