"""The page of runs that the Go program stored, and ours as its page reads them."""

from __future__ import annotations

import json
import re
import time
import urllib.request

import pytest

from tests import gofile
from tests.cli.program import Program
from tests.cli.service import Service

FIRST = 1_501_606_923_405_043_499
"""1 August 2017, 17:02 UTC."""
MINUTE = 60_000_000_000
SHOP = gofile.Result(
    title="Example Shop",
    endpoint="http://www.example.com",
    times=[gofile.Attempt(117_995_608), gofile.Attempt(46_557_590)],
    healthy=True,
)
MAIL = gofile.Result(
    title="Example Mail",
    endpoint="www.example.com:25",
    times=[gofile.Attempt(112_201_880, "dial tcp 10.0.0.1:25: i/o timeout")],
    down=True,
    message="We are on it",
)


@pytest.fixture
def of_go(checkup: Program) -> Program:
    """A folder as the Go program leaves it: files of runs, and the index that names them."""
    folder = checkup.folder / "checks"
    folder.mkdir()
    names = {f"{at}-check.json": at for at in range(FIRST, FIRST + 3 * MINUTE, MINUTE)}
    for name in names:
        (folder / name).write_bytes(gofile.write([SHOP, MAIL]))
    (folder / "index.json").write_text(json.dumps(names, separators=(",", ":")))
    checkup.write({"storage": {"type": "fs", "dir": "checks"}})
    return checkup


def assert_shows_the_runs(page: str) -> None:
    assert "Example Shop" in page
    assert "Example Mail" in page
    assert "We are on it" in page
    assert "3 runs since" in page
    assert "1 Aug 2017, 17:04 UTC" in page
    assert "10.0.0.1" not in page


@pytest.mark.row("F13")
def test_folder_of_go_is_shown_on_the_page(of_go: Program) -> None:
    ended = of_go("page", "out")

    assert ended.returncode == 0
    assert "warning: page.url is not set" in ended.stderr
    assert_shows_the_runs((of_go.folder / "out/index.html").read_text())


@pytest.mark.row("F13")
def test_folder_of_go_is_served(of_go: Program) -> None:
    with of_go.start("serve", "--listen", "127.0.0.1:0") as process:
        assert process.stdout is not None
        match = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert match
        with urllib.request.urlopen(match[0], timeout=30) as answer:
            assert_shows_the_runs(answer.read().decode())
        with urllib.request.urlopen(f"{match[0]}index.json", timeout=30) as answer:
            index = gofile.read_index(answer.read())

    assert index == gofile.read_index((of_go.folder / "checks/index.json").read_bytes())


def test_what_go_saw_is_told_to_its_operator(of_go: Program) -> None:
    at = time.time_ns() - MINUTE
    (of_go.folder / "checks" / f"{at}-check.json").write_bytes(gofile.write([SHOP, MAIL]))
    of_go.write(
        {
            "checkers": [
                {"type": "http", "endpoint_name": SHOP.title, "endpoint_url": "http://x/"}
            ],
            "storage": {"type": "fs", "dir": "checks"},
        }
    )
    assert "82.277ms" in of_go("status").stdout
    assert re.search(r"UTC  healthy$", of_go("explain", "example-shop").stdout, re.MULTILINE)


@pytest.mark.row("F12")
def test_folder_of_ours_has_all_that_the_page_of_go_reads(
    checkup: Program, service: Service
) -> None:
    checker = {"type": "http", "endpoint_name": "Web Shop", "endpoint_url": service.url}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})
    for _ in range(2):
        assert checkup("--store").returncode == 0

    index = gofile.read_index((checkup.folder / "checks/index.json").read_bytes())

    assert sorted(index) == [run.name for run in checkup.runs()]
    for name, at in index.items():
        assert abs(at - int(name.removesuffix("-check.json"))) < MINUTE
        (result,) = gofile.read((checkup.folder / "checks" / name).read_bytes())
        assert (result.title, result.endpoint) == ("Web Shop", service.url)
        assert result.healthy
        assert result.timestamp > 0
        assert all(attempt.rtt > 0 for attempt in result.times)
        assert result.times
