"""What becomes of an error: one line that helps, and an exit code."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

import click
from msgspec import Struct

from checkup.cli import terminal
from checkup.cli.flags import VERBOSE
from checkup.errors import CheckupError
from checkup.redaction import mask_address

EXIT_FAILURE: Final = 1
EXIT_BROKEN_PIPE: Final = 141
EXIT_USAGE: Final = 255
_HINT: Final = "Run 'checkup --help' for usage."


class UnknownCommandError(click.UsageError):
    """A word that is neither a command nor a checker.

    Args:
        candidates: names that may have been meant, and the word to use for each.
    """

    def __init__(self, word: str, candidates: Mapping[str, str]) -> None:
        super().__init__(f'unknown command "{word}" for "checkup"')
        names = {name.casefold(): use for name, use in candidates.items()}
        close = get_close_matches(word.casefold(), names)
        self.meant = list(dict.fromkeys(names[name] for name in close))


class CommandResult(Struct):
    """How a command ended: its exit code, and the notes that its flags left."""

    code: int = 0
    notes: dict[str, Any] = {}


@contextmanager
def handle_errors() -> Iterator[CommandResult]:
    """Turn whatever goes wrong inside into words and an exit code.

    Ctrl-C is no error and passes, and so does an output that cannot be written.
    """
    outcome = CommandResult()
    try:
        yield outcome
    except click.exceptions.Exit as wish:
        outcome.code = wish.exit_code
    except click.UsageError as error:
        outcome.code = _misused(error)
    except CheckupError as error:
        terminal.log_line(str(error))
        outcome.code = EXIT_FAILURE
    except Exception as error:
        if terminal.is_output_error(error):
            raise
        report_internal_error(error, verbose=bool(outcome.notes.get(VERBOSE)))
        outcome.code = EXIT_FAILURE


def report_internal_error(error: Exception, *, verbose: bool) -> None:
    """Report an error that should not be: where it came from, and with ``-v`` how.

    Its text may hold anything, so it is left out of the short form and masked in the long one.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    hint = "" if verbose else "; run it with -v to see more"
    terminal.log_line(f"internal error: {type(error).__name__} at {place}{hint}")
    if verbose:
        terminal.log_line(mask_address("".join(traceback.format_exception(error))))


def _misused(error: click.UsageError) -> int:
    """Say what is wrong with the arguments, as the Go program does.

    A wrong number of arguments shows the command's help on stdout and is no more than a failure.
    """
    if type(error) in {click.UsageError, click.MissingParameter} and error.ctx is not None:
        print(error.ctx.get_help())
        _print_error(error.format_message())
        return EXIT_FAILURE
    _print_error(_flag_text(error))
    meant = getattr(error, "meant", None) or getattr(error, "possibilities", None)
    if meant:
        names = "\n".join(f"\t{name}" for name in meant)
        click.echo(f"\nDid you mean this?\n{names}\n", err=True)
    click.echo(_HINT, err=True)
    return EXIT_USAGE


def _flag_text(error: click.UsageError) -> str:
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        if name.startswith("--"):
            return f"unknown flag: {name}"
        return f"unknown shorthand flag: {name[1:]!r} in {name}"
    if isinstance(error, click.BadOptionUsage):
        return f"flag needs an argument: {error.option_name}"
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{error.param.opts[-1]}: {error.message}"
    return error.message


def _print_error(text: str) -> None:
    click.echo(f"Error: {text}", err=True)
