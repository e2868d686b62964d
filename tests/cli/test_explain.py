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
        assert begun.stdout.startswith("A: silenced until 20")
        head = decode_state((checkup.folder / "checks" / STATE_KEY).read_bytes())
        assert abs(head.silences["a"].until - time.time_ns() - 120 * MINUTE) < 2 * MINUTE

        assert checkup("silence").stdout == begun.stdout
        assert checkup("silence", "a", "--end").stdout == "no silences\n"
        assert checkup("silence").stdout == "no silences\n"

    def test_all_checkers_are_silenced_only_if_that_is_said(self, checkup: Program) -> None:
        write(checkup)

        begun = checkup("silence", "--all", "--for", "1d")

        assert [line.partition(":")[0] for line in begun.stdout.splitlines()] == ["A", "B"]
        assert checkup("silence", "--all", "--end").stdout == "no silences\n"

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
        assert "alerted     none" in explained
        assert "suppressed  silenced until" in explained

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["a"], "use either --for or --end"),
            (["a", "--for", "1h", "--end"], "use either --for or --end"),
            (["a", "--for", "soon"], '"soon" is not a duration'),
            (["a", "--for", "-1h"], "longer than 0"),
            (["nobody", "--for", "1h"], 'no checker "nobody"'),
            (["aa", "--for", "1h"], 'no checker "aa"'),
            (["--for", "1h"], "name the checkers, or use --all for every one"),
            (["--end"], "name the checkers, or use --all for every one"),
            (["a", "--all", "--for", "1h"], "use either names or --all"),
            (["--all"], "use either --for or --end"),
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

    @pytest.mark.parametrize("command", ["explain", "status", "replay"])
    def test_mistyped_checker_is_named_with_a_similar_one(
        self, checkup: Program, command: str
    ) -> None:
        checker = {"type": "tcp", "endpoint_name": "Web Shop", "endpoint_url": "127.0.0.1:1"}
        checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})

        ended = checkup(command, "web-shup")

        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.endswith('no checker "web-shup"; did you mean "web-shop"?\n')

    def test_last_runs_counters_and_reminder_are_shown(self, checkup: Program) -> None:
        write(checkup, failure_threshold=3, remind_every="1h")
        store(checkup, "hh", "dh")
        checkup("--store")
        checkup("--store")

        explained = checkup("explain", "a")

        assert (explained.returncode, explained.stderr) == (0, "")
        for words in (
            "A (a): down since",
            "counters    3 of 3 down, 3 of 3 not healthy, 0 of 1 healthy",
            "flapping    no (6 % state changes, threshold 30 %)",
            "alerted     down, incident 1 since",
            "reminder    at the first run after",
            "down: it broke",
        ):
            assert words in explained.stdout

    def test_several_checkers_are_explained_in_turn(self, checkup: Program) -> None:
        write(checkup)

        explained = checkup("explain", "b", "a").stdout

        assert explained.index("A (a): no status yet") < explained.index("B (b): no status yet")
        assert "none in the last 24 h" in explained

    def test_maintenance_and_dependency_are_reasons(self, checkup: Program) -> None:
        day = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
        write(checkup, maintenance=[{"title": "Move", "start": day, "duration": "48h"}])
        config = json.loads((checkup.folder / "checkup.json").read_text())
        config["checkers"][0]["depends_on"] = ["b"]
        checkup.write(config)
        checkup("--store")

        explained = checkup("explain", "a").stdout

        assert 'suppressed  maintenance "Move" until' in explained
        assert 'suppressed  dependency "b" is down' in explained

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
            ["outages", "alerted", "3", "1"],
            ["mean", "delay", "0", "s", "2", "min"],
            ["longest", "delay", "0", "s", "2", "min"],
        ]
        assert lines[6] == "no longer alerted: 2"
        assert [line.split("UTC  ")[1] for line in lines[7:]] == [
            "A down: it broke",
            "B down: it broke",
        ]

    def test_other_settings_of_one_checker(self, checkup: Program) -> None:
        write(checkup, flapping=False, remind_every=0)
        store(checkup, *["hh", "dh", "hh", "hd", "hh"])

        ended = checkup("replay", "b", "--set", "failure_threshold=2")

        assert "outages alerted" in ended.stdout
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

        assert checkup("replay", "--since", "1h").stdout == "no runs stored in that time\n"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ("timeout=3s", 'cannot set "timeout"; choose one of failure_threshold'),
            ("failure_threshold=0", 'failure_threshold: must be an integer of at least 1, got "0"'),
            ("flapping=maybe", 'flapping: must be true or false, got "maybe"'),
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
