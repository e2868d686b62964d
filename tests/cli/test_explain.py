"""``explain``, ``silence`` and ``replay``: to understand what is announced, and to change it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.alerting.state import STATE_KEY, decode_state
from checkup.model import encode_results
from checkup.storage.folder import FolderStorage
from checkup.times import SECOND
from tests.alerting.worlds import run
from tests.cli.program import Program
from tests.cli.service import closed_port

MINUTE = 60 * SECOND


def write(checkup: Program, **more: Any) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    checkers = [
        {
            "type": "http",
            "id": name,
            "endpoint_name": name.upper(),
            "endpoint_url": address,
            "recheck": 0,
            "attempts": 1,
        }
        for name in "ab"
    ]
    checkup.write({"checkers": checkers, "storage": {"type": "fs", "dir": "checks"}, **more})


def store(checkup: Program, *rows: str, until: int = 0) -> None:
    """Put runs into the storage, the last of them now or at another moment, a minute apart."""
    storage = FolderStorage(checkup.folder / "checks")
    last = until or time.time_ns()
    for number, row in enumerate(rows):
        seen = run(0, dict(zip("ab", row, strict=True)))
        at = last - (len(rows) - 1 - number) * MINUTE
        storage.create(f"runs/{replace(seen, slot=at).file_name}", encode_results(seen.results))


class TestSilence:
    """``checkup silence``."""

    def test_silence_is_kept_listed_and_ended(self, checkup: Program) -> None:
        write(checkup)

        begun = checkup("silence", "A", "--for", "2h")
        assert (begun.returncode, begun.stderr) == (0, "")
        assert begun.stdout.startswith("A: silent until 20")
        head = decode_state((checkup.folder / "checks" / STATE_KEY).read_bytes())
        assert abs(head.silences["a"].until - time.time_ns() - 120 * MINUTE) < 2 * MINUTE

        assert checkup("silence").stdout == begun.stdout
        assert checkup("silence", "a", "--end").stdout == "nothing is silent\n"
        assert checkup("silence").stdout == "nothing is silent\n"

    def test_silence_keeps_an_outage_back_and_explain_says_so(self, checkup: Program) -> None:
        write(checkup)
        checkup("silence", "a", "--for", "1d")
        checkup("--store")

        head = decode_state((checkup.folder / "checks" / STATE_KEY).read_bytes())
        assert {name: state.alerted_status.value for name, state in head.checkers.items()} == {
            "a": "unknown",
            "b": "down",
        }
        explained = checkup("explain", "a").stdout
        assert "A (a): down since" in explained
        assert "announced   nothing so far" in explained
        assert "held back   silenced until" in explained

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["a"], "say how long with --for, or --end"),
            (["a", "--for", "1h", "--end"], "say how long with --for, or --end"),
            (["a", "--for", "soon"], '"soon" is not a duration'),
            (["a", "--for", "-1h"], "longer than 0"),
            (["nobody", "--for", "1h"], 'unknown command "nobody"'),
        ],
    )
    def test_wish_that_makes_no_sense_is_refused(
        self, checkup: Program, arguments: list[str], words: str
    ) -> None:
        write(checkup)

        ended = checkup("silence", *arguments)

        assert ended.returncode != 0
        assert words in ended.stderr


class TestExplain:
    """``checkup explain``."""

    def test_last_runs_counters_and_reminder_are_shown(self, checkup: Program) -> None:
        write(checkup, failure_threshold=3, remind_every="1h")
        store(checkup, "hh", "dh")
        checkup("--store")
        checkup("--store")

        explained = checkup("explain", "a")

        assert (explained.returncode, explained.stderr) == (0, "")
        for words in (
            "A (a): down since",
            "counted     3 of 3 down, 3 of 3 not healthy, 0 of 1 healthy",
            "flapping    6 % changes; from 30 % on",
            "announced   down, incident 1 since",
            "reminder    with the first run from",
            "down: it broke",
        ):
            assert words in explained.stdout

    def test_several_checkers_are_explained_in_turn(self, checkup: Program) -> None:
        write(checkup)

        explained = checkup("explain", "b", "a").stdout

        assert explained.index("A (a): no status yet") < explained.index("B (b): no status yet")
        assert "none today" in explained

    def test_maintenance_and_dependency_are_reasons(self, checkup: Program) -> None:
        day = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
        write(checkup, maintenance=[{"title": "Move", "start": day, "duration": "48h"}])
        config = json.loads((checkup.folder / "checkup.json").read_text())
        config["checkers"][0]["depends_on"] = ["b"]
        checkup.write(config)
        checkup("--store")

        explained = checkup("explain", "a").stdout

        assert 'held back   maintenance "Move" until' in explained
        assert "held back   b, on which it depends, fails" in explained

    def test_nothing_is_written(self, checkup: Program) -> None:
        write(checkup)
        checkup("--store")
        before = (checkup.folder / "checks" / STATE_KEY).read_bytes()
        store(checkup, "hh")

        assert "healthy since" in checkup("explain", "a").stdout
        assert (checkup.folder / "checks" / STATE_KEY).read_bytes() == before


class TestReplay:
    """``checkup replay``."""

    def test_other_thresholds_are_compared_over_the_stored_runs(self, checkup: Program) -> None:
        write(checkup, flapping=False, remind_every=0)
        store(checkup, *["hh", "dh", "hh", "dh", "dh", "dh", "hh", "hd", "hh"])

        ended = checkup("replay", "--since", "2h", "--set", "failure_threshold=3")

        assert (ended.returncode, ended.stderr) == (0, "")
        lines = ended.stdout.splitlines()
        assert lines[0].startswith("9 runs from ")
        assert [line.split() for line in lines[2:6]] == [
            ["alerts", "6", "2"],
            ["outages", "announced", "3", "1"],
            ["delay,", "mean", "0", "s", "2", "min"],
            ["delay,", "longest", "0", "s", "2", "min"],
        ]
        assert lines[6] == "no longer announced: 2"
        assert [line.split("UTC  ")[1] for line in lines[7:]] == [
            "A down: it broke",
            "B down: it broke",
        ]

    def test_other_settings_of_one_checker(self, checkup: Program) -> None:
        write(checkup, flapping=False, remind_every=0)
        store(checkup, *["hh", "dh", "hh", "hd", "hh"])

        ended = checkup("replay", "b", "--set", "failure_threshold=2")

        assert "outages announced" in ended.stdout
        assert [line.split("UTC  ")[1] for line in ended.stdout.splitlines()[7:]] == [
            "B down: it broke"
        ]

    def test_without_other_settings_it_tells_what_was_announced(self, checkup: Program) -> None:
        write(checkup)
        store(checkup, "hh", "dd", "hh")

        lines = checkup("replay").stdout.splitlines()

        assert lines[2].split() == ["alerts", "4"]

    def test_time_without_runs(self, checkup: Program) -> None:
        write(checkup)
        store(checkup, "hh", until=time.time_ns() - 600 * MINUTE)

        assert checkup("replay", "--since", "1h").stdout == "no runs are stored in that time\n"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("timeout=3s", '"timeout" cannot be set; there is failure_threshold'),
            ("failure_threshold=0", 'failure_threshold: "0" is no whole number from 1 on'),
            ("flapping=maybe", 'flapping: "maybe" is neither true nor false'),
            ("remind_every=x", 'remind_every: "x" is not a duration'),
        ],
    )
    def test_setting_that_is_none_is_refused(
        self, checkup: Program, change: str, words: str
    ) -> None:
        write(checkup)

        ended = checkup("replay", "--set", change)

        assert ended.returncode == 1
        assert words in ended.stderr
