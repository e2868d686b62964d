from __future__ import annotations

import errno
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.exec import MAX_OUTPUT_BYTES, ExecChecker, run_process
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import CheckerContext
from checkup.model import Attempt, Status
from checkup.times import SECOND
from tests.checkers.results import GENEROUS, MILLISECOND, attempt_of, is_fresh, result_of

Script = Callable[..., ExecChecker]
NOWHERE = CheckerContext(storage=lambda: None, s3=lambda: None, allows_exec=False)


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Return what makes a checker of a shell script."""

    def make(text: str, **settings: Any) -> ExecChecker:
        path = tmp_path / "checkup-script"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return ExecChecker(command=str(path), **settings)

    return make


def shell(text: str, **settings: Any) -> ExecChecker:
    return ExecChecker(command="sh", arguments=("-c", text), **settings)


@pytest.mark.row("B41")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        pytest.param(("0",), Status.HEALTHY, id="go-exit-0"),
        pytest.param(("1",), Status.DOWN, id="go-exit-1"),
    ],
)
def test_exit_status_decides(script: Script, arguments: tuple[str, ...], status: Status) -> None:
    checker = script('echo "$@"; exit $1', name="Test", arguments=arguments, attempts=2)

    result = result_of(checker)

    assert (result.title, result.endpoint) == ("Test", checker.command)
    assert result.status is status
    assert len(result.attempts) == 2
    assert all(0 < attempt.rtt < GENEROUS * SECOND for attempt in result.attempts)
    assert is_fresh(result)


@pytest.mark.row("82", "B41")
@pytest.mark.parametrize(
    ("text", "failure", "error"),
    [
        pytest.param("exit 1", "exit_1", "exit status 1", id="exit-1"),
        pytest.param("exit 3", "exit_3", "exit status 3", id="exit-3"),
        pytest.param("exit 255", "exit_255", "exit status 255", id="exit-255"),
        pytest.param("kill -9 $$", "exec_signal", "signal: killed", id="killed"),
        pytest.param("kill -15 $$", "exec_signal", "signal: terminated", id="terminated"),
        pytest.param("kill -11 $$", "exec_signal", "signal: segmentation fault", id="crashed"),
        pytest.param("exec no-such-program", "exit_127", "exit status 127", id="127"),
    ],
)
def test_message_says_how_it_ended(script: Script, text: str, failure: str, error: str) -> None:
    attempt = attempt_of(script(text))

    assert (attempt.failure, attempt.error) == (failure, error)


@pytest.mark.row("82", "B41")
@pytest.mark.parametrize(
    ("content", "mode", "failure", "reason"),
    [
        pytest.param(None, 0, "exec_missing", "no such file or directory", id="missing"),
        pytest.param(
            "#!/bin/sh\n",
            0o644,
            "exec_not_executable",
            "permission denied",
            id="no-permission",
        ),
        pytest.param(
            "#!/no/such/shell\n",
            0o755,
            "exec_missing",
            "no such file or directory",
            id="no-interpreter",
        ),
        pytest.param("\x7fELF", 0o755, "exec_not_executable", "exec format error", id="no-program"),
    ],
)
def test_program_that_cannot_be_started_is_unknown(
    tmp_path: Path, content: str | None, mode: int, failure: str, reason: str
) -> None:
    path = tmp_path / "program"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)

    result = result_of(ExecChecker(command=str(path)))

    assert result.status is Status.UNKNOWN
    assert (result.failure, result.error) == (failure, f"fork/exec {path}: {reason}")


@pytest.mark.row("82", "B41")
@pytest.mark.parametrize("name", [pytest.param("no-such-program", id="not-in-path")])
def test_program_that_is_not_in_path_is_unknown(name: str) -> None:
    result = result_of(ExecChecker(command=name))

    assert (result.status, result.failure) == (Status.UNKNOWN, "exec_missing")
    assert result.error == f'exec: "{name}": executable file not found in $PATH'


@pytest.mark.row("B47")
def test_program_without_a_slash_is_found_in_path(script: Script, tmp_path: Path) -> None:
    script("echo found")
    settings: dict[str, Any] = {"command": "checkup-script", "must_contain": "found"}

    found = attempt_of(ExecChecker(environment={"PATH": str(tmp_path)}, **settings))

    assert found.error == ""
    assert result_of(ExecChecker(**settings)).failure == "exec_missing"


@pytest.mark.row("B46")
@pytest.mark.parametrize(
    ("settings", "title"),
    [
        pytest.param({"name": "Backup"}, "Backup", id="name"),
        pytest.param({"endpoint_name": "Backup"}, "Backup", id="endpoint-name"),
    ],
)
def test_endpoint_is_the_program_alone(settings: dict[str, Any], title: str) -> None:
    result = result_of(ExecChecker(command="true", arguments=("--password=secret",), **settings))

    assert (result.title, result.endpoint) == (title, "true")


@pytest.mark.row("B42", "B43")
@pytest.mark.parametrize(
    ("raise_", "status"),
    [
        pytest.param("warn", Status.DEGRADED, id="warn"),
        pytest.param("warning", Status.DEGRADED, id="warning"),
        pytest.param("error", Status.DOWN, id="error"),
        pytest.param("WARN", Status.DOWN, id="capitals"),
        pytest.param("", Status.DOWN, id="nothing"),
    ],
)
@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("exit 3", "exit status 3", id="exit"),
        pytest.param("true", "response does not contain 'done'", id="mismatch"),
    ],
)
def test_failure_may_be_no_more_than_a_warning(
    raise_: str, status: Status, text: str, error: str
) -> None:
    result = result_of(shell(text, raise_=raise_, must_contain="done", attempts=2))

    assert result.status is status
    assert result.notice == (error if status is Status.DEGRADED else "")
    assert [attempt.error for attempt in result.attempts] == [error] * 2


@pytest.mark.row("81")
@pytest.mark.parametrize(
    ("text", "settings", "error"),
    [
        pytest.param("echo up", {"must_contain": "up"}, "", id="stdout"),
        pytest.param("echo up >&2", {"must_contain": "up"}, "", id="stderr"),
        pytest.param(
            "echo up", {"must_contain": "UP"}, "response does not contain 'UP'", id="case"
        ),
        pytest.param(
            "echo up", {"must_not_contain": "up"}, "response contains 'up'", id="unwanted"
        ),
        pytest.param("echo up", {"must_not_contain": "down"}, "", id="not-there"),
        pytest.param("printf '\\377\\000gr\\303\\274n'", {"must_contain": "grün"}, "", id="binary"),
        pytest.param("echo up; exit 4", {"must_not_contain": "up"}, "exit status 4", id="status"),
    ],
)
def test_output_is_searched_after_exit_status_0(
    text: str, settings: dict[str, Any], error: str
) -> None:
    assert attempt_of(shell(text, **settings)).error == error


@pytest.mark.row("80", "B44")
def test_program_that_takes_too_long_is_killed() -> None:
    started = time.monotonic()

    attempt = attempt_of(ExecChecker(command="sleep", arguments=("60",)), 0.5)

    assert attempt.failure == "deadline"
    assert attempt.error.startswith("signal: killed, not finished after ")
    assert 0.5 <= time.monotonic() - started < 0.5 + GENEROUS
    assert attempt.rtt >= 0.5 * SECOND
    assert ExecChecker.default_timeout == 10 * SECOND


@pytest.mark.row("80", "B45")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sleep 60; true", id="child"),
        pytest.param("sleep 60 & sleep 60", id="two-children"),
        pytest.param("(sleep 60 & sleep 60) & wait", id="grandchildren"),
        pytest.param("trap '' TERM HUP; sleep 60; sleep 60", id="that-ignore-signals"),
        pytest.param("exec >&- 2>&-; sleep 60; true", id="that-closed-the-pipe"),
    ],
)
def test_whole_group_is_killed_at_the_deadline(tmp_path: Path, text: str) -> None:
    numbers = tmp_path / "group"
    started = time.monotonic()

    attempt = attempt_of(shell(f"echo $$ > {numbers}; {text}"), seconds=0.7)

    assert attempt.failure == "deadline"
    assert time.monotonic() - started < 0.7 + GENEROUS
    assert_gone(int(numbers.read_text()))


@pytest.mark.row("80")
@pytest.mark.parametrize("status", [pytest.param(0, id="ends-well"), 2])
def test_nothing_is_left_of_a_program_that_has_ended(tmp_path: Path, status: int) -> None:
    numbers = tmp_path / "group"
    started = time.monotonic()

    checker = shell(f"echo $$ > {numbers}; sleep 60 & echo started; exit {status}")
    attempt = attempt_of(checker, seconds=30)

    assert attempt.error == (f"exit status {status}" if status else "")
    assert time.monotonic() - started < GENEROUS
    assert_gone(int(numbers.read_text()))


def assert_gone(group: int) -> None:
    """Wait until nobody is left in a process group; init may need a moment to bury them."""
    end = time.monotonic() + GENEROUS
    while True:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < end, "somebody is left"
        time.sleep(0.02)


@pytest.mark.row("81")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("yes", id="endless-text"),
        pytest.param("cat /dev/urandom", id="endless-noise"),
    ],
)
def test_endless_output_is_not_kept(text: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    attempt = attempt_of(shell(text), seconds=0.7)

    assert attempt.failure == "deadline"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024


@pytest.mark.row("81")
@pytest.mark.parametrize(
    ("size", "error"),
    [
        pytest.param(MAX_OUTPUT_BYTES - 3, "", id="just-before-the-cap"),
        pytest.param(
            MAX_OUTPUT_BYTES - 2,
            f"response does not contain 'end' in its first {MAX_OUTPUT_BYTES} bytes",
            id="over-the-cap",
        ),
    ],
)
def test_output_is_searched_up_to_the_cap(size: int, error: str) -> None:
    program = f"import sys; sys.stdout.write('.' * {size} + 'end' + '.' * 300_000)"
    checker = ExecChecker(command=sys.executable, arguments=("-c", program), must_contain="end")

    assert attempt_of(checker).error == error


@pytest.mark.row("81", "B41")
@pytest.mark.parametrize(
    ("text", "output"),
    [
        pytest.param("echo disk full; exit 2", "disk full", id="output"),
        pytest.param("echo; exit 2", "empty", id="empty"),
        pytest.param("printf '\\033[31mred\\a\\n'; exit 2", "[31mred", id="escapes"),
        pytest.param("yes | head -5000; exit 2", "y y y", id="long"),
    ],
)
def test_output_is_shown_on_request_only(text: str, output: str) -> None:
    shown = attempt_of(shell(text, show_output=True))

    assert shown.error.startswith("Error: exit status 2\nOutput: ")
    assert output in shown.error
    assert len(shown.error) < 1100
    assert shown.error.replace("\n", "").isprintable()
    assert attempt_of(shell(text)).error == "exit status 2"


@pytest.mark.parametrize(
    ("text", "settings", "error"),
    [
        ("echo disk full; echo more; exit 2", {}, "exit status 2: disk full"),
        ("echo; echo; echo later; exit 2", {}, "exit status 2: later"),
        ("exit 2", {}, "exit status 2"),
        ("printf '\\033[31mred\\a'; exit 2", {}, "exit status 2: [31mred"),
        ("yes | head -5000 | tr -d '\\n'; exit 2", {}, f"exit status 2: {'y' * 200}"),
        ("echo 'DISK | /=99%'; exit 2", {"nagios": True}, "exit status 2: DISK"),
        ("echo 'a|b'; exit 2", {}, "exit status 2: a|b"),
        ("echo bad", {"must_contain": "good"}, "response does not contain 'good': bad"),
    ],
)
def test_first_line_of_the_output_is_shown_on_request(
    text: str, settings: dict[str, Any], error: str
) -> None:
    assert attempt_of(shell(text, show_first_line=True, **settings)).error == error
    assert attempt_of(shell(text, **settings)).error == error.partition(": ")[0]


@pytest.mark.row("82")
@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        pytest.param(0, Status.HEALTHY, "", id="nagios-0"),
        pytest.param(1, Status.DEGRADED, "nagios_warning", id="nagios-1"),
        pytest.param(2, Status.DOWN, "nagios_critical", id="nagios-2"),
        pytest.param(3, Status.UNKNOWN, "nagios_unknown", id="nagios-3"),
        pytest.param(4, Status.DOWN, "exit_4", id="nagios-4"),
    ],
)
def test_exit_status_of_a_nagios_plugin(code: int, status: Status, failure: str) -> None:
    result = result_of(shell(f"exit {code}", nagios=True))

    assert (result.status, result.failure) == (status, failure)
    assert result.notice == ("exit status 1" if code == 1 else "")


@pytest.mark.row("169")
def test_environment_is_clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    seen = tmp_path / "seen"

    attempt = attempt_of(shell(f"env > {seen}", environment={"DISK": "sda"}))

    lines = seen.read_text().splitlines()
    assert attempt.error == ""
    assert "DISK=sda" in lines
    assert "LC_ALL=C.UTF-8" in lines
    assert f"PATH={os.environ['PATH']}" in lines
    assert "secret" not in seen.read_text()


def test_working_directory_is_where_it_runs(tmp_path: Path) -> None:
    (tmp_path / "here").touch()

    assert attempt_of(shell("ls", must_contain="here", working_directory=str(tmp_path))).error == ""


@pytest.mark.row("57")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"working_directory": "/no/such/directory"}, id="directory"),
        pytest.param({"environment": {"A=B": "C"}}, id="name-of-a-variable"),
        pytest.param({"arguments": ("a\0b",)}, id="nul"),
    ],
)
def test_settings_that_cannot_be_used_are_unknown(
    settings: dict[str, Any],
) -> None:
    result = result_of(ExecChecker(command="true", **settings))

    assert (result.status, result.failure) == (Status.UNKNOWN, "config")


@pytest.mark.row("45")
@pytest.mark.parametrize("limit", [pytest.param(errno.EMFILE, id="no-descriptor-left")])
def test_lack_of_resources_is_unknown(limit: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
    try:
        with pytest.raises(CheckUnknownError) as raised:
            run_process(["true"], {}, "", Deadline.after(5))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert raised.value.failure == "resource"
    assert isinstance(raised.value.__cause__, OSError)
    assert raised.value.__cause__.errno == limit


@pytest.mark.row("168")
def test_no_shell_expands_the_arguments(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    checker = ExecChecker(command="echo", arguments=(f"; touch {trap}", "$HOME", "*"))

    assert attempt_of(checker).error == ""
    assert not trap.exists()


@pytest.mark.parametrize(
    ("text", "lasts"),
    [pytest.param("exit 0", True, id="after-0"), pytest.param("exit 1", False, id="not-after-1")],
)
def test_pause_comes_after_exit_status_0(text: str, lasts: bool) -> None:
    checker = shell(text, attempt_spacing=300 * MILLISECOND)

    assert bool(checker.pause_after(attempt_of(checker))) is lasts
    assert checker.pause_after(Attempt(error="x", failure="output_mismatch"))


@pytest.mark.row("83")
def test_where_no_programs_are_run_it_is_unknown(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    checker = shell(f"touch {trap}", name="Backup", id="backup").with_context(NOWHERE)

    result = result_of(checker)

    assert (result.status, result.failure) == (Status.UNKNOWN, "unsupported")
    assert result.error == "exec checkers are not supported on AWS Lambda"
    assert (result.id, result.title, result.kind) == ("backup", "Backup", "exec")
    assert not trap.exists()
