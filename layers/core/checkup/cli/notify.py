"""``checkup notify``: who is told of changes, and whether a message reaches them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import click
from click.shell_completion import CompletionItem

from checkup import bootstrap
from checkup.alerting.routing import channel_names
from checkup.cli import session
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.config.settings import Config
from checkup.errors import ConfigError
from checkup.notifiers.trial import select_notifiers, send_test
from checkup.ports import Notifier


def _complete(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    try:
        config = session.read_config(context.params.get("config_file"))
    except ConfigError:
        return []
    return [CompletionItem(n) for n in channel_names(config.notifiers) if n.startswith(begun)]


@click.command(
    epilog=examples_epilog(
        "checkup notify                  list the channels",
        "checkup notify --test           send a test message to each",
        "checkup notify --test slack-2   to this one",
    ),
)
@config_options
@click.option("--test", is_flag=True, help="Send a message that says that it is a test.")
@verbose_option
@click.argument("channels", nargs=-1, metavar="[CHANNEL]...", shell_complete=_complete)
def notify(config_file: str | None, *, test: bool, verbose: bool, channels: Sequence[str]) -> int:
    """List the channels that are told of changes, or send each a test message.

    A test goes to the channel itself, past its groups, tags, severities and fallback, and is no
    alert: nothing is stored. The exit code is 1 if a channel did not accept it.
    """
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    chosen = select_notifiers(channel_names(config.notifiers), channels)
    if not test:
        for name in chosen:
            print(name)
        return 0
    opened = bootstrap.open_channels(config, os.environ)
    width = max(map(len, chosen))
    accepted = list(_tried(config, opened, chosen, width))
    return 0 if all(accepted) else 1


def _tried(
    config: Config, opened: Mapping[str, Notifier], chosen: Sequence[str], width: int
) -> Iterator[bool]:
    """Send to one channel after the other; print what each makes of it, and say if it accepted."""
    mask = bootstrap.secret_masker(config)
    page_url = config.page.url or os.environ.get("PAGE_URL", "")
    for name in chosen:
        problem = send_test(opened[name], name, page_url)
        print(f"{name:<{width}}  {mask(problem) if problem else 'accepted'}", flush=True)
        yield not problem
