"""Standard streams that are full, closed or one and the same file."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.program import PATIENCE, SCRIPT, Ended, Program, wait_until

FULL = Path("/dev/full")

full_device = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
buffering = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])

CHECKER = {"type": "tcp", "endpoint_name": "Nobody", "endpoint_url": "127.0.0.1:1", "recheck": 0}


@pytest.fixture
def checkup(checkup: Program) -> Program:
    """A program with a service that is down and a key that is warned of."""
    storage = {"type": "fs", "dir": "checks"}
    checkup.write({"checkers": [{**CHECKER, "color": "red"}], "storage": storage})
    return checkup


def shell(checkup: Program, line: str, **environment: str) -> Ended:
    """Run a line of shell in which ``$0`` is the program."""
    return subprocess.run(
        ["sh", "-c", line, str(SCRIPT)],
        cwd=checkup.folder,
        env=checkup.environment | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


@full_device
@buffering
@pytest.mark.parametrize(
    "words", ["", "-v", "--json", "--store -v", "--version", "-h", "help every", "validate"]
)
def test_output_that_cannot_be_written_is_an_error(
    checkup: Program, words: str, unbuffered: str
) -> None:
    ended = shell(checkup, f'exec "$0" {words} >/dev/full', PYTHONUNBUFFERED=unbuffered)

    assert ended.returncode == 1
    assert ended.stderr.endswith(" the output cannot be written: No space left on device\n")
    assert "internal error" not in ended.stderr
    assert "Traceback" not in ended.stderr


@full_device
@buffering
def test_words_that_cannot_be_written_change_nothing_else(
    checkup: Program, unbuffered: str
) -> None:
    stored = shell(checkup, 'exec "$0" --store -v 2>/dev/full', PYTHONUNBUFFERED=unbuffered)
    printed = shell(checkup, 'exec "$0" --json 2>/dev/full', PYTHONUNBUFFERED=unbuffered)

    assert stored.returncode == 0
    assert [result["title"] for result in json.loads(printed.stdout)] == ["Nobody"]


@full_device
def test_every_goes_on_when_its_words_cannot_be_written(checkup: Program) -> None:
    in_the_way = checkup.folder / "checks"
    in_the_way.write_text("no folder, so that each run fails and has something to say")
    with (
        FULL.open("wb") as full,
        subprocess.Popen(
            [SCRIPT, "every", "0.2s"], cwd=checkup.folder, env=checkup.environment, stderr=full
        ) as process,
    ):
        try:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
            in_the_way.unlink()
            wait_until(checkup.runs)
        finally:
            process.terminate()
            assert process.wait(PATIENCE) == 0


def test_closed_stderr_leaves_the_array_alone_on_stdout(checkup: Program) -> None:
    ended = shell(checkup, 'exec "$0" --json 2>&-')

    assert ended.stdout.startswith('[{"title":"Nobody"')
    assert len(json.loads(ended.stdout)) == 1


def test_no_file_takes_the_place_of_a_closed_stream(checkup: Program) -> None:
    tell = {"type": "exec", "endpoint_name": "Told", "command": "sh"}
    words = "echo spoken; echo cried >&2"
    storage = {"type": "fs", "dir": "checks"}
    checkup.write({"checkers": [{**tell, "arguments": ["-c", words]}], "storage": storage})

    ended = shell(checkup, 'exec "$0" --store -v <&- >&- 2>&-')

    assert ended.returncode == 0
    stored = [path for path in checkup.folder.rglob("*") if path.is_file()]
    assert [path.name for path in stored if b"spoken" in path.read_bytes()] == ["checkup.json"]
    assert [path.name for path in stored if b"cried" in path.read_bytes()] == ["checkup.json"]
    assert len(json.loads(checkup.runs()[0].read_bytes())) == 1


def test_reasons_follow_the_blocks_where_both_go_to_one_file(checkup: Program) -> None:
    shell(checkup, 'exec "$0" -v >both 2>&1')

    written = (checkup.folder / "both").read_text()
    assert written.index(" Assessment: down") < written.index("Nobody: down (connect_refused)")
