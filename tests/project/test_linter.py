"""Bandit's checks, made by ruff: on for all that is delivered, no exception without a reason."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("layers/core/checkup", "statuspage/checkup_page", "functions")
SOURCES = [file for folder in PRODUCT for file in (ROOT / folder).rglob("*.py")]
RUFF = Path(sys.executable).with_name("ruff")
HARMFUL = {
    "S102": "exec('1')",
    "S301": "import pickle\npickle.loads(b'')",
    "S302": "import marshal\nmarshal.loads(b'')",
    "S307": "eval('1')",
    "S501": "import requests\nrequests.get('https://a.test', verify=False, timeout=1)",
    "S506": "import yaml\nyaml.load('a')",
    "S602": "import subprocess\nsubprocess.run('ls ' + input(), shell=True, check=True)",
    "S604": "run('ls', shell=True)",
    "S605": "import os\nos.system('ls ' + input())",
    "S606": "import os\nos.execv('/bin/ls', ['ls'])",
    "S607": "import subprocess\nsubprocess.run(['ls'], check=True)",
    "S701": "import jinja2\njinja2.Environment()",
}
"""What bandit's checks are for, by their numbers in ruff (B602 is S602)."""

BY_FILE = re.compile(r"#\s*ruff:\s*noqa|#\s*flake8:\s*noqa")
NOQA = re.compile(r"#\s*noqa: ((?:[A-Z]+[0-9]+(?:, ?)?)+)(.*)")
REASON = re.compile(r"\s+-\s+\w")


def found_by_ruff(folder: str, text: str) -> set[str]:
    """Return the rules that a file of this text would break in a folder of the product."""
    name = f"{folder}/somewhere/new.py"
    command = [
        str(RUFF),
        "check",
        "--no-cache",
        "--output-format=concise",
        "--stdin-filename",
        name,
    ]
    done = subprocess.run(
        [*command, "-"], cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    return set(re.findall(r": ([A-Z]+\d+) ", done.stdout))


@pytest.mark.row("S1.2", "S8")
@pytest.mark.parametrize("folder", PRODUCT)
def test_linter_finds_shells_and_whatever_runs_what_was_read(folder: str) -> None:
    found = found_by_ruff(folder, "\n".join(HARMFUL.values()))
    assert HARMFUL.keys() - found == set()


@pytest.mark.row("S1.2", "S8")
def test_nothing_switches_the_linter_off_for_the_product() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert settings["select"] == ["ALL"]
    exempt = {
        files: rules for files, rules in settings["per-file-ignores"].items() if is_security(rules)
    }
    assert not is_security(settings["ignore"])
    assert set(exempt) == {"bench/*", "examples/*", "tests/*"}
    assert not [file for file in SOURCES if BY_FILE.search(file.read_text())]


def is_security(rules: list[str]) -> bool:
    return any(re.fullmatch(r"S\d*|ALL", rule) for rule in rules)


def comments(file: Path) -> Iterator[str]:
    """Yield the comments of a module."""
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text()).readline)
    return (token.string for token in tokens if token.type == tokenize.COMMENT)


@pytest.mark.row("S1.2", "S8")
def test_every_exception_from_bandits_checks_says_why() -> None:
    found = [it for file in SOURCES for text in comments(file) for it in NOQA.finditer(text)]
    exceptions = [match for match in found if is_security(match[1].split(", "))]
    assert len(exceptions) > 10
    assert [match[0] for match in exceptions if not REASON.match(match[2])] == []
