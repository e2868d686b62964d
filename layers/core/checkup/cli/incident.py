"""``checkup incident``: tell people what is going on."""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from checkup.cli import recording, session
from checkup.cli.announced import completing, meant, new_id, said
from checkup.cli.deployed import publish_soon
from checkup.cli.flags import Decorator, config_flag, examples, verbose_flag
from checkup.cli.moments import parse_moment
from checkup.cli.spans import moment, span
from checkup.cli.verbs import Verbs
from checkup.cli.whom import checkers_of, component_flag
from checkup.config.settings import Config
from checkup.incidents import model, rules
from checkup.incidents.model import IMPACTS, STATUSES, Announcements
from checkup.protocol.announcing import announce
from checkup_page.announcement import Incident
from checkup_page.desk import Desk, as_written, desk, in_place_of_outages

_ids = completing(lambda desk: desk.incidents)


@click.group(
    cls=Verbs,
    epilog=examples(
        'checkup incident open "Payments fail" --impact major --component api',
        'checkup incident update 3f9 "We found the cause." --status identified',
        'checkup incident resolve 3f9 "It was a full disk. We are sorry."',
        "checkup incident                 list what is open, and what was of late",
        "checkup --stack shop incident    the same, of a deployed stack",
    ),
)
def incident() -> None:
    """Tell people what is going on, on the status page.

    Outages appear there by themselves, in few words. What you write about one replaces them, and
    from then on only you end it. Texts are Markdown. An ID may be cut short.
    """


def _status_flag(default: str | None) -> Decorator:
    return click.option(
        "--status",
        type=click.Choice(STATUSES),
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
@config_flag
@_impact_flag("minor")
@component_flag
@_status_flag("investigating")
@click.option("--message", "text", metavar="TEXT", default="", help="The first thing to say.")
@click.option("--from", "begin", metavar="TIME", default="", help="When it began, if before now.")
@verbose_flag
@click.argument("title")
def open_(  # noqa: PLR0913 - a flag each
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
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    started = parse_moment(begin, now, config.page.timezone) if begin else now
    about = checkers_of(config, components)
    storage = recording.open_storage(config)
    written = model.Incident(
        id=new_id(),
        title=title,
        impact=impact,
        started=started,
        checkers=about,
        said=(said(text, status, now),),
    )
    written = in_place_of_outages(desk(config, storage, now), written)
    announce(storage, lambda document: rules.opened(document, written))
    publish_soon()
    print(f"{written.id}  {title}: {status}")
    return 0


@incident.command("update")
@config_flag
@_status_flag(None)
@_impact_flag(None)
@click.option("--title", metavar="TEXT", default="", help="What it is called from now on.")
@component_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=_ids)
@click.argument("text")
def update(  # noqa: PLR0913 - a flag each
    config_file: str | None,
    *,
    status: str | None,
    impact: str | None,
    title: str,
    components: tuple[str, ...],
    verbose: bool,
    name: str,
    text: str,
) -> int:
    """Say TEXT about an incident, and perhaps what it is now."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    about = checkers_of(config, components)
    entry = said(text, status or "", time.time_ns())

    def change(document: Announcements, known: model.Incident) -> Announcements:
        changed = rules.updated(document, known, entry)
        return rules.edited(changed, known, title=title, impact=impact or "", checkers=about)

    return _write(config, name, change)


@incident.command("resolve")
@config_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=_ids)
@click.argument("text", required=False, default="")
def resolve(config_file: str | None, *, verbose: bool, name: str, text: str) -> int:
    """End an incident, and perhaps say TEXT. One that is over stays as it is."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    entry = said(text, "resolved", time.time_ns())
    return _write(config, name, lambda document, known: rules.resolved(document, known, entry))


@incident.command("list")
@config_flag
@verbose_flag
def list_(config_file: str | None, *, verbose: bool) -> int:
    """List the incidents of the last months: what is open, and what was."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = desk(config, recording.open_storage(config), now)
    for it in known.incidents.values():
        print(_line(it, known, now))
    if not known.incidents:
        print("no incidents")
    return 0


@incident.command("show")
@config_flag
@verbose_flag
@click.argument("name", metavar="ID", shell_complete=_ids)
def show(config_file: str | None, *, verbose: bool, name: str) -> int:
    """Show an incident and all that was said of it, oldest first."""
    config = session.begin(config_file, verbose=verbose, quiet=True)
    now = time.time_ns()
    known = desk(config, recording.open_storage(config), now)
    it = meant(known.incidents, name, "incident")
    print(_line(it, known, now))
    if it.affected:
        print(f"  about {', '.join(part.name for part in it.affected)}")
    for entry in reversed(it.updates):
        print(f"\n  {moment(entry.at)}  {entry.status}")
        for line in entry.body.splitlines():
            print(f"    {line}".rstrip())
    return 0


def _write(
    config: Config, name: str, change: Callable[[Announcements, model.Incident], Announcements]
) -> int:
    """Change the incident that an id means; an outage becomes what a person wrote."""
    storage = recording.open_storage(config)
    it = as_written(meant(desk(config, storage, time.time_ns()).incidents, name, "incident"))
    document = announce(storage, lambda document: change(document, it))
    publish_soon()
    written = document.incidents[it.id]
    print(f"{written.id}  {written.title}: {written.status}")
    return 0


def _line(it: Incident, known: Desk, now: int) -> str:
    lasted = span((it.resolved_at or now) - it.started_at)
    source = "" if it.key not in known.unwritten else "  (by itself"
    if source:
        source += ")" if it.key in known.shown else ", not on the page)"
    return (
        f"{it.key}  {it.impact:<8}  {it.status:<13}  {moment(it.started_at)}  {lasted:>9}  "
        f"{it.title}{source}"
    )
