"""Whole files: good ones with what is read, bad ones with everything that is said of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from checkup.config import load
from checkup.errors import ConfigError, Problem
from tests.config.compare_corpus import main
from tests.config.world import KINDS

HERE = Path(__file__).parent
ENVIRON = {
    "HOST": "shop.example.com",
    "HOOK": "https://hooks.example.com/T0",
    "SLACK_WEBHOOK": "https://hooks.example.com/T1",
}


def files_in(folder: str) -> list[Any]:
    found = sorted(path for path in (HERE / folder).iterdir() if path.suffix != ".expect")
    return [pytest.param(path, id=path.name) for path in found]


def expectation(path: Path) -> str:
    return path.with_name(f"{path.name}.expect").read_text()


def assert_holds(wanted: Any, found: Any, where: str = "") -> None:
    """Compare what is wanted with what was read, which may say more."""
    if isinstance(wanted, dict) and isinstance(found, Struct):
        for key, part in wanted.items():
            assert_holds(part, getattr(found, key), f"{where}.{key}")
    elif isinstance(wanted, dict):
        assert wanted.keys() == found.keys(), where
        for key, part in wanted.items():
            assert_holds(part, found[key], f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(wanted) == len(found), where
        for index, (part, item) in enumerate(zip(wanted, found, strict=True)):
            assert_holds(part, item, f"{where}[{index}]")
    else:
        assert wanted == found, where


@pytest.mark.parametrize("path", files_in("good"))
def test_good_files_mean_what_is_expected(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    wanted = json.loads(expectation(path))
    config = load(path.name, KINDS, ENVIRON)
    warnings = [str(problem).removeprefix(f"{path.name}:") for problem in config.warnings]
    assert warnings == wanted.pop("warnings")
    assert_holds(wanted, config)


@pytest.mark.parametrize("path", files_in("slips"))
def test_slip_of_a_newcomer_is_explained_at_its_key_with_a_fix(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    try:
        problems: tuple[Problem, ...] = ()
        warnings = load(path.name, KINDS, {}).warnings
    except ConfigError as error:
        warnings, problems = error.warnings, error.problems
    found = [(problem.line, problem.column, str(problem)) for problem in problems]
    found += [(warning.line, warning.column, f"{warning} (warning)") for warning in warnings]
    lines = [line.removeprefix(f"{path.name}:") for *_, line in sorted(found)]
    assert lines == expectation(path).splitlines()


@pytest.mark.parametrize("path", files_in("bad"))
def test_bad_files_are_refused_with_all_their_problems(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with pytest.raises(ConfigError) as caught:
        load(path.name, KINDS, ENVIRON)
    lines = [str(problem).removeprefix(f"{path.name}:") for problem in caught.value.problems]
    kinds = re.compile('(known types:|"type": one of) .*')  # there are more of them by and by
    said = [kinds.sub(r"\1 …", line) for line in lines]
    assert said == expectation(path).splitlines()
    assert not any("s3cret" in line for line in said)


def test_the_usual_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("checkup.json", "{}"), ("checkup.yaml", "{}"), ("checkup.yml", "{}")):
        (tmp_path / name).write_text(text)
        assert load(None, KINDS, {}).path == name
        (tmp_path / name).unlink()


def test_of_two_usual_files_neither_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkup.json").write_text("{}")
    (tmp_path / "checkup.yml").write_text("{}")
    with pytest.raises(ConfigError) as caught:
        load(None, KINDS, {})
    assert str(caught.value) == (
        "checkup.json and checkup.yml exist; keep one, or choose one with -c"
    )
    assert load("checkup.yml", KINDS, {}).path == "checkup.yml"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is a directory"):
        load(str(tmp_path), KINDS, {})


def test_a_file_beyond_the_limit_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "checkup.json"
    path.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match=r"is larger than 4 MiB"):
        load(str(path), KINDS, {})


EXPECTED = {
    "checkers": [{"type": "tcp", "endpoint_name": "A", "endpoint_url": "a:1", "attempts": 2}],
    "storage": {"type": "fs", "dir": "d"},
    "notifiers": [],
    "concurrent_checks": None,
    "timestamp": None,
    "warnings": [],
    "error": None,
}


@pytest.mark.parametrize(
    ("change", "agrees"),
    [
        ({}, True),
        ({"storage": None}, False),
        ({"storage": {"type": "fs", "dir": "e"}}, False),
        ({"storage": {"type": "s3", "dir": "d"}}, False),
        ({"checkers": []}, False),
        ({"checkers": [{"type": "tcp", "endpoint_name": "A", "endpoint_url": "a:1"}]}, False),
        ({"concurrent_checks": 7}, False),
        ({"timestamp": 7}, False),
        ({"notifiers": [{"type": "slack"}]}, False),
        ({"error": "unknown checker type: x"}, False),
        ({"error": "not JSON: // comment"}, True),
        ({"warnings": ["checkers: field 'proxy' is not a field of 'tcp'; ignored"]}, False),
    ],
)
def test_the_comparison_of_two_folders_tells_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], *, agrees: bool
) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "expected").mkdir()
    config = {"checkers": EXPECTED["checkers"], "storage": EXPECTED["storage"]}
    (tmp_path / "configs" / "1.json").write_text(json.dumps(config))
    (tmp_path / "expected" / "1.json").write_text(json.dumps({**EXPECTED, **change}))
    code = main([str(tmp_path / "configs"), str(tmp_path / "expected")])
    assert code == (0 if agrees else 1)
    assert f"{int(agrees)} of 1 agree" in capsys.readouterr().out
