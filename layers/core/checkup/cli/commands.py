"""The program ``checkup``: the table of its commands, and which of them the arguments mean.

Help and shell completion read the table only, so they start fast: a command's module is imported
when the command runs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NamedTuple

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from checkup import __version__
from checkup.cli import output, process
from checkup.cli.options import (
    UnknownCommandError,
    complete_command_or_checker,
    config_options,
    examples_epilog,
    verbose_option,
)
from checkup.errors import CheckupError


class CommandEntry(NamedTuple):
    """Module and attribute of a command, and its summary for the program's help."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final = {
    "init": CommandEntry("config", "init", "Write a starter configuration."),
    "validate": CommandEntry("config", "validate", "Print all problems of the configuration."),
    "run": CommandEntry(
        "service", "run", "Check, store, alert, publish and serve, in one process."
    ),
    "every": CommandEntry(
        "service", "every", "Run checks on a schedule, store the results and send alerts."
    ),
    "message": CommandEntry(
        "check", "message", "Run the checks and store them with a message about one checker."
    ),
    "status": CommandEntry("status", "status", "Show the current status of each checker."),
    "explain": CommandEntry("status", "explain", "Explain a checker's current status."),
    "silence": CommandEntry("alerts", "silence", "Mute alerts for a checker."),
    "incident": CommandEntry("incident", "incident", "Write about incidents on the status page."),
    "maintenance": CommandEntry(
        "maintenance", "maintenance", "Schedule maintenance and suppress its alerts."
    ),
    "replay": CommandEntry(
        "alerts", "replay", "Re-evaluate stored runs with other alert settings."
    ),
    "notify": CommandEntry(
        "alerts", "notify", "List notification channels, or send them a test message."
    ),
    "ping": CommandEntry("check", "ping", "Send a heartbeat for a job."),
    "provision": CommandEntry("storage", "provision", "Create what the configured storage needs."),
    "history": CommandEntry("status", "history", "List the stored results of a checker."),
    "serve": CommandEntry("page", "serve", "Serve the status page over HTTP."),
    "page": CommandEntry("page", "page", "Write the status page to a folder, or publish it."),
    "rebuild": CommandEntry(
        "storage", "rebuild", "Rebuild the page's history from the stored runs."
    ),
    "cost": CommandEntry("cost", "cost", "Estimate the monthly costs on AWS."),
    "restore": CommandEntry("storage", "restore", "Restore an earlier version of a stack's state."),
    "pause": CommandEntry("stack", "pause", "Pause the schedules of a stack."),
    "resume": CommandEntry("stack", "resume", "Resume the schedules of a stack."),
    "schema": CommandEntry(
        "config", "schema", "Print the JSON Schema of the configuration, for editors."
    ),
    "completion": CommandEntry("commands", "completion", "Print a shell completion script."),
    "help": CommandEntry("commands", "help_command", "Show help for checkup or a command."),
}
"""The commands in the order of the help. Each is imported when it runs."""

DEFAULT_COMMAND: Final = CommandEntry("commands", "check", "")
"""Runs the checks; it gets every word that names no command."""

_TAKES_VALUE: Final = frozenset(
    {
        *("--config", "--stack", "--region", "--profile"),
        *("--memory", "--retention", "--architecture", "--interval", "--seconds"),
        *("--about", "--listen", "--host", "--for", "--since", "--set"),
        *("--impact", "--status", "--component", "--group", "--title", "--message"),
        *("--format", "--region-name", "--at"),
        *("--from", "--until", "--month"),
    }
)

_TAKES_VALUE_SHORT: Final = frozenset("ca")


def move_command_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the command's name in front.

    The first word that is neither a flag nor a flag's value is the command, if there is one of
    that name. Otherwise all words are for :data:`DEFAULT_COMMAND`, unless help or the version is
    asked for.
    """
    place = first_positional(arguments)
    if place is not None and arguments[place] in COMMANDS:
        return [arguments[place], *arguments[:place], *arguments[place + 1 :]]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    for flag in ("--version", "-h", "--help"):
        if flag in arguments[:end]:
            return [flag]
    return [DEFAULT_COMMAND.attribute, *arguments]


def _accept_v(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``-v`` for the Go program's ``--v``."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return ["-v" if word == "--v" else word for word in arguments[:end]] + [*arguments[end:]]


def first_positional(arguments: Sequence[str]) -> int | None:
    """Return the place of the first word; after ``--`` no word can be a command."""
    is_value = False
    for place, argument in enumerate(arguments):
        if is_value:
            is_value = False
        elif argument == "--":
            return None
        elif argument.startswith("-") and argument != "-":
            is_value = _takes_next(argument)
        else:
            return place
    return None


def _takes_next(flag: str) -> bool:
    """Say whether the argument after ``flag`` is its value: ``--config``, ``-c``, ``-vc``."""
    if flag.startswith("--"):
        return flag in _TAKES_VALUE
    letters = [place for place, letter in enumerate(flag) if letter in _TAKES_VALUE_SHORT]
    return bool(letters) and letters[0] == len(flag) - 1


# ``checkup completion``: shell completion scripts.


_SHELLS: Final = ("bash", "zsh", "fish")
COMPLETION_VARIABLE: Final = "_CHECKUP_COMPLETE"


@click.command(
    epilog=examples_epilog(
        'eval "$(checkup completion bash)"                # in ~/.bashrc',
        'eval "$(checkup completion zsh)"                 # in ~/.zshrc',
        "checkup completion fish > ~/.config/fish/completions/checkup.fish",
    ),
)
@click.argument("shell", metavar="bash|zsh|fish")
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print a script that completes commands, options, titles and ids in a shell."""
    kind = get_completion_class(shell) if shell in _SHELLS else None
    if kind is None:
        raise CheckupError(f'no completion for "{shell}"; choose one of {", ".join(_SHELLS)}')
    program = context.find_root().command
    print(kind(program, {}, "checkup", COMPLETION_VARIABLE).source())
    return 0


