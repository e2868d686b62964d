"""What becomes of an error: one line that helps, and an exit code."""

from __future__ import annotations

import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import click
from msgspec import Struct

from checkup.cli import output
from checkup.cli.options import VERBOSE
from checkup.errors import CheckupError
from checkup.text import mask_address

EXIT_FAILURE: Final = 1
EXIT_BROKEN_PIPE: Final = 141
EXIT_USAGE: Final = 255
_HINT: Final = "Run 'checkup --help' for usage."


class CommandResult(Struct):
    """How a command ended: its exit code, and the notes that its flags left."""

    code: int = 0
    meta: dict[str, Any] = {}


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
        output.log_line(str(error))
        outcome.code = EXIT_FAILURE
    except Exception as error:
        if output.is_output_error(error):
            raise
        report_internal_error(error, verbose=bool(outcome.meta.get(VERBOSE)))
        outcome.code = EXIT_FAILURE


def report_internal_error(error: Exception, *, verbose: bool) -> None:
    """Report an error that should not be: where it came from, and with ``-v`` how.

    Its text may hold anything, so it is left out of the short form and masked in the long one.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    hint = "" if verbose else "; run it with -v to see more"
    output.log_line(f"internal error: {type(error).__name__} at {place}{hint}")
    if verbose:
        output.log_line(mask_address("".join(traceback.format_exception(error))))


def _misused(error: click.UsageError) -> int:
    """Say what is wrong with the arguments, as the Go program does.

    A wrong number of arguments shows the command's help on stdout and is no more than a failure.
    """
    if type(error) in {click.UsageError, click.MissingParameter} and error.ctx is not None:
        print(error.ctx.get_help())
        _print_error(error.format_message())
        return EXIT_FAILURE
    _print_error(_flag_text(error))
    suggestions = getattr(error, "suggestions", None) or getattr(error, "possibilities", None)
    if suggestions:
        names = "\n".join(f"\t{name}" for name in suggestions)
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


# Stopping when asked to, with SIGINT (Ctrl-C) or SIGTERM.


STOP_GRACE_SECONDS: Final = 2.0
"""Seconds that the work at hand is given to end by itself."""

SIGNAL_POLL_SECONDS: Final = 1.0
"""Seconds after which a wait is interrupted: a signal that comes just before it, or to another
thread, does not end it, and would be noticed when it is over."""


class StopRequestedError(BaseException):
    """The program was asked to stop; like KeyboardInterrupt, nothing but a door catches it."""


class StopHandler:
    """Turns the signals into the end of a block.

    Outside of :meth:`at_work` a signal ends the block at once. Inside, the work may end by
    itself; after two seconds or a second signal it is abandoned, which the run protocol
    allows at every step.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self._working = False

    @contextmanager
    def defer_stop(self) -> Iterator[None]:
        """Hold a signal back for what must not be abandoned lightly."""
        self._working = True
        try:
            yield
        finally:
            self._working = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Note the wish, and end the work now or in a while."""
        if self.stop_requested or not self._working:
            raise StopRequestedError
        self.stop_requested = True
        signal.setitimer(signal.ITIMER_REAL, STOP_GRACE_SECONDS)


@contextmanager
def run_until_stopped() -> Iterator[StopHandler]:
    """Run a block that a signal ends; the block is left without an error."""
    stopping = StopHandler()
    before = {
        number: signal.signal(number, stopping.on_signal)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    }
    try:
        yield stopping
    except StopRequestedError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def interruptible_sleep(seconds: float) -> None:
    """Wait, and notice every signal."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SIGNAL_POLL_SECONDS))
