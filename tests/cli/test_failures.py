"""What a user sees when something goes wrong that should not."""

from __future__ import annotations

import re
import signal

import pytest

from checkup.cli import process
from checkup.cli.options import VERBOSE
from tests.cli.program import Program, wait_until
from tests.cli.service import Service

ADDRESS = "https://user:CANARY@hooks.slack.test/?key=CANARY"


def fail() -> None:
    raise RuntimeError(f"could not reach {ADDRESS}")


def test_unexpected_error_is_one_line_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    with process.handle_errors() as outcome:
        fail()

    _, stderr = capsys.readouterr()
    line = r"\S+ \S+ internal error: RuntimeError at test_failures\.py:\d+; run it with -v .+\n"
    assert outcome.code == 1
    assert re.fullmatch(line, stderr)


def test_unexpected_error_with_v_has_its_way_and_no_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with process.handle_errors() as outcome:
        outcome.meta[VERBOSE] = True
        fail()

    _, stderr = capsys.readouterr()
    assert "could not reach https://user:***@hooks.slack.test/?key=***" in stderr
    assert "in fail" in stderr
    assert "CANARY" not in stderr


def test_notes_of_one_command_are_not_those_of_the_next() -> None:
    with process.handle_errors() as outcome:
        outcome.meta[VERBOSE] = True

    with process.handle_errors() as other:
        assert other.meta == {}


def test_interrupt_ends_a_look_without_a_word(checkup: Program, service: Service) -> None:
    service.delay = 600
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": service.url}
    checkup.write(
        {"checkers": [{**checker, "timeout": "20m"}], "run_deadline": "21m", "interval": "1h"}
    )

    with checkup.start() as process:
        wait_until(lambda: service.requests)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout, stderr) == (130, "", "")


def test_storage_that_fails_is_an_error_of_one_line(checkup: Program, service: Service) -> None:
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": service.url}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})
    (checkup.folder / "checks").write_text("in the way")

    ended = checkup("--store")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "checks" in ended.stderr
    assert "internal error" not in ended.stderr


@pytest.mark.row("159")
def test_secret_in_an_address_is_never_shown(checkup: Program, service: Service) -> None:
    url = f"http://user:CANARY@127.0.0.1:{service.port}/?key=${{KEY}}"
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": url, "up_status": 418}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})

    shown = [checkup(*flags, KEY="CANARY") for flags in ([], ["-v"], ["--json"], ["--store", "-v"])]
    shown.append(checkup("validate", KEY="CANARY"))

    assert "CANARY" not in "".join(ended.stdout + ended.stderr for ended in shown)
    assert "user:***@" in shown[0].stdout
