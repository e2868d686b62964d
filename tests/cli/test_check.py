"""``checkup``: what a look prints, and how it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import gofile
from tests.cli.program import SCRIPT, Program
from tests.cli.service import Service, closed_port

LINE = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d .+")
BLOCK = re.compile(
    r"== (?P<title>.*) - (?P<endpoint>.*)\n"
    r"  Threshold: \S+\n        Max: \S+\n        Min: \S+\n     Median: \S+\n       Mean: \S+\n"
    r"        All: \[(?P<all>.*)\]\n Assessment: (?P<status>\w+)\n\n"
)
STORAGE = {"type": "fs", "dir": "checks"}


def http(title: str, url: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "endpoint_name": title, "endpoint_url": url, **more}


def down(title: str) -> dict[str, Any]:
    return http(title, f"http://127.0.0.1:{closed_port()}")


def test_results_are_printed_in_the_order_of_the_file(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("b", service.url), down("gone"), http("a", service.url)]})

    ended = checkup()

    blocks = list(BLOCK.finditer(ended.stdout))
    assert "".join(block[0] for block in blocks) == ended.stdout
    assert [block["title"] for block in blocks] == ["b", "gone", "a"]
    assert [block["status"] for block in blocks] == ["healthy", "down", "healthy"]
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.row("E07")
@pytest.mark.parametrize(
    ("extra", "code"),
    [
        pytest.param({}, 0, id="healthy"),
        pytest.param({"threshold_rtt": 1}, 1, id="degraded"),
        pytest.param({"up_status": 418}, 1, id="down"),
    ],
)
def test_exit_code_is_0_only_if_all_are_healthy(
    checkup: Program, service: Service, extra: dict[str, Any], code: int
) -> None:
    checkup.write({"checkers": [http("fine", service.url), http("api", service.url, **extra)]})

    assert checkup().returncode == code


def test_no_checkers_print_nothing_and_are_fine(checkup: Program) -> None:
    checkup.write({})

    ended = checkup()

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


VECTORS = {
    0: "0s",
    1: "1ns",
    999: "999ns",
    1000: "1µs",
    1500: "1.5µs",
    999_999: "999.999µs",
    1_000_000: "1ms",
    1_234_567: "1.234567ms",
    500_000_000: "500ms",
    999_999_999: "999.999999ms",
    1_000_000_000: "1s",
    1_500_000_000: "1.5s",
    60_000_000_000: "1m0s",
    61_500_000_000: "1m1.5s",
    3_600_000_000_000: "1h0m0s",
    86_400_000_000_000: "24h0m0s",
    1_209_600_000_000_000: "336h0m0s",
    -1_500_000: "-1.5ms",
}


@pytest.mark.row("E03")
@pytest.mark.parametrize("locale", ["C", pytest.param("POSIX", id="2")])
def test_durations_are_written_as_go_does(checkup: Program, service: Service, locale: str) -> None:
    checkup.write({"checkers": [http(str(n), service.url, threshold_rtt=n) for n in VECTORS]})

    ended = checkup(LC_ALL=locale)

    assert re.findall(r"  Threshold: (.*)", ended.stdout) == list(VECTORS.values())


def test_plain_run_stores_nothing(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("api", service.url), down("gone")], "storage": STORAGE})

    ended = checkup()

    assert ended.returncode == 1
    assert [path.name for path in checkup.folder.iterdir()] == ["checkup.json"]
    assert service.requests == 1


@pytest.mark.row("E08")
def test_store_is_silent_and_fine_whatever_it_saw(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("api", service.url), down("gone")], "storage": STORAGE})

    ended = checkup("--store")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    (run,) = checkup.runs()
    results = gofile.read(run.read_bytes())
    assert [result.title for result in results] == ["api", "gone"]


def test_store_with_v_prints_the_blocks_and_explains(checkup: Program) -> None:
    checkup.write({"checkers": [down("gone")], "storage": STORAGE})

    ended = checkup("--store", "-v")

    assert ended.returncode == 0
    assert BLOCK.fullmatch(ended.stdout)
    assert re.search(r"gone: down \(connect_refused\): .+", ended.stderr)


def test_zero_checkers_are_stored_as_an_empty_array(checkup: Program) -> None:
    checkup.write({"storage": STORAGE})

    assert checkup("--store").returncode == 0
    assert [run.read_text() for run in checkup.runs()] == ["[]\n"]


@pytest.mark.row("E09")
def test_store_without_a_storage(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("api", service.url)]})

    ended = checkup("--store")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert LINE.fullmatch(ended.stderr.strip())
    assert ended.stderr.endswith(" no storage configured\n")
    assert service.requests == 0


def test_storing_one_checker_leaves_the_others_as_they_were(
    checkup: Program, service: Service
) -> None:
    checkup.write({"checkers": [http("api", service.url), down("gone")], "storage": STORAGE})
    checkup("--store")
    before = states(checkup.folder)

    ended = checkup("--store", "API")

    assert ended.returncode == 0
    results = gofile.read(checkup.runs()[-1].read_bytes())
    assert [result.title for result in results] == ["api"]
    assert {name: state["status"] for name, state in before.items()} == {
        "api": "healthy",
        "gone": "down",
    }
    assert states(checkup.folder)["gone"] == before["gone"]


def states(folder: Path) -> dict[str, Any]:
    checkers: dict[str, Any] = json.loads((folder / "checks/state/head.json").read_text())[
        "checkers"
    ]
    return checkers


def test_store_looks_again_before_it_says_down(checkup: Program, service: Service) -> None:
    service.status = 500
    checkup.write({"checkers": [http("api", service.url, recheck=1)], "storage": STORAGE})

    checkup("--store")

    assert service.requests == 2


def test_json_is_what_a_run_file_holds_alone_on_stdout(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("b", service.url), down("a")], "unknown_key": 1})

    ended = checkup("--json")

    assert [result.title for result in gofile.read(ended.stdout.encode())] == ["b", "a"]
    assert ended.stdout.count("\n") == 1
    assert "unknown_key" in ended.stderr
    assert ended.returncode == 1


def test_json_of_a_stored_run_is_the_file(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("api", service.url)], "storage": STORAGE})

    ended = checkup("--store", "--json")

    assert [run.read_text() for run in checkup.runs()] == [ended.stdout]


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        pytest.param(["web shop"], ["Web Shop"], id="title"),
        pytest.param(["WEB-SHOP"], ["Web Shop"], id="id"),
        pytest.param(["search", "web-shop"], ["Web Shop", "Search"], id="order-of-the-file"),
        pytest.param(["--", "page"], ["page"], id="named-like-a-command"),
        pytest.param(["search", "page"], ["Search", "page"], id="command-in-second-place"),
    ],
)
def test_words_name_checkers(
    checkup: Program, service: Service, words: list[str], titles: list[str]
) -> None:
    checkers = [http(title, service.url) for title in ("Web Shop", "Search", "page")]
    checkup.write({"checkers": checkers})

    ended = checkup(*words)

    assert [block["title"] for block in BLOCK.finditer(ended.stdout)] == titles


@pytest.mark.row("E10")
@pytest.mark.parametrize(
    ("arguments", "error", "meant"),
    [
        pytest.param(["evry", "1m"], 'unknown command "evry" for "checkup"', "every"),
        pytest.param(["web-shup"], 'unknown command "web-shup"', "web-shop", id="id"),
        pytest.param(["Wep Shop"], 'unknown command "Wep Shop"', "web-shop", id="title"),
        pytest.param(["zzz"], 'unknown command "zzz" for "checkup"', None, id="nothing"),
        pytest.param(["--stor"], "unknown flag: --stor", "--store", id="flag"),
        pytest.param(["every", "--store"], "unknown flag: --store", None, id="of-another"),
        pytest.param(["-x"], "unknown shorthand flag: 'x' in -x", None, id="short"),
        pytest.param(["-c"], "flag needs an argument: -c", None, id="value"),
        pytest.param(["help", "evry"], 'unknown command "evry"', "every", id="help"),
    ],
)
def test_misuse_ends_with_255_and_what_was_meant(
    checkup: Program, arguments: list[str], error: str, meant: str | None
) -> None:
    checkup.write({"checkers": [down("Web Shop")]})

    ended = checkup(*arguments)

    assert (ended.returncode, ended.stdout) == (255, "")
    assert ended.stderr.startswith(f"Error: {error}")
    assert (f"Did you mean this?\n\t{meant}\n" in ended.stderr) == (meant is not None)
    assert ended.stderr.endswith("Run 'checkup --help' for usage.\n")


def test_mistyped_command_is_named_where_there_is_no_file(checkup: Program) -> None:
    ended = checkup("srve")

    assert ended.returncode == 255
    assert "\tserve\n" in ended.stderr


def test_missing_file(checkup: Program) -> None:
    for arguments in (["-c", "nowhere.json"], ["every", "1m", "-c", "nowhere.json"]):
        ended = checkup(*arguments)

        assert (ended.returncode, ended.stdout) == (1, "")
        assert LINE.fullmatch(ended.stderr.strip())
        assert "open nowhere.json: no such file or directory" in ended.stderr


@pytest.mark.row("E27")
def test_every_problem_of_a_file_is_a_line_with_date_and_time(checkup: Program) -> None:
    checkup.write({"checkers": [{"type": "smtp"}, {"type": "telnet"}]})

    ended = checkup()

    lines = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert len(lines) == 2
    assert all(LINE.fullmatch(line) for line in lines)
    assert "unknown checker type: smtp" in lines[0]


@pytest.mark.row("E04", "E05", "E06")
@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        pytest.param(["--format", "go"], {"TERM": "xterm"}, True),
        pytest.param(["--format", "go"], {"TERM": "dumb"}, False),
        pytest.param(["--format", "go"], {"TERM": "xterm", "NO_COLOR": "1"}, False),
        pytest.param(["--format", "go"], {"TERM": "xterm", "NO_COLOR": ""}, True, id="empty"),
        pytest.param(["--json"], {"TERM": "xterm"}, False, id="json"),
    ],
)
def test_colors_on_a_terminal(
    checkup: Program,
    service: Service,
    arguments: list[str],
    environment: dict[str, str],
    *,
    colored: bool,
) -> None:
    checkup.write({"checkers": [http("api", service.url)]})

    shown = on_a_terminal(checkup, arguments, environment)

    assert ("\x1b[32m Assessment: healthy\r\n\x1b[0m\r\n" in shown) == colored
    assert ("\x1b" in shown) == colored


def test_terminal_shows_a_table_the_failures_and_a_summary(checkup: Program) -> None:
    closed = f"http://127.0.0.1:{closed_port()}/"
    checkup.write({"checkers": [http("Web | shop", closed), http("京都", closed)]})

    shown = on_a_terminal(checkup, [], {"TERM": "dumb"}, code=1)

    rows, failures, counts = shown.replace("\r\n", "\n").rstrip("\n").split("\n\n")
    assert [row.split("  ")[0] for row in rows.splitlines()] == ["Web | shop", "京都"]
    assert failures.splitlines()[0] == "Web | shop: down (connect_refused): connection refused"
    assert counts == "2 checks: 2 down"


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["--format", "go"], "== api - "),
        (["--format", "table"], "api  healthy  "),
        (["--format", "markdown"], "| name | status | time | reason |\n|---|---|--:|---|\n| api |"),
        (["--format", "json"], '[{"title":"api",'),
        (["--json"], '[{"title":"api",'),
        (["--format", "go", "--json"], '[{"title":"api",'),
        ([], "== api - "),
        (["--v"], "== api - "),
        (["--store", "--format", "table"], "api  healthy  "),
    ],
)
def test_format_is_the_one_that_was_asked_for(
    checkup: Program, service: Service, arguments: list[str], first: str
) -> None:
    storage = {"type": "fs", "dir": "checks"}
    checkup.write({"checkers": [http("api", service.url)], "storage": storage})

    ended = checkup(*arguments)

    assert ended.returncode == 0
    assert ended.stdout.startswith(first)


def on_a_terminal(
    checkup: Program, arguments: list[str], environment: dict[str, str], *, code: int = 0
) -> str:
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [SCRIPT, *arguments],
            cwd=checkup.folder,
            env=checkup.environment | environment,
            stdout=theirs,
            timeout=60,
            check=False,
        )
        assert ended.returncode == code
        return os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.row("E04")
@pytest.mark.parametrize("_", [pytest.param(0, id="pipe")])
def test_no_colors_in_a_pipe(checkup: Program, service: Service, _: int) -> None:
    checkup.write({"checkers": [http("api", service.url)]})

    assert "\x1b" not in checkup(TERM="xterm-256color").stdout


def test_reader_that_goes_away_is_no_error(checkup: Program, service: Service) -> None:
    checkup.write({"checkers": [http("api", service.url)]})

    with checkup.start() as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.wait(60) == 141
        assert process.stderr.read() == ""


def test_configured_timestamp_replaces_the_time_of_every_result(
    checkup: Program, service: Service
) -> None:
    checkers = [http("api", service.url), http("shop", service.url)]
    fixed = "1970-01-01T00:00:01Z"
    checkup.write({"checkers": checkers, "storage": STORAGE, "timestamp": fixed})

    shown, stored = checkup("--json"), checkup("--store", "--json")

    for ended in (shown, stored):
        assert [result.timestamp for result in gofile.read(ended.stdout.encode())] == [10**9] * 2
    assert int(checkup.runs()[0].name[:19]) > 10**18


def test_module_is_the_program(checkup: Program) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "checkup.cli", "help"],
        env=checkup.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )

    assert ended.stdout == checkup("help").stdout


def test_when_everything_hangs_everything_is_down_and_nothing_unknown(
    checkup: Program, service: Service
) -> None:
    service.delay = 60
    checkers = [
        {"type": "http", "endpoint_name": f"api {n}", "endpoint_url": service.url, "timeout": "1s"}
        for n in range(40)
    ]
    checkup.write({"checkers": checkers, "run_deadline": "5s"})

    ended = checkup("--json")

    assert [result.get("down") for result in json.loads(ended.stdout)] == [True] * 40
