"""How a command ends: error messages, exit codes, and stopping on a signal."""

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
EXIT_UNDELIVERED: Final = 3
"""The run is stored, but a channel cannot deliver alerts; they stay queued."""

EXIT_BROKEN_PIPE: Final = 141
EXIT_USAGE: Final = 255
_HINT: Final = "Run 'checkup --help' for usage."


class CommandResult(Struct):
    """How a command ended: its exit code, and what its options left in click's ``meta``."""

    code: int = 0
    meta: dict[str, Any] = {}


@contextmanager
def handle_errors() -> Iterator[CommandResult]:
    """Turn an error of the block into a message and an exit code.

    KeyboardInterrupt and errors of the output pass.
    """
    outcome = CommandResult()
    try:
        yield outcome
    except click.exceptions.Exit as ended:
        outcome.code = ended.exit_code
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
    """Report an unexpected error: its type and line, with ``-v`` its traceback.

    Its message may contain secrets: the short form leaves it out, the traceback is masked.
    """
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    hint = "" if verbose else "; run it with -v to see more"
    output.log_line(f"internal error: {type(error).__name__} at {place}{hint}")
    if verbose:
        output.log_line(mask_address("".join(traceback.format_exception(error))))


def _misused(error: click.UsageError) -> int:
    """Print what is wrong with the arguments, as the Go program does; return the exit code.

    A wrong number of arguments prints the command's help on stdout and ends with code 1, an invalid
    value ends with code 1, as those do that a command finds itself.
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
    is_invalid_value = isinstance(error, click.BadParameter)
    return EXIT_FAILURE if is_invalid_value else EXIT_USAGE


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


# Stopping on SIGINT (Ctrl-C) or SIGTERM.


STOP_GRACE_SECONDS: Final = 2.0
"""Time for the current run to end after a first signal."""

SIGNAL_POLL_SECONDS: Final = 1.0
"""Longest uninterrupted wait: a signal that arrives just before it, or in another thread, is
noticed only when the wait is over."""


class StopRequestedError(BaseException):
    """A signal asks the program to stop. A BaseException, so that no handler of errors stops it."""


class StopHandler:
    """Signal handler of :func:`run_until_stopped`.

    Outside of :meth:`defer_stop` a signal ends the block at once. Inside, the work can finish;
    after two seconds or a second signal it is abandoned, which the run protocol allows at every
    step.
    """

    def __init__(self) -> None:
        self.stop_requested = False
        self._working = False

    @contextmanager
    def defer_stop(self) -> Iterator[None]:
        """Let the block finish after a first signal."""
        self._working = True
        try:
            yield
        finally:
            self._working = False

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """End the work now, or let it finish within the grace period."""
        if self.stop_requested or not self._working:
            raise StopRequestedError
        self.stop_requested = True
        signal.setitimer(signal.ITIMER_REAL, STOP_GRACE_SECONDS)


@contextmanager
def run_until_stopped() -> Iterator[StopHandler]:
    """Run a block that a signal ends without an error."""
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
    """Sleep in short steps, so that every signal is noticed."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, SIGNAL_POLL_SECONDS))
