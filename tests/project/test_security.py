"""AWS knows each command of the page about security, and no library has a known hole."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from checkup.app import read_config
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from tests.project.holes import LOCKS, judged

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
LINES = [line for script in SCRIPTS[1:] for line in script.splitlines()]
COMMANDS = [line for line in LINES if not line.startswith("#")]
SERVICES = {"s3api": "s3"}
GLOBAL = {"query", "output"}
OF_THE_PROGRAM = {("logs", "tail"): {"since", "filter-pattern"}}
"""Commands that the AWS CLI has beside those of the services."""


def words(command: str) -> list[str]:
    """Return the words of a command, with a word for whatever the shell puts in."""
    return shlex.split(re.sub(r'"\$\([^)]*\)"', "word", command))


@pytest.mark.parametrize("command", [it for it in COMMANDS if it.startswith("aws ")], ids=count())
def test_command_is_one_that_aws_knows(command: str) -> None:
    _, service, verb, *rest = words(command)
    options = {word[2:] for word in rest if word.startswith("--")} - GLOBAL
    if (service, verb) in OF_THE_PROGRAM:
        assert options == OF_THE_PROGRAM[service, verb]
        return
    model = get_session().get_service_model(SERVICES.get(service, service))
    operation = next(it for it in model.operation_names if xform_name(it, "-") == verb)
    shape: Any = model.operation_model(operation).input_shape
    known = {xform_name(name, "-") for name in shape.members}
    assert options <= known
    assert {xform_name(name, "-") for name in shape.required_members} <= options


def test_right_is_tried_on_what_it_would_be_for() -> None:
    """Else AWS tries it on `*`, for which no right to a single bucket or function counts."""
    tried = [it for it in COMMANDS if "simulate-principal-policy" in it]
    assert tried
    assert [it for it in tried if "--resource-arns" not in it] == []


def test_every_command_has_its_answer_and_uses_names_that_the_page_sets() -> None:
    names = set(re.findall(r"^([A-Z_]+)=", SCRIPTS[0], re.MULTILINE))
    assert len(COMMANDS) > 20
    for command, answer in pairwise([*LINES, ""]):
        if command in COMMANDS:
            assert answer.startswith("# "), command
            assert set(re.findall(r"\$\{?([A-Z_]+)", command)) <= names, command


def test_commands_are_good_shell(tmp_path: Path) -> None:
    script = tmp_path / "commands.sh"
    script.write_text("\n".join(SCRIPTS))
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


FLOORS = {"urllib3": (2, 6, 3), "requests": (2, 32, 4), "jinja2": (3, 1, 5), "pyyaml": (6, 0, 2)}
"""Before these there were holes that concern what we do with them."""


def versions(pattern: str, *texts: str) -> dict[str, tuple[int, ...]]:
    """Return the version of each library that a pattern finds at the beginning of a line."""
    return {
        name: tuple(map(int, text.split(".")))
        for lines in texts
        for name, text in re.findall(pattern, lines, re.MULTILINE)
    }


@pytest.mark.row("S9.2")
def test_libraries_are_above_what_had_holes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = versions(r"^([a-z0-9-]+)==([0-9.]+\d)", *(lock.read_text() for lock in LOCKS))
    lowest = versions(r"^([a-z0-9-]+)>=([0-9.]+\d)", *project["dependencies"])
    for name, floor in FLOORS.items():
        assert floor <= lowest[name] <= locked[name]


def library(name: str, *holes: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [*holes]}


@pytest.mark.row("S9.2")
def test_hole_is_named_with_what_mends_it() -> None:
    hole = {"id": "CVE-2099-1", "aliases": ["GHSA-x"], "fix_versions": ["1.1"]}
    answer = judged([library("good"), library("bad", hole)])
    assert answer == (2, (), ("bad 1.0: CVE-2099-1, mended by 1.1",))


@pytest.mark.row("S9.2")
def test_library_that_was_not_asked_about_is_not_taken_for_sound() -> None:
    answer = judged([library("good"), {"name": "other", "skip_reason": "not found"}])
    assert answer == (1, ("not found",), ())


@pytest.mark.row("S9.4")
def test_no_workflow_uses_actions_of_others_unless_they_are_pinned() -> None:
    workflows = [file.read_text() for file in (ROOT / ".github").rglob("*.y*ml")]
    used = [it for text in workflows for it in re.findall(r"uses:\s*(\S+)", text)]
    assert [it for it in used if not re.search(r"@[0-9a-f]{40}$", it)] == []
    assert "uses:" not in (ROOT / ".ci" / "run").read_text()


@pytest.mark.row("S6.4")
def test_what_could_do_harm_is_off_by_default(tmp_path: Path) -> None:
    file = tmp_path / "checkup.json"
    file.write_text(
        '{"checkers": [{"type": "http", "endpoint_url": "https://a.test/"},'
        '{"type": "exec", "endpoint_name": "b", "command": "/bin/true"}]}'
    )
    http, program = read(file)
    assert (http.follow_redirects, http.tls_skip_verify, http.proxy) == (0, False, "")
    assert not program.show_output
    assert program.attempt(Deadline.after(5)).error == ""
    _, refused = read(file, AWS_LAMBDA_FUNCTION_NAME="check", STATE_BUCKET="state")
    with pytest.raises(CheckUnknownError, match="not supported"):
        refused.attempt(Deadline.after(5))


def read(file: Path, **environ: str) -> Sequence[Any]:
    return read_config(str(file), environ).checkers
