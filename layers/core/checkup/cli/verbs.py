"""Commands that are several: ``checkup incident open``, ``checkup incident list``."""

from __future__ import annotations

from typing import Final

import click

from checkup.cli.arguments import first_positional
from checkup.cli.failures import UnknownCommandError

DEFAULT_SUBCOMMAND: Final = "list"
"""What is meant when no verb is given."""


class SubcommandGroup(click.Group):
    """A group of verbs; flags may stand before or after the verb."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb first, then go on as any group."""
        asks_for_help = bool({"-h", "--help"} & {*args})
        place = first_positional(args)
        if ctx.resilient_parsing or (place is None and asks_for_help):
            return super().parse_args(ctx, args)
        if place is None:
            return super().parse_args(ctx, [DEFAULT_SUBCOMMAND, *args])
        verb = args[place]
        if verb not in self.commands:
            raise UnknownCommandError(verb, {name: name for name in self.commands})
        return super().parse_args(ctx, [verb, *args[:place], *args[place + 1 :]])