# ``checkup help``: the same as ``-h``.


@click.command(
    "help",
    epilog=examples_epilog("checkup help", "checkup help every"),
)
@click.argument("command", required=False, default="")
@click.pass_context
def help_command(context: click.Context, command: str) -> int:
    """Show help for checkup or one of its commands."""
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


@click.command()
@config_options
@click.option(
    "--store",
    is_flag=True,
    help="Store the run, send alerts, publish if configured, and print nothing.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["table", "go", "json", "markdown"]),
    help="Format of the results  [default: table on a terminal, else go]",
)
@click.option(
    "--json",
    "formats",
    flag_value="json",
    multiple=True,
    help="Print the results as JSON, as in a run file.",
)
@verbose_option
@click.argument("names", nargs=-1, metavar="[NAME ...]", shell_complete=complete_command_or_checker)
def check(
    config_file: str | None,
    *,
    store: bool,
    formats: tuple[str, ...],
    verbose: bool,
    names: tuple[str, ...],
) -> int:
    """Run every check once, or those named by title or id."""
    from checkup.cli.check import run_once  # imports the checkers

    form = formats[-1] if formats else ""
    return run_once(config_file, names, store=store, form=form, verbose=verbose)


# The program as a click group.


class CheckupGroup(click.Group):
    """A group in which words that name no command go to :data:`DEFAULT_COMMAND`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command of that name."""
        place = DEFAULT_COMMAND if cmd_name == DEFAULT_COMMAND.attribute else COMMANDS.get(cmd_name)
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
        return super().parse_args(ctx, move_command_first(_accept_v(args)))

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Show both forms."""
        formatter.write_usage("checkup", "[FLAGS] [NAME ...]")
        formatter.write_usage("checkup", "[FLAGS] COMMAND ...", prefix=" " * len("Usage: "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the options of the default command with those of the program, then the commands."""
        default = self.get_command(ctx, DEFAULT_COMMAND.attribute)
        params = [*(default.params if default else ()), *self.get_params(ctx)]
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
        "checkup                      run every check of checkup.json once",
        "checkup api website          run these two, by title or id",
        "checkup -c shop.yaml --json  print the results as JSON",
        "checkup --store              store the run and send alerts (for cron)",
        "checkup every 1m             the same every minute",
        "checkup serve                serve the status page on http://127.0.0.1:3000/",
    ),
)
@click.version_option(__version__, prog_name="checkup", message="%(prog)s %(version)s")
def program() -> None:
    """Check websites and services, alert on changes, publish a status page.

    Without a command, run every check once, or those named by title or id, and print the results.
    The exit code is 0 if all are healthy, else 1; with --store it is 0 once the run is stored, and
    3 if a channel cannot deliver alerts.
    """


def run_cli(arguments: Sequence[str]) -> int:
    """Run the program with these arguments and return the exit code."""
    output.reserve_std_descriptors()
    try:
        output.use_utf8()
        code = _complete_or_invoke(list(arguments))
        output.flush()
    except BrokenPipeError:
        output.discard_output()
        return process.EXIT_BROKEN_PIPE
    except OSError as error:
        output.log_line(f"the output cannot be written: {error.strerror}")
        output.discard_output()
        return process.EXIT_FAILURE
    return code


def _complete_or_invoke(arguments: list[str]) -> int:
    instruction = os.environ.get(COMPLETION_VARIABLE)
    if instruction:
        return shell_complete(program, {}, "checkup", COMPLETION_VARIABLE, instruction)
    with process.handle_errors() as outcome, program.make_context("checkup", arguments) as context:
        outcome.meta = context.meta
        outcome.code = program.invoke(context)
    return outcome.code


# Groups of subcommands: ``checkup incident open``, ``checkup incident list``.


DEFAULT_SUBCOMMAND: Final = "list"
"""The subcommand that runs if none is given."""


class SubcommandGroup(click.Group):
    """A group of subcommands; options may stand before or after the subcommand."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the subcommand first, then go on as any group."""
        asks_for_help = bool({"-h", "--help"} & {*args})
        place = first_positional(args)
        if ctx.resilient_parsing or (place is None and asks_for_help):
            return super().parse_args(ctx, args)
        if place is None:
            return super().parse_args(ctx, [DEFAULT_SUBCOMMAND, *args])
        name = args[place]
        if name not in self.commands:
            raise UnknownCommandError(name, {known: known for known in self.commands})
        return super().parse_args(ctx, [name, *args[:place], *args[place + 1 :]])
