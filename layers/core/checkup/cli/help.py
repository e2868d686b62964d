"""``checkup help``: the same as ``-h``."""

from __future__ import annotations

import click

from checkup.cli.failures import UnknownCommandError
from checkup.cli.flags import examples_epilog


@click.command(
    "help",
    epilog=examples_epilog("checkup help", "checkup help every"),
)
@click.argument("command", required=False, default="")
@click.pass_context
def help_command(context: click.Context, command: str) -> int:
    """Show the help of checkup or of one of its commands."""
    root = context.find_root()
    if not command:
        print(root.get_help())
        return 0
    group = root.command
    assert isinstance(group, click.Group)  # noqa: S101 - the root is the program
    named = group.get_command(root, command)
    if named is None:
        raise UnknownCommandError(command, {name: name for name in group.list_commands(root)})
    with click.Context(named, info_name=command, parent=root) as below:
        print(below.get_help())
    return 0
