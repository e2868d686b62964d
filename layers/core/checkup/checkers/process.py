"""Runs a program in a process group of its own, of which nothing is left afterwards.

Killing only the program leaves its children behind, and one of them that holds the pipe keeps
the reader waiting. So the group is killed as a whole, and the end of the pipe is not waited for
once the program has ended.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Final

from msgspec import Struct

from checkup.checkers.failures import CheckFailedError
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError

MAX_OUTPUT_BYTES: Final = 65_536

_GLANCE = 0.05
"""Seconds after which a silent program is looked at: it may have left its pipe to a child."""

_LAST_WORDS = 0.25
"""Seconds that are read on after the program has ended, if a child of it goes on writing."""

_CLEAN_UP = 1.0
_CHUNK = 65_536
_NO_PROCESS = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}


class ProcessResult(Struct, frozen=True):
    """How a program came to its end.

    Attributes:
        status: its exit status; the number of a signal, negative, if that ended it; None if
            it had to be killed because the time was up.
        output: what it wrote to both streams, as far as the cap.
    """

    status: int | None
    output: bytes


def run_process(
    command: Sequence[str], environment: Mapping[str, str], directory: str, deadline: Deadline
) -> ProcessResult:
    """Run a program to its end, or to the deadline, and kill what is left of its group.

    Args:
        command: the program, found in the environment's PATH if it has no slash; arguments.
        environment: all that it gets to see.
        directory: where it runs; empty for where this process does.

    Raises:
        CheckFailedError: there is no such program, or it cannot be run.
        CheckUnknownError: the settings cannot be used, or this machine lacks the resources.
    """
    with _started(command, environment, directory) as process:
        try:
            output = _output(process, deadline)
            status = process.poll()
        finally:
            _kill(process)
    return ProcessResult(status, output)


def _started(
    command: Sequence[str], environment: Mapping[str, str], directory: str
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - running a program is what it is for
            command,
            env=environment,
            cwd=directory or None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except ValueError as error:
        raise CheckUnknownError(
            "config", "the command or its environment cannot be used"
        ) from error
    except OSError as error:
        if directory and error.filename == directory:
            raise CheckUnknownError("config", "the working directory cannot be used") from error
        if error.errno in _NO_PROCESS:
            raise CheckUnknownError(
                "resource", "this machine cannot start another process"
            ) from error
        raise _start_failure(command[0], error) from error


def _start_failure(program: str, error: OSError) -> CheckFailedError:
    """Say it as Go does."""
    reason = os.strerror(error.errno or 0).lower()
    failure = "exec_missing" if error.errno == errno.ENOENT else "exec_not_executable"
    if "/" in program:
        return CheckFailedError(failure, f"fork/exec {program}: {reason}")
    if failure == "exec_missing":
        reason = "executable file not found in $PATH"
    return CheckFailedError(failure, f'exec: "{program}": {reason}')


def _output(process: subprocess.Popen[bytes], deadline: Deadline) -> bytes:
    """Read until the program has ended; what is over the cap is read and dropped."""
    assert process.stdout  # noqa: S101 - it was started with a pipe
    kept = bytearray()
    has_ended = False
    while deadline.left() > 0:
        chunk = _read(process.stdout, min(_GLANCE, deadline.left()))
        if chunk == b"":
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline.left()))
            break
        kept += (chunk or b"")[: MAX_OUTPUT_BYTES - len(kept)]
        if has_ended and chunk is None:
            break
        if not has_ended and process.poll() is not None:
            has_ended, deadline = True, deadline.within(_LAST_WORDS)
    return bytes(kept)


def _read(pipe: IO[bytes], seconds: float) -> bytes | None:
    """Return what is there, b"" at the end, or None if nothing came in time."""
    with DefaultSelector() as selector:
        selector.register(pipe, EVENT_READ)
        return os.read(pipe.fileno(), _CHUNK) if selector.select(seconds) else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The group may outlive the program. If it does not, its number is not given to another
    # one within these few instructions: numbers are given out in turn.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_CLEAN_UP)
