"""``checkup validate``: everything that is wrong, at once."""

from __future__ import annotations

import json
import re
from datetime import date
from importlib.resources import files

import pytest

from checkup.cli.stack import PYTHON_DEPRECATED, retiring_python
from tests.cli.program import Program

CHECKER = {"type": "tcp", "endpoint_name": "db", "endpoint_url": "127.0.0.1:5432"}


def test_good_file_is_summed_up_in_one_line(checkup: Program) -> None:
    http = [
        {"type": "http", "endpoint_name": title, "endpoint_url": "http://127.0.0.1"}
        for title in ("api", "shop")
    ]
    checkup.write({"checkers": [CHECKER, *http], "storage": {"type": "fs", "dir": "checks"}})

    ended = checkup("validate")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == (
        "checkup.json: no warnings; 3 checkers (tcp, 2 http), storage: fs, notifiers: none\n"
    )


def test_every_problem_has_its_place_key_and_fix(checkup: Program) -> None:
    (checkup.folder / "checkup.json").write_text(
        '{"checkers": [\n'
        '  {"type": "htpp"},\n'
        '  {"color": 1, "type": "tcp", "endpoint_name": "a",'
        ' "endpoint_url": "a:1", "attempts": "x"}\n'
        "]}\n"
    )

    ended = checkup("validate")

    assert ended.returncode == 1
    first, warning, second, count = ended.stdout.splitlines()
    assert re.match(r"checkup\.json:2:\d+: checkers\[0\]\.type: unknown checker type: htpp", first)
    assert re.match(r"checkup\.json:3:\d+: checkers\[1\]\.attempts: ", second)
    assert re.match(r"checkup\.json:3:\d+: checkers\[1\]\.color: .+ \(warning\)$", warning)
    assert count == "2 problems, 1 warning"


def test_warnings_fail_only_if_that_is_wanted(checkup: Program) -> None:
    checkup.write({"checkers": [CHECKER], "chekcers": []})

    lenient, strict = checkup("validate"), checkup("validate", "--strict")

    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert lenient.stdout == strict.stdout
    assert lenient.stdout.startswith("checkup.json:")
    assert "chekcers" in lenient.stdout
    assert "checkup.json: 1 warning; 1 checker (tcp), storage: none" in lenient.stdout


def test_nothing_is_opened(checkup: Program) -> None:
    storage = {"type": "fs", "dir": "checks"}
    checkup.write({"checkers": [CHECKER], "storage": storage})

    checkup("validate")

    assert [path.name for path in checkup.folder.iterdir()] == ["checkup.json"]


def test_configuration_without_checkers_is_a_warning(checkup: Program) -> None:
    checkup.write({"storage": {"type": "fs", "dir": "checks"}})

    lenient, strict = checkup("validate"), checkup("validate", "--strict")

    assert (lenient.returncode, strict.returncode) == (0, 1)
    assert lenient.stdout.startswith("checkup.json:1:1: checkers: nothing is checked; add ")


def test_dates_of_aws_are_those_of_cfn_lint() -> None:
    known = files("cfnlint.data.AdditionalSpecs").joinpath("LmbdRuntimeLifecycle.json")
    lifecycles = json.loads(known.read_text(encoding="utf-8"))

    for runtime, until in PYTHON_DEPRECATED.items():
        assert lifecycles[runtime]["deprecated"] == str(until)


@pytest.mark.parametrize(
    ("today", "text"),
    [
        ("2026-12-31", None),
        ("2027-01-01", "AWS Lambda deprecates python3.11 on 2027-06-30"),
        ("2027-07-01", "AWS Lambda deprecated python3.11 on 2027-06-30"),
    ],
)
def test_python_that_aws_retires_within_half_a_year_is_a_warning(
    today: str, text: str | None
) -> None:
    found = retiring_python("python3.11", date.fromisoformat(today))

    assert found == (text and (text, "deploy with PythonRuntime=python3.14"))
    assert retiring_python("python9.9", date.fromisoformat(today)) is None
