"""The ``exec`` checker: runs a program and evaluates its exit status and output.

The program runs in its own process group, of which nothing is left afterwards. Killing only the
program would leave its children behind, and one of them that holds the pipe would keep the reader
waiting. So the whole group is killed, and once the program has ended, the end of the pipe is not
waited for.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import IO, Annotated, ClassVar, Final

from msgspec import Meta, Struct, field, structs

from checkup.checkers.failures import CheckFailedError
from checkup.deadline import Deadline, Stopwatch
from checkup.errors import CheckUnknownError
from checkup.interfaces import Checker, CheckerContext
from checkup.interfaces.checker import Assessment, assess
from checkup.interfaces.kinds import SettingProblem, Strings
from checkup.model import Attempt, Status

MAX_OUTPUT_BYTES: Final = 65_536

_POLL_INTERVAL: Final = 0.05
"""Seconds between two polls of a silent program: it may have left its pipe to a child."""

_LINGER: Final = 0.25
"""Seconds of reading after the program has ended, if a child goes on writing."""

_KILL_WAIT: Final = 1.0
_CHUNK: Final = 65_536
_NO_RESOURCES: Final = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE}

_INHERITED: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"}
)

_MISMATCH: Final = "output_mismatch"
_NAGIOS_WARNING: Final = "nagios_warning"
_NAGIOS_UNKNOWN: Final = 3

_NAGIOS: Final = {1: _NAGIOS_WARNING, 2: "nagios_critical"}
"""https://nagios-plugins.org/doc/guidelines.html, section Plugin Return Codes."""

_MAX_SHOWN: Final = 1000
"""Characters of the output in an error text."""

_MAX_FIRST_LINE: Final = 200
"""Characters of its first line, where only that is shown."""


