"""What goes wrong with configurations, by the rows of tests/papers/faults.txt.

Each is a refusal, or a warning that ``validate --strict`` makes one.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from checkup.checkers.runner import run_checks
from checkup.cli.commands import run_cli
from checkup.config import load
from checkup.deadline import Deadline
from checkup.errors import ConfigError
from checkup.model import Status
from tests.config.world import KINDS, Read, Refuse


def tcp(**fields: Any) -> dict[str, Any]:
    return {"type": "tcp", "endpoint_name": "A", "endpoint_url": "127.0.0.1:1", **fields}


def two(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {"checkers": [tcp(**first), tcp(**second)]}


REFUSED = [
    pytest.param(b"not a configuration", "string without", id="prose"),
    pytest.param(b"\xef\xbb\xbf{}", "byte order mark", id="bom"),
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b"\x7fELF\x02\x01\x01\x00\x00", "expected", id="binary"),
    pytest.param("{}".encode("utf-16"), "UTF-16", id="utf16"),
    pytest.param(b'{"checkers": NaN}', "", id="nan"),
    pytest.param(b'{"interval": "-1m"}', "must be greater than 0", id="negative"),
    pytest.param(b'{"interval": 0}', "must be greater than 0", id="zero"),
    pytest.param(json.dumps({"checkers": [tcp(attempts=10**30)]}).encode(), "64 bits", id="huge"),
    pytest.param(json.dumps(two({"id": "a"}, {"id": "A"})).encode(), "is already used", id="ids"),
    pytest.param(
        json.dumps({"checkers": [tcp(timeout="ten")]}).encode(),
        "not a duration",
        id="words",
    ),
    pytest.param(
        json.dumps({"checkers": [tcp(timeout="10")]}).encode(),
        "not a duration",
        id="no-unit",
    ),
]

WARNED = [
    pytest.param({"checkers": [tcp(tiemout="5s")]}, "timeout", id="key"),
    pytest.param({"chekcers": []}, "checkers", id="section"),
    pytest.param({"checkers": [tcp(timeout=10)]}, "10 nanoseconds", id="nanoseconds"),
    pytest.param(two({}, {}), "has the same title", id="titles"),
    pytest.param(
        two({"endpoint_name": "Caf\u00e9"}, {"endpoint_name": "Cafe\u0301"}),
        "has the same title",
        id="composed-and-decomposed",
    ),
    pytest.param(
        two({"endpoint_name": "API"}, {"endpoint_name": "api"}),
        "has the same title",
        id="case",
    ),
    pytest.param({"checkers": [tcp(attempts=-1)]}, "one attempt is made", id="attempts"),
    pytest.param({"checkers": [tcp(attempts=10**9)]}, "may take", id="1e9-attempts"),
    pytest.param({"checkers": [tcp(timeout="90s")]}, "longer than a run (1m)", id="timeout"),
    pytest.param({"checkers": [tcp(interval="5s")]}, "shorter than", id="interval"),
    pytest.param({"run_deadline": "2m", "interval": "1m"}, "longer than", id="run-deadline"),
    pytest.param(
        {"notifier": {"type": "slack", "webhook": "https://hooks.slack.com/services/T0/B0/x"}},
        "secret in plain text",
        id="webhook",
    ),
    pytest.param(
        {"checkers": [{**tcp(), "type": "http", "endpoint_url": "http://me:word@127.0.0.1:1"}]},
        "password in plain text",
        id="password",
    ),
]


@pytest.mark.row("142", "144", "145", "146")
@pytest.mark.parametrize(("body", "text"), REFUSED)
def test_it_is_refused(refuse: Refuse, body: bytes, text: str) -> None:
    problem, *_ = refuse(body)

    assert text in problem.text
    assert problem.line >= 1
    assert problem.file.endswith("checkup.json")


@pytest.mark.row("142")
@pytest.mark.parametrize("end", [b"\r\n", b"\r"], ids=["crlf", "cr"])
def test_lines_end_as_they_like(refuse: Refuse, end: bytes) -> None:
    lines = [b"{", b' "checkers": [', b'  {"type": "htpp"}', b" ]", b"}"]

    (problem,) = refuse(end.join(lines))

    assert (problem.line, problem.key) == (3, "checkers[0].type")


@pytest.mark.row("143", "144", "145", "146", "151")
@pytest.mark.parametrize(("document", "text"), WARNED)
def test_it_is_a_warning_and_an_error_if_strict(
    document: dict[str, Any],
    text: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps(document))

    (warning,) = load(str(path), KINDS, {}).warnings
    codes = [run_cli(["-c", str(path), "validate", *flags]) for flags in ([], ["--strict"])]

    assert text in str(warning)
    assert codes == [0, 1]
    assert f"{warning} (warning)" in capsys.readouterr().out


@pytest.mark.row("147")
def test_one_bad_checker_takes_no_result_from_the_others(read: Read) -> None:
    bad: dict[str, Any] = {
        "type": "http",
        "endpoint_name": "Bad",
        "endpoint_url": "http://127.0.0.1:1/",
    }
    bad |= {"headers": {"X": "a\nb"}}
    others = [tcp(endpoint_name=f"Good {number}") for number in range(49)]
    config = read({"checkers": [*others[:20], bad, *others[20:]]})

    results = run_checks(config.checkers, deadline=Deadline.after(30), concurrency=5)

    assert len(results) == 50
    assert [result.title for result in results if result.status is Status.UNKNOWN] == ["Bad"]
    assert results[20].failure == "config"


@pytest.mark.row("148")
def test_of_10000_checkers_each_is_read(read: Read) -> None:
    checkers = [tcp(endpoint_name=f"Port {number}") for number in range(10_000)]
    began = time.process_time()

    assert len(read({"checkers": checkers}).checkers) == 10_000
    assert time.process_time() - began < 30


@pytest.mark.row("148")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b" " * 5 * 1024 * 1024 + b"{}", id="5-megabytes"),
        pytest.param(b'{"storage": ' + b"[" * 100_000, id="deep"),
    ],
)
def test_limits_are_stated_and_refused_early(refuse: Refuse, body: bytes) -> None:
    began = time.process_time()
    (problem,) = refuse(body)

    assert "larger than 4 MiB" in problem.text or "more than 100" in problem.text
    assert time.process_time() - began < 10


@pytest.mark.row("148")
def test_long_text_is_a_text(read: Read) -> None:
    long = "x" * 100_000
    assert read({"checkers": [tcp(endpoint_name=long)]}).checkers[0].title == long


@pytest.mark.row("149", "172")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "a: &a [x, x]\n"
            "b0: &b0 [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
            + "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 9)),
            "aliases expand to more than",
            id="alias-bomb",
        ),
        pytest.param(
            "a: !!python/object/apply:os.system [ls]\n",
            "unexpected YAML tag",
            id="tag",
        ),
    ],
)
def test_yaml_builds_and_multiplies_nothing(refuse: Refuse, text: str, said: str) -> None:
    (problem,) = refuse(text, suffix=".yaml")
    assert said in problem.text


@pytest.mark.row("153")
@pytest.mark.parametrize("name", ["missing", "folder"], ids=["missing", "dir"])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(ConfigError, match=f"open .*{name}: (no such file|is a dir)"):
        load(str(tmp_path / name), KINDS, {})
