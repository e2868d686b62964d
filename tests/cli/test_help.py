"""Help, version and completion."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from checkup import __version__
from checkup.cli.commands import COMMANDS
from tests.cli.program import SCRIPT, Program

GO_COMMANDS = ("every", "message", "provision", "serve", "help")
CHECKER = {"type": "tcp", "endpoint_name": "Web Shop", "endpoint_url": "127.0.0.1:80"}


@pytest.mark.row("E26")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-h"], id="h"),
        pytest.param(["--help"], id="help"),
        pytest.param(["help"], id="command"),
        pytest.param(["-v", "-c", "x", "-h"], id="among-others"),
    ],
)
def test_help_lists_commands_and_flags(checkup: Program, arguments: list[str]) -> None:
    ended = checkup(*arguments)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert all(re.search(rf"^  {name} ", ended.stdout, re.MULTILINE) for name in GO_COMMANDS)
    assert all(f in ended.stdout for f in ("--config", "--store", "--json", "-v", "--version"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(checkup: Program, command: str) -> None:
    asked, told = checkup(command, "-h"), checkup("help", command)

    assert (asked.returncode, asked.stderr) == (0, "")
    assert told.stdout == asked.stdout
    assert asked.stdout.startswith(f"Usage: checkup {command}")
    examples = asked.stdout.partition("Examples:\n")[2]
    assert f"checkup {command}" in examples or f" {command} " in examples


@pytest.mark.parametrize("arguments", [["--version"], ["-c", "x", "--version"]])
def test_version(checkup: Program, arguments: list[str]) -> None:
    ended = checkup(*arguments)

    assert (ended.returncode, ended.stdout) == (0, f"checkup {__version__}\n")


def test_version_imports_nothing_that_is_slow(checkup: Program) -> None:
    """The modules are counted, for the time depends on what else the machine does."""
    code = "import sys; from checkup.cli import main; main(); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code, "--version"],
        env=checkup.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    version, modules = ended.stdout.splitlines()
    ours = {name for name in modules.split() if name.startswith("checkup")}
    assert version == f"checkup {__version__}"
    assert ours == {"checkup", "checkup.cli"}
    slow = {"boto3", "botocore", "click", "dns", "jinja2", "msgspec", "requests", "urllib3"}
    assert not slow & set(modules.split())


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param(["-h"], {}, id="help"),
        pytest.param([], {"COMP_WORDS": "checkup --st", "COMP_CWORD": "1"}, id="tab"),
    ],
)
def test_list_of_commands_imports_none_of_them(
    checkup: Program, arguments: list[str], environment: dict[str, str]
) -> None:
    code = (
        "import sys, atexit; from checkup.cli import main;"
        "atexit.register(lambda: print(*sys.modules)); main()"
    )
    completing = {"_CHECKUP_COMPLETE": "bash_complete"} if environment else {}
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=checkup.environment | environment | completing,
        cwd=checkup.folder,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    modules = set(ended.stdout.splitlines()[-1].split())
    assert "checkup.cli.commands" in modules
    assert (
        not {"checkup.checkers.runner", "checkup.config.load", "checkup_page", "yaml", "jinja2"}
        & modules
    )


def test_look_needs_neither_aws_nor_templates(checkup: Program) -> None:
    checkup.write({"checkers": [{**CHECKER, "endpoint_url": "127.0.0.1:1"}]})
    code = "import sys; from checkup.cli import main; main(); print(*sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=checkup.folder,
        env=checkup.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    modules = set(ended.stdout.splitlines()[-1].split())
    assert "checkup.checkers.runner" in modules
    assert not {"boto3", "botocore", "jinja2", "dns", "checkup_page"} & modules


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_script(checkup: Program, shell: str) -> None:
    ended = checkup("completion", shell)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"_CHECKUP_COMPLETE={shell}_complete" in ended.stdout


def test_completion_of_another_shell_names_those_there_are(checkup: Program) -> None:
    ended = checkup("completion", "tcsh")

    assert ended.returncode == 1
    assert "bash, zsh, fish" in ended.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        pytest.param("checkup ev", {"every"}, id="command"),
        pytest.param("checkup we", {"web-shop"}, id="checker"),
        pytest.param("checkup --sto", {"--store"}, id="flag"),
        pytest.param("checkup -c checkup.json WE", {"web-shop"}, id="after-a-flag"),
        pytest.param("checkup web-shop ev", set(), id="no-command-after-a-checker"),
        pytest.param("checkup message text --about we", {"web-shop"}, id="about"),
        pytest.param("checkup -c nowhere.json we", set(), id="no-file"),
        pytest.param("checkup -c nowhere.json pag", {"page"}, id="commands-without-a-file"),
    ],
)
def test_completion_offers_commands_flags_and_checkers(
    checkup: Program, typed: str, offered: set[str]
) -> None:
    checkup.write({"checkers": [CHECKER]})
    count = len(typed.split()) - 1

    ended = checkup(_CHECKUP_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(count))

    assert {line.partition(",")[2] for line in ended.stdout.split()} == offered
    assert ended.stderr == ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_with_the_script(checkup: Program) -> None:
    script = f"""
        PATH={SCRIPT.parent}:$PATH
        eval "$(checkup completion bash)"
        COMP_WORDS=(checkup val) COMP_CWORD=1
        _checkup_completion checkup
        echo "${{COMPREPLY[@]}}"
    """
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=checkup.folder,
        env=checkup.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert ended.stdout.split() == ["validate"]
