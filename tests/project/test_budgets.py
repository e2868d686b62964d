"""Benchmarks measure what docs/budgets.md promises, and a missed budget is not passed over."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.budgets import last_seen, load
from tests.papers import budgets

ROOT = Path(__file__).parent.parent.parent
BENCH = ROOT / "bench"
ROWS = ["1", "2", "2b", "3", "4", "4b", *map(str, range(5, 17))]
TOY = """
[first]
row = "1"
bench = "a"
measure = "the first"
must = 2
reach = 1

[second]
row = "2"
bench = "b"
measure = "the second"
must = 2
reach = 1
unit = "s"
"""
NOT_BUILT = """
[third]
row = "3"
measure = "the third"
must = 2
reach = 1
"""
FIGURE = "from budgets import Table; table = Table(); table.row({!r}, {}); table.end()"
CRASH = "from budgets import Table; table = Table(); table.row('first', 1); print(1 / 0)"
SKIP = "from budgets import Table; Table().end()"


def test_page_has_the_numbers_that_the_benchmarks_use() -> None:
    page = (ROOT / budgets.PAGE).read_text(encoding="utf-8")
    assert page == budgets.page(), "run: make papers"


def test_every_row_of_the_table_is_there_in_order() -> None:
    rows = [budget.row for budget in load().values() if budget.row]
    assert list(dict.fromkeys(rows)) == ROWS


def test_what_is_to_be_reached_is_no_more_than_what_must_be_kept() -> None:
    assert [name for name, it in load().items() if it.reach > it.must] == []


def test_figures_that_were_kept_have_a_budget() -> None:
    assert last_seen().keys() - load().keys() == set()


@pytest.mark.parametrize("file", sorted(BENCH.glob("bench_*.py")), ids=lambda file: file.stem)
def test_benchmark_measures_its_budgets_and_has_no_numbers_of_its_own(file: Path) -> None:
    calls = [
        node
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "row"
    ]
    names = [call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)]
    bench = file.stem.removeprefix("bench_")

    assert len(names) == len(calls)
    assert all(len(call.args) == 2 and not call.keywords for call in calls)
    assert sorted(map(str, names)) == sorted(n for n, it in load().items() if it.bench == bench)


def test_every_budget_has_a_benchmark_or_is_not_built() -> None:
    files = {file.stem.removeprefix("bench_") for file in BENCH.glob("bench_*.py")}
    assert {it.bench for it in load().values()} - files == {""}


def run(folder: Path, table: str, benchmarks: dict[str, str], *options: str) -> tuple[int, str]:
    """Run benchmarks of a test's own as `make bench` does; return exit code and output."""
    for name in ("run.py", "budgets.py"):
        shutil.copy(BENCH / name, folder)
    (folder / "budgets.toml").write_text(table)
    (folder / "seen.json").write_text('{"second": 7.0}')
    for name, text in benchmarks.items():
        (folder / f"bench_{name}.py").write_text(text)
    command = [sys.executable, str(folder / "run.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_budgets_that_are_kept_pass(tmp_path: Path) -> None:
    both = {"a": FIGURE.format("first", 1), "b": FIGURE.format("second", 1.5)}
    code, output = run(tmp_path, TOY, both)

    *_, first, second = output.splitlines()
    assert code == 0
    assert first.split() == ["1", "1", "2", "1", "reached", "the", "first"]
    assert second.split() == ["2", "1.5", "s", "2", "s", "1", "s", "kept", "the", "second"]


def test_missed_budget_fails_after_all_benchmarks_have_run(tmp_path: Path) -> None:
    both = {"a": FIGURE.format("first", 2.1), "b": FIGURE.format("second", 1)}
    code, output = run(tmp_path, TOY, both)

    assert code == 1
    assert "missed: first\n" in output
    assert "reached           the second\n" in output.partition("measure\n")[2]
    assert "failed" not in output


def test_benchmark_that_crashes_fails_after_the_others_have_run(tmp_path: Path) -> None:
    code, output = run(tmp_path, TOY, {"a": CRASH, "b": FIGURE.format("second", 1)})

    assert code == 1
    assert "failed: a\n" in output
    assert "reached           the second\n" in output.partition("measure\n")[2]


def test_budget_without_a_figure_is_not_measured_and_not_missed(tmp_path: Path) -> None:
    code, output = run(tmp_path, TOY, {"a": SKIP, "b": FIGURE.format("second", 1)})

    assert code == 0
    assert "not measured: first\n" in output


def test_what_is_not_built_is_missed_unless_only_others_are_asked_for(tmp_path: Path) -> None:
    both = {"a": FIGURE.format("first", 1), "b": FIGURE.format("second", 1)}
    code, output = run(tmp_path, TOY + NOT_BUILT, both)

    assert code == 1
    assert "missed: not built the third\n" in output
    assert run(tmp_path, TOY + NOT_BUILT, both, "a")[0] == 0


def test_what_never_happened_is_missed(tmp_path: Path) -> None:
    never = FIGURE.format("first", "float('inf')")
    code, output = run(tmp_path, TOY, {"a": never, "b": FIGURE.format("second", 1)})

    assert code == 1
    assert "never" in output


def test_figures_are_kept_when_that_is_asked_for(tmp_path: Path) -> None:
    toys = {"a": FIGURE.format("first", 2.123456), "b": FIGURE.format("second", 1)}
    run(tmp_path, TOY, toys, "a")
    assert (tmp_path / "seen.json").read_text() == '{"second": 7.0}'

    run(tmp_path, TOY, toys, "--keep", "a")
    assert (tmp_path / "seen.json").read_text() == '{\n  "second": 7.0,\n  "first": 2.123\n}\n'
