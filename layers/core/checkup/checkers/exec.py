"""The ``exec`` checker: what does a program of one's own say?"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Annotated, ClassVar

from msgspec import Meta, field, structs

from checkup.alerting.assessment import Assessment, assess
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.process import MAX_OUTPUT_BYTES, ProcessResult, run_process
from checkup.checkers.stopwatch import Stopwatch
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Status
from checkup.options import Strings
from checkup.ports import Checker, CheckerContext

_INHERITED = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"}
)
_MISMATCH = "output_mismatch"
_NAGIOS_WARNING = "nagios_warning"
_NAGIOS_UNKNOWN = 3
_NAGIOS = {1: _NAGIOS_WARNING, 2: "nagios_critical"}
"""https://nagios-plugins.org/doc/guidelines.html, section Plugin Return Codes."""

_LONGEST_SHOWN = 1000


class ExecChecker(Checker, frozen=True, kw_only=True, rename={"raise_": "raise"}):
    """Runs ``command`` without a shell; its exit status and output decide.

    Of this process's environment it sees PATH, HOME, USER, LOGNAME, SHELL, TZ, TMPDIR and the
    language. What it starts itself ends with it. The round trip time is how long it runs.
    """

    kind: ClassVar[str] = "exec"

    name: Annotated[str, Meta(description="The title; `endpoint_name` works as well.")] = ""
    command: Annotated[str, Meta(description="The program, by its path or found in PATH.")] = ""
    arguments: Annotated[Strings, Meta(description="Its arguments.", extra={"private": True})] = ()
    must_contain: Annotated[str, Meta(description="Text that the output must contain.")] = ""
    must_not_contain: Annotated[str, Meta(description="Text that it must not contain.")] = ""
    raise_: Annotated[
        str, Meta(description="`warn` or `warning`: failures are degraded, not down.")
    ] = ""
    working_directory: Annotated[
        str, Meta(description="Where it runs; where Checkup does, if absent.")
    ] = ""
    environment: Annotated[
        dict[str, str],
        Meta(description="Variables that it sees besides the usual few.", extra={"private": True}),
    ] = field(default_factory=dict)
    nagios: Annotated[
        bool, Meta(description="A Nagios plugin: exit status 1 is degraded, 3 is unknown.")
    ] = False
    show_output: Annotated[
        bool, Meta(description="Put the output into the error text; it may be seen by others.")
    ] = False

    @property
    def title(self) -> str:
        """The name that results carry."""
        return self.name or self.endpoint_name

    @property
    def endpoint(self) -> str:
        """The program, without its arguments: they may hold secrets."""
        return self.command

    def placed(self, surroundings: CheckerContext) -> Checker:
        """Return this checker, or one that refuses where no programs are to be run."""
        return self if surroundings.runs_programs else _Refused(**structs.asdict(self))

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.ports.Checker.attempt`."""
        error = failure = ""
        watch = Stopwatch()
        elapsed = 0
        try:
            command = [self.command, *self.arguments]
            ended = run_process(command, self._environment(), self.working_directory, deadline)
            elapsed = watch.elapsed()
            self._judge(ended, watch)
        except CheckFailedError as failed:
            error, failure = str(failed), failed.failure
        return Attempt(rtt=elapsed or watch.elapsed(), error=error, failure=failure)

    def spacing_after(self, attempt: Attempt) -> int:
        """Pause only after the exit status 0, as the Go program does."""
        is_zero = not attempt.error or attempt.failure == _MISMATCH
        return self.attempt_spacing if is_zero else 0

    def assess(self, attempts: Sequence[Attempt]) -> Assessment:
        """Weigh the attempts; failures that are no more than warnings are degraded."""
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

    def _judge(self, ended: ProcessResult, watch: Stopwatch) -> None:
        if ended.status != 0:
            raise self._failure(ended, watch)
        for text, is_wanted, verb in (
            (self.must_contain, True, "does not contain"),
            (self.must_not_contain, False, "contains"),
        ):
            if text and (text.encode() in ended.output) is not is_wanted:
                is_cut = is_wanted and len(ended.output) == MAX_OUTPUT_BYTES
                place = f" in its first {MAX_OUTPUT_BYTES} bytes" if is_cut else ""
                raise CheckFailedError(_MISMATCH, f"response {verb} '{text}'{place}")

    def _failure(self, ended: ProcessResult, watch: Stopwatch) -> CheckFailedError:
        if ended.status is None:
            failure, reason = "deadline", f"signal: killed, not finished after {watch}"
        elif ended.status < 0:
            name = signal.strsignal(-ended.status) or str(-ended.status)
            failure, reason = "exec_signal", f"signal: {name.lower()}"
        elif self.nagios and ended.status == _NAGIOS_UNKNOWN:
            raise CheckUnknownError("nagios_unknown", self._sentence("exit status 3", ended.output))
        else:
            failure = f"exit_{ended.status}"
            if self.nagios:
                failure = _NAGIOS.get(ended.status, failure)
            reason = f"exit status {ended.status}"
        return CheckFailedError(failure, self._sentence(reason, ended.output))

    def _sentence(self, reason: str, output: bytes) -> str:
        """Return the reason alone, or as the Go program has it: together with the output."""
        if not self.show_output:
            return reason
        text = output.decode(errors="replace").strip() or "empty"
        shown = "".join(letter if letter.isprintable() else " " for letter in text)
        return f"Error: {reason}\nOutput: {shown[:_LONGEST_SHOWN]}\n"


class _Refused(ExecChecker, frozen=True, kw_only=True):
    def attempt(self, deadline: Deadline) -> Attempt:  # noqa: ARG002 - of the port
        raise CheckUnknownError(
            "unsupported", "exec is not supported here: it runs on machines only"
        )
