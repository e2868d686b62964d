"""Exit codes: the same for the same thing in every command, and documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checkup.cli import process
from checkup.cli.commands import COMMANDS, run_cli

PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"

ARGUMENTS = {
    "message": ["text"],
    "every": ["1m"],
    "ping": ["job"],
    "history": ["api"],
    "explain": ["api"],
}
"""What a command cannot do without."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_0(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([command, "-h"]) == 0
    assert "Usage: checkup" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flag_ends_with_255(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli([command, "--no-such-flag"]) == process.EXIT_USAGE
    assert "unknown flag: --no-such-flag" in capsys.readouterr().err


READ_NO_FILE = {
    "init",
    "incident",
    "maintenance",
    "pause",
    "resume",
    "schema",
    "completion",
    "help",
}


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in READ_NO_FILE])
def test_configuration_that_is_not_there_ends_with_1(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_cli([command, "-c", "nowhere.json", *ARGUMENTS.get(command, [])])

    assert code == process.EXIT_FAILURE
    output = capsys.readouterr()
    assert "open nowhere.json: no such file or directory" in output.out + output.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["every"],
        ["every", "soon"],
        ["history"],
        ["history", "api", "--since", "soon"],
        ["history", "api", "b"],
        ["replay", "--set", "x=1"],
        ["silence", "--for", "1h"],
        ["silence", "a", "--for", "soon"],
        ["cost", "--memory", "1"],
        ["cost", "--seconds", "nan"],
        ["incident", "open", "x", "--impact", "huge"],
        ["incident", "list", "--month", "x"],
        ["maintenance", "add", "x", "--for", "soon"],
        ["completion", "tcsh"],
        ["message"],
        ["page", ""],
        ["provision", "nowhere"],
        ["pause"],
    ],
    ids=" ".join,
)
def test_wrong_arguments_and_values_end_with_1(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("checkup.json").write_text('{"storage": {"type": "fs", "dir": "checks"}}')

    assert run_cli(arguments) == process.EXIT_FAILURE
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["incident", "opne"], ["help", "opne"], ["-c"], ["history", "api", "--since"]]
)
def test_unknown_words_and_flags_without_value_end_with_255(arguments: list[str]) -> None:
    assert run_cli(arguments) == process.EXIT_USAGE


def test_every_code_is_documented() -> None:
    page = PAGE.read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| ([0-9]+) \|", page, re.MULTILINE)}
    used = {value for name, value in vars(process).items() if name.startswith("EXIT_")}

    assert used <= documented
    assert {0, 130} <= documented
