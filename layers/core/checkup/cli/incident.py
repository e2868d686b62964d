"""``checkup incident``: tell people what is going on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import click

from checkup.cli import notices, recording, session
from checkup.cli.announced import clean_title, find_by_id_prefix, new_id, new_update
from checkup.cli.deployed import request_publish
from checkup.cli.flags import Decorator, config_options, examples_epilog, month_flag, verbose_option
from checkup.cli.moments import parse_timestamp
from checkup.cli.verbs import SubcommandGroup
from checkup.cli.whom import checker_ids, component_option
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.incidents import model, rules
from checkup.incidents.model import IMPACTS, INCIDENT_STATUSES, IncidentDocument
from checkup.model import SECOND
from checkup.protocol.announcing import change_incidents
from checkup_page.announcements.desk import load_editable, take_over_automatic

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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    started = parse_timestamp(begin, now, config.page.timezone) if begin else now
    if started > now:
        raise CheckupError('it begins later; announce it with "checkup maintenance add"')
    if started < now - _LONG_AGO:
        raise CheckupError(f'--from "{begin}" is more than a year ago')
    about = checker_ids(config, components)
    storage = recording.require_storage(config)
    written = model.Incident(
        id=new_id(),
        title=clean_title(title),
        impact=impact,
        started=started,
        checkers=about,
        said=(new_update(text, status, now),),
    )
    written = take_over_automatic(load_editable(config, storage, now), written)
    change_incidents(storage, lambda document: rules.add_incident(document, written))
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
@click.argument("name", metavar="ID", shell_complete=notices.incident_ids)
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
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    about = checker_ids(config, components)
    now = time.time_ns()
    entry = new_update(text, status or "", now)
    is_news = bool(entry.text or entry.status)
    corrected = bool(title or impact or about)
    if not (is_news or corrected):
        raise click.UsageError("say something: TEXT, --status, --impact, --title or --component")
    new = {"title": clean_title(title) if title else "", "impact": impact or ""}

    def change(document: IncidentDocument, known: model.Incident) -> IncidentDocument:
        changed = rules.add_update(document, known, entry) if is_news else document
        return (
            rules.edit_incident(changed, known, now, **new, checkers=about)
            if corrected
            else changed
        )

    return _write(config, name, month, change)


@incident.command("resolve")
@config_options
@month_flag
@verbose_option
@click.argument("name", metavar="ID", shell_complete=notices.incident_ids)
@click.argument("text", required=False, default="")
def resolve(
    config_file: str | None, *, month: int | None, verbose: bool, name: str, text: str
) -> int:
    """End an incident, and perhaps say TEXT. One that is over stays as it is."""
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    entry = new_update(text, "resolved", time.time_ns())
    return _write(
        config, name, month, lambda document, known: rules.resolve_incident(document, known, entry)
    )


def _write(
    config: Config,
    name: str,
    month: int | None,
    change: Callable[[IncidentDocument, model.Incident], IncidentDocument],
) -> int:
    """Change the incident that an id means; an outage becomes what a person wrote."""
    storage = recording.require_storage(config)
    known = load_editable(config, storage, time.time_ns(), month)
    it = known.to_write(find_by_id_prefix(known.incidents, name, "incident", month).key)
    document = change_incidents(storage, lambda document: change(document, it))
    request_publish()
    written = document.incidents[it.id]
    print(f"{written.id}  {written.title}: {written.status}")
    return 0


incident.add_command(notices.list_incidents)
incident.add_command(notices.show_incident)