class ExecChecker(Checker, frozen=True, kw_only=True, rename={"raise_": "raise"}):
    """Runs ``command`` without a shell; its exit status and output decide.

    From the environment of Checkup it gets PATH, HOME, USER, LOGNAME, SHELL, TZ, TMPDIR and the
    language. Its child processes end with it. The round trip time is how long it runs.
    """

    kind: ClassVar[str] = "exec"

    name: Annotated[str, Meta(description="The title; `endpoint_name` works too.")] = ""
    command: Annotated[str, Meta(description="The program: a path, or a name in PATH.")] = ""
    arguments: Annotated[Strings, Meta(description="Its arguments.", extra={"private": True})] = ()
    must_contain: Annotated[str, Meta(description="Text that the output must contain.")] = ""
    must_not_contain: Annotated[str, Meta(description="Text that the output must not contain.")] = (
        ""
    )
    raise_: Annotated[
        str, Meta(description="`warn` or `warning`: failures are degraded, not down.")
    ] = ""
    working_directory: Annotated[
        str, Meta(description="Working directory; if absent, that of Checkup.")
    ] = ""
    environment: Annotated[
        dict[str, str],
        Meta(description="Additional environment variables.", extra={"private": True}),
    ] = field(default_factory=dict)
    nagios: Annotated[
        bool, Meta(description="Nagios plugin: exit status 1 is degraded, 3 is unknown.")
    ] = False
    show_output: Annotated[
        bool, Meta(description="Include the output in the error message, which others may see.")
    ] = False
    show_first_line: Annotated[
        bool,
        Meta(description="Include the first line of the output in the error message and alerts."),
    ] = False

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if self.command and not self.arguments and re.search(r"\S\s+-", self.command):
            text = "is run as one program name, without a shell"
            fix = 'put the arguments in a list: "arguments": ["-a", "b"]'
            yield SettingProblem("command", text, fix)
        if self.must_not_contain and self.must_not_contain in self.must_contain:
            text = "must_contain contains it, so both can never hold"
            yield SettingProblem("must_not_contain", text, is_fatal=True)
        if self.raise_ not in {"", "warn", "warning", "error"}:
            text = "has no meaning, so a failure is down"
            yield SettingProblem("raise_", text, "write warn, or remove it")

    @property
    def title(self) -> str:
        """The name that results carry."""
        return self.name or self.endpoint_name

    @property
    def endpoint(self) -> str:
        """The program, without its arguments: they may hold secrets."""
        return self.command

    def with_context(self, context: CheckerContext) -> Checker:
        """Return this checker, or one that is unsupported where no programs may run."""
        return self if context.allows_exec else _Unsupported(**structs.asdict(self))

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.Checker.attempt`."""
        error = failure = ""
        watch = Stopwatch()
        elapsed = 0
        try:
            command = [self.command, *self.arguments]
            ended = run_process(command, self._environment(), self.working_directory, deadline)
            elapsed = watch.elapsed_ns()
            self._evaluate_output(ended, watch)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(rtt=elapsed or watch.elapsed_ns(), error=error, failure=failure)

    def pause_after(self, attempt: Attempt) -> int:
        """Pause only after the exit status 0, as the Go program does."""
        is_zero = not attempt.error or attempt.failure == _MISMATCH
        return self.attempt_spacing if is_zero else 0

    def evaluate(self, attempts: Sequence[Attempt]) -> Assessment:
        """Evaluate the attempts; failures that are only warnings are degraded."""
        general = assess(attempts, self.threshold_rtt)
        failed = [attempt for attempt in attempts if attempt.error]
        warns = self.raise_ in {"warn", "warning"}
        if failed and all(warns or attempt.failure == _NAGIOS_WARNING for attempt in failed):
            return Assessment(Status.DEGRADED, failed[0].error)
        return general

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name in _INHERITED or name.startswith("LC_")
        }
        return inherited | self.environment

    def _evaluate_output(self, ended: ProcessResult, watch: Stopwatch) -> None:
        if ended.exit_status != 0:
            raise self._failure(ended, watch)
        for text, is_wanted, verb in (
            (self.must_contain, True, "does not contain"),
            (self.must_not_contain, False, "contains"),
        ):
            if text and (text.encode() in ended.output) is not is_wanted:
                is_cut = is_wanted and len(ended.output) == MAX_OUTPUT_BYTES
                place = f" in its first {MAX_OUTPUT_BYTES} bytes" if is_cut else ""
                reason = f"response {verb} '{text}'{place}"
                raise CheckFailedError(_MISMATCH, self._with_first_line(reason, ended.output))

    def _failure(self, ended: ProcessResult, watch: Stopwatch) -> CheckFailedError:
        if ended.exit_status is None:
            failure, reason = "deadline", f"signal: killed, not finished after {watch}"
        elif ended.exit_status < 0:
            name = signal.strsignal(-ended.exit_status) or str(-ended.exit_status)
            failure, reason = "exec_signal", f"signal: {name.lower()}"
        elif self.nagios and ended.exit_status == _NAGIOS_UNKNOWN:
            raise CheckUnknownError("nagios_unknown", self._message("exit status 3", ended.output))
        else:
            failure = f"exit_{ended.exit_status}"
            if self.nagios:
                failure = _NAGIOS.get(ended.exit_status, failure)
            reason = f"exit status {ended.exit_status}"
        return CheckFailedError(failure, self._message(reason, ended.output))

    def _message(self, reason: str, output: bytes) -> str:
        """Return the reason and, if configured, the output, in the format of the Go program."""
        if not self.show_output:
            return self._with_first_line(reason, output)
        text = _printable(output.decode(errors="replace").strip()) or "empty"
        return f"Error: {reason}\nOutput: {text[:_MAX_SHOWN]}\n"

    def _with_first_line(self, reason: str, output: bytes) -> str:
        if not self.show_first_line or self.show_output:
            return reason
        line = output.decode(errors="replace").strip().partition("\n")[0]
        if self.nagios:
            line = line.partition("|")[0]  # figures for programs follow
        line = _printable(line).strip()
        return f"{reason}: {line[:_MAX_FIRST_LINE]}" if line else reason


def _printable(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)


class _Unsupported(ExecChecker, frozen=True, kw_only=True):
    def attempt(self, deadline: Deadline) -> Attempt:
        raise CheckUnknownError("unsupported", "exec checkers are not supported on AWS Lambda")


class ProcessResult(Struct, frozen=True):
    """How a program ended.

    Attributes:
        exit_status: its exit status; the negative number of the signal that ended it; None if it
            was killed at the deadline.
        output: the first ``MAX_OUTPUT_BYTES`` bytes of stdout and stderr.
    """

    exit_status: int | None
    output: bytes


def run_process(
    command: Sequence[str], environment: Mapping[str, str], directory: str, deadline: Deadline
) -> ProcessResult:
    """Run a program to its end, or to the deadline, and kill what is left of its group.

    Args:
        command: the program, found in the environment's PATH if it has no slash; arguments.
        environment: all of its variables.
        directory: its working directory; empty for that of this process.

    Raises:
        CheckUnknownError: there is no such program, it cannot be run, the settings cannot be used,
            or this machine lacks the resources.
    """
    with _start(command, environment, directory) as process:
        try:
            output = _read_output(process, deadline)
            status = process.poll()
        finally:
            _kill(process)
    return ProcessResult(status, output)


def _start(
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
        raise CheckUnknownError("config", "invalid command or environment") from error
    except OSError as error:
        if directory and error.filename == directory:
            raise CheckUnknownError("config", "cannot use the working directory") from error
        if error.errno in _NO_RESOURCES:
            raise CheckUnknownError(
                "resource", "this machine cannot start another process"
            ) from error
        raise _start_failure(command[0], error) from error


def _start_failure(program: str, error: OSError) -> CheckUnknownError:
    """A check that cannot be started says nothing of the service. The messages are those of Go."""
    reason = os.strerror(error.errno or 0).lower()
    failure = "exec_missing" if error.errno == errno.ENOENT else "exec_not_executable"
    if "/" in program:
        return CheckUnknownError(failure, f"fork/exec {program}: {reason}")
    if failure == "exec_missing":
        reason = "executable file not found in $PATH"
    return CheckUnknownError(failure, f'exec: "{program}": {reason}')


def _read_output(process: subprocess.Popen[bytes], deadline: Deadline) -> bytes:
    """Read until the program has ended; output beyond the limit is read and dropped."""
    assert process.stdout  # noqa: S101 - it was started with a pipe
    kept = bytearray()
    has_ended = False
    while deadline.remaining() > 0:
        chunk = _read(process.stdout, min(_POLL_INTERVAL, deadline.remaining()))
        if chunk == b"":
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline.remaining()))
            break
        kept += (chunk or b"")[: MAX_OUTPUT_BYTES - len(kept)]
        if has_ended and chunk is None:
            break
        if not has_ended and process.poll() is not None:
            has_ended, deadline = True, deadline.within(_LINGER)
    return bytes(kept)


def _read(pipe: IO[bytes], seconds: float) -> bytes | None:
    """Return the next bytes, b"" at the end, or None if nothing came in time."""
    with DefaultSelector() as selector:
        selector.register(pipe, EVENT_READ)
        return os.read(pipe.fileno(), _CHUNK) if selector.select(seconds) else None


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The group may outlive the program. If it does not, its number is not reused within these few
    # instructions: numbers are given out in turn.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_KILL_WAIT)
