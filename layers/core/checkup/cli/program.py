"""The program as click sees it: a group whose commands are imported when they are named."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import CompletionItem, shell_complete

from checkup import __version__
from checkup.cli import failures, terminal
from checkup.cli.arguments import COMMANDS, DEFAULT_COMMAND, move_command_first
from checkup.cli.completion import COMPLETION_VARIABLE
from checkup.cli.flags import examples_epilog


class CheckupGroup(click.Group):
    """A group in which words that name no command go to :data:`DEFAULT_COMMAND`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return the command of that name."""
        place = DEFAULT_COMMAND if cmd_name == DEFAULT_COMMAND.module else COMMANDS.get(cmd_name)
        if place is None:
            return None
        module = import_module(f"checkup.cli.{place.module}")
        command: click.Command = getattr(module, place.attribute)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Offer flags and commands, and import none of these."""
        commands = [
            CompletionItem(name, help=place.summary)
            for name, place in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command's name first, then go on as any group."""
        return super().parse_args(ctx, move_command_first(args))

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Show both forms."""
        formatter.write_usage("checkup", "[FLAGS] [NAME ...]")
        formatter.write_usage("checkup", "[FLAGS] COMMAND ...", prefix=" " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the flags of a look among those of the program, then the commands."""
        look = self.get_command(ctx, DEFAULT_COMMAND.module)
        params = [*(look.params if look else ()), *self.get_params(ctx)]
        flags = [param for param in params if isinstance(param, click.Option)]
        records = [record for flag in flags if (record := flag.get_help_record(ctx))]
        with formatter.section("Options"):
            formatter.write_dl(records)
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


@click.group(
    cls=CheckupGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples_epilog(
        "checkup init                 write a checkup.yaml to start from",
        "checkup                      look at everything in checkup.json now",
        "checkup api website          look at these two, by title or id",
        "checkup -c shop.yaml --json  print the results as a run file holds them",
        "checkup --store              look, store the run and tell of changes (for cron)",
        "checkup every 1m             the same each minute",
        "checkup serve                show the status page on http://127.0.0.1:3000/",
    ),
)
@click.version_option(__version__, prog_name="checkup", message="%(prog)s %(version)s")
def program() -> None:
    """Check websites and services, tell of what changes, show what is up.

    Without a command: look once at every checker, or at those named by title or id, and print
    what was seen. The exit code is 0 if all are healthy and 1 if any is not; with --store it
    is 0 once the run is stored.
    """


def run_cli(arguments: Sequence[str]) -> int:
    """Do what the arguments say and return the exit code."""
    terminal.reserve_std_descriptors()
    try:
        terminal.use_utf8()
        code = _complete_or_invoke(list(arguments))
        terminal.flush()
    except BrokenPipeError:
        terminal.discard_output()
        return failures.EXIT_BROKEN_PIPE
    except OSError as error:
        terminal.log_line(f"the output cannot be written: {error.strerror}")
        terminal.discard_output()
        return failures.EXIT_FAILURE
    return code


def _complete_or_invoke(arguments: list[str]) -> int:
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        return shell_complete(program, {}, "checkup", COMPLETION_VARIABLE, instruction)
    with failures.handle_errors() as outcome, program.make_context("checkup", arguments) as context:
        outcome.notes = context.meta
        outcome.code = program.invoke(context)
    return outcome.code
