"""``checkup notify``: who is told of changes, and whether a message reaches them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence

import click
from click.shell_completion import CompletionItem

from checkup import bootstrap
from checkup.alerting.routing import names
from checkup.cli import session
from checkup.cli.flags import config_flag, examples, verbose_flag
from checkup.config.settings import Config
from checkup.errors import CheckupError, ConfigError, NotifyError
from checkup.model import Alert, AlertKind, Status
from checkup.ports import Notification, Notifier


def _complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    try:
        config = session.read(context.params.get("config_file"))
    except ConfigError:
        return []
    return [CompletionItem(n) for n in names(config.notifiers) if n.startswith(begun)]


@click.command(
    epilog=examples(
        "checkup notify                  list the channels",
        "checkup notify --test           send a test message to each",
        "checkup notify --test slack-2   to this one",
    ),
)
@config_flag
@click.option("--test", is_flag=True, help="Send a message that says that it is a test.")
@verbose_flag
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...", shell_complete=_complete)
def notify(config_file: str | None, *, test: bool, verbose: bool, channels: Sequence[str]) -> int:
    """List the channels that are told of changes, or send each a test message.

    A test goes to the channel itself, past its groups, tags, severities and fallback, and is no
    alert: nothing is stored. The exit code is 1 if a channel did not accept it.
    """
    config = session.begin(config_file, verbose=verbose, quiet=True)
    chosen = _chosen(names(config.notifiers), channels)
    if not test:
        for name in chosen:
            print(name)
        return 0
    opened = bootstrap.open_channels(config, os.environ)
    width = max(map(len, chosen))
    accepted = list(_tried(config, opened, chosen, width))
    return 0 if all(accepted) else 1


def _chosen(known: Sequence[str], wanted: Sequence[str]) -> Sequence[str]:
    if not known:
        raise CheckupError("no notifiers are configured")
    for name in wanted:
        if name not in known:
            raise CheckupError(f"there is no channel '{name}'; known: {', '.join(known)}")
    return [name for name in known if name in wanted or not wanted]


def _tried(
    config: Config, opened: Mapping[str, Notifier], chosen: Sequence[str], width: int
) -> Iterator[bool]:
    """Send to one channel after the other; print what each makes of it, and say if it accepted."""
    mask = bootstrap.mask_with(config)
    page_url = config.page.url or os.environ.get("PAGE_URL", "")
    for name in chosen:
        problem = _send(opened[name], Notification(alerts=(_message(name),), page_url=page_url))
        print(f"{name:<{width}}  {mask(problem) if problem else 'accepted'}", flush=True)
        yield not problem


def _send(channel: Notifier, notification: Notification) -> str:
    """Return what went wrong, or an empty text."""
    try:
        channel.send(notification)
    except NotifyError as error:
        return f"{type(error).__name__.lower()}: {error}"
    return ""


def _message(name: str) -> Alert:
    now = time.time_ns()
    return Alert(
        id=f"/test:unknown/{name}/{now}",
        checker="",
        title="Checkup",
        kind=AlertKind.TEST,
        status=Status.UNKNOWN,
        before=Status.UNKNOWN,
        slot=now,
        since=now,
        opened=now,
        reason=f"this is a test message to the channel {name}; nothing has happened",
    )
