"""What a storing run leaves behind, step by step."""

from __future__ import annotations

import json
import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.alerting.document import HEAD
from checkup.bootstrap import LiveClients
from checkup.deadline import Deadline
from checkup.errors import CannotTell, NotRecorded, StorageError
from checkup.model import SECOND, Attempt, Status
from checkup.notifiers.slack import SlackSettings
from checkup.ports import Notification, Stored
from checkup.protocol import Monitor, check_and_record, known, read_head, record
from checkup.protocol.folding import LAG
from checkup.runfile import LATE, RUNS, decode, run_key
from checkup.storage.memory import MemoryStorage
from tests.alerting.worlds import Toy, run, slot, toy
from tests.notifiers.clients import DirectClients
from tests.protocol.worlds import World, letters
from tests.servers.slack import SECRET, FakeSlack

HEALTHY, DOWN = {"a": "h", "b": "h"}, {"a": "d", "b": "h"}
HOUR = 3600 * SECOND


class Ear:
    """A channel that listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def send(self, notification: Notification) -> None:
        self.heard += [alert.id for alert in notification.alerts]


def monitor(storage: MemoryStorage, **more: Any) -> Monitor:
    return Monitor(**{"checkers": (toy("a"), toy("b")), "storage": storage, **more})


def soon() -> Deadline:
    return Deadline.after(5)


def keys(storage: MemoryStorage, prefix: str) -> list[str]:
    return list(storage.list(prefix))


class TestObserve:
    """A run is stored once."""

    def test_run_is_stored_under_its_slot(self) -> None:
        storage = MemoryStorage()

        recorded = record(monitor(storage), run(1, DOWN), soon())

        assert keys(storage, RUNS) == [run_key(run(1, DOWN))]
        assert recorded.run == run(1, DOWN)

    def test_1_run_that_was_there_first_counts(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        storage.create(run_key(run(1, {})), b'[{"id":"a","title":"A","times":[],"healthy":true}]')

        recorded = record(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

        assert [result.status for result in recorded.run.results] == [Status.HEALTHY]
        assert ear.heard == []

    def test_3_event_that_comes_again_changes_nothing(self) -> None:
        storage = MemoryStorage()
        record(monitor(storage), run(1, DOWN), soon())
        before = storage.get(HEAD)

        record(monitor(storage), run(1, HEALTHY), soon())

        assert storage.get(HEAD) == before
        assert keys(storage, LATE) == []

    def test_6_run_of_a_closed_slot_is_kept_as_evidence_and_never_folded(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        record(monitor(storage), run(5, HEALTHY), soon())
        before = storage.get(HEAD)

        recorded = record(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

        assert recorded.late
        assert keys(storage, LATE) == [LATE + run(1, {}).name]
        assert (storage.get(HEAD), ear.heard) == (before, [])

    def test_7_run_whose_slot_was_closed_while_it_was_being_stored_is_late(self) -> None:
        plain = World()
        plain.happen(0, HEALTHY)
        plain.happen(1, HEALTHY)
        number = plain.steps.index("create runs", plain.steps.index("create runs") + 1)
        world = World()
        world.happen(0, HEALTHY)
        world.faults = {number: lambda: world.happen(2, DOWN)}

        recorded = world.happen(1, {"a": "h", "b": "d"})

        assert recorded is not None
        assert recorded.late
        told = [alert for ids, _ in world.received["slack"] for alert in ids]
        assert told == [f"a/open:down/1/{slot(2)}"]

    def test_3_run_that_was_folded_is_not_late_when_its_event_comes_again(self) -> None:
        storage = MemoryStorage()
        record(monitor(storage), run(1, DOWN), soon())

        assert not record(monitor(storage), run(1, HEALTHY), soon()).late

    def test_run_of_an_unknown_region_is_stored_and_never_votes(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        laptop = monitor(storage, region="laptop", regions=("eu",), channels={"ear": ear})

        record(laptop, run(1, DOWN, "laptop"), soon())

        assert len(keys(storage, RUNS)) == 1
        assert (read_head(storage).checkers, ear.heard) == ({}, [])

    def test_regions_share_a_slot_and_agree(self) -> None:
        storage, ear, regions = MemoryStorage(), Ear(), ("eu", "us", "ap")
        at = time.time_ns() - 10 * SECOND  # within the grace of the others
        for position, (region, letter) in enumerate(zip(regions, "dhd", strict=True)):
            there = monitor(storage, region=region, regions=regions, channels={"ear": ear})
            seen = replace(run(0, {"a": letter}, region, position), slot=at)
            record(there, seen, soon())
            assert bool(ear.heard) == (position == 2)

        assert ear.heard == [f"a/open:down/1/{at}"]


class TestFold:
    """What is stored is folded, in order, whatever else lies there."""

    def test_95_unreadable_run_is_left_out_and_kept(self, caplog: pytest.LogCaptureFixture) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})
        record(there, run(0, HEALTHY), soon())
        poison = run_key(run(1, {}))
        storage.create(poison, b'[{"id":"a","title":')

        record(there, run(2, DOWN), soon())

        assert ear.heard == [f"a/open:down/1/{slot(2)}"]
        assert storage.get(poison) is not None
        assert f"{poison} is left out: not a check file" in caplog.text

    def test_unreadable_run_of_the_same_slot_is_left_out(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        storage.create(run_key(run(1, {})), b"nonsense")

        record(monitor(storage, channels={"ear": ear}), run(1, DOWN), soon())

        assert ear.heard == []

    def test_16_run_in_the_future_does_not_close_the_present(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})
        record(there, replace(run(0, HEALTHY), slot=time.time_ns() + 24 * HOUR), soon())

        recorded = record(there, run(1, DOWN), soon())

        assert not recorded.late
        assert ear.heard == [f"a/open:down/1/{slot(1)}"]

    def test_16_clock_that_was_a_year_ahead_leaves_nobody_blind(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world, year = World(), 365 * 24 * 60
        there = replace(world.monitor(), check_expiry=24 * HOUR)
        for number in (0, 1, year, year + 1):
            world.now = slot(number)
            record(there, run(number, HEALTHY), soon())
        world.now = slot(200)

        recorded = [record(there, run(number, DOWN), soon()) for number in (200, 201)]

        assert [done.late for done in recorded] == [False, False]
        told = [alert for ids, _ in world.received["slack"] for alert in ids]
        assert told == [f"a/open:down/1/{slot(200)}"]
        assert caplog.text.count("a clock was ahead") == 1
        assert read_head(world.documents).cursor == run_key(run(201, DOWN))
        assert read_head(world.documents).expired_at == slot(200)

    def test_16_runs_before_the_clock_was_wrong_are_not_folded_again(self) -> None:
        world, year = World(), 365 * 24 * 60
        for number, seen in ((0, DOWN), (1, HEALTHY), (year, HEALTHY)):
            world.now = slot(number)
            record(world.monitor(), run(number, seen), soon())
        before = world.folded.copy()
        world.now = slot(2)

        record(world.monitor(), run(2, DOWN), soon())

        assert world.folded[len(before) :] == [run_key(run(2, DOWN))]
        told = [alert for ids, _ in world.received["slack"] for alert in ids]
        assert told == [
            f"a/open:down/1/{slot(0)}",
            f"a/resolve:healthy/1/{slot(1)}",
            f"a/open:down/2/{slot(2)}",
        ]

    def test_quiet_runs_leave_the_head_alone_but_not_for_ever(self) -> None:
        storage = MemoryStorage()
        for number in range(4):
            record(monitor(storage), run(number, HEALTHY), soon())
        settled = read_head(storage)

        lags = []
        for number in range(4, 4 + 3 * LAG):
            record(monitor(storage), run(number, HEALTHY), soon())
            lags.append(len(list(storage.list(RUNS, read_head(storage).cursor))))

        assert max(lags) == LAG - 1
        assert read_head(storage).seq == settled.seq + 3
        assert read_head(storage).checkers == settled.checkers

    def test_known_is_the_confirmed_status_of_each_checker(self) -> None:
        storage = MemoryStorage()
        record(monitor(storage), run(0, {"a": "d", "b": "h"}), soon())

        assert known(read_head(storage)) == {"a": Status.DOWN, "b": Status.HEALTHY}

    @pytest.mark.parametrize("hours", [1, 48, 20_000])
    def test_go_runs_before_the_first_of_ours_are_no_news(self, hours: int) -> None:
        storage, ear, now = MemoryStorage(), Ear(), time.time_ns()
        go = run_key(replace(run(0, {}), slot=now - hours * HOUR))
        storage.create(go, b'[{"title":"A","times":[{"rtt":1}],"down":true}]')

        record(monitor(storage, channels={"ear": ear}), replace(run(0, DOWN), slot=now), soon())

        assert ear.heard == [f"a/open:down/1/{now}"]


class TestHead:
    """A head that is gone, broken or too new."""

    def test_97_lost_head_is_rebuilt_with_one_notice(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})
        now = time.time_ns()
        for number, row in enumerate(letters("hh dh dh")):
            record(there, replace(run(0, row), slot=now - (9 - number) * SECOND), soon())
        before = read_head(storage)
        storage.delete(HEAD)
        ear.heard.clear()

        record(there, replace(run(0, DOWN), slot=now), soon())

        assert ear.heard == [f"/rebuilt:unknown/0/{now - 7 * SECOND}"]
        assert read_head(storage).checkers["a"].opened == before.checkers["a"].opened
        record(there, replace(run(0, HEALTHY), slot=now + 1), soon())
        assert ear.heard[1:] == [f"a/resolve:healthy/1/{now + 1}"]

    def test_notice_of_a_rebuilt_head_says_what_fails_now(self) -> None:
        storage, heard = MemoryStorage(), list[Notification]()

        class Keeper:
            def send(self, notification: Notification) -> None:
                heard.append(notification)

        there = monitor(storage, channels={"keeper": Keeper()})
        now = time.time_ns()
        record(there, replace(run(0, {"a": "d", "b": "h"}), slot=now - SECOND), soon())
        storage.delete(HEAD)
        record(there, replace(run(0, {"a": "d", "b": "h"}), slot=now), soon())

        (notice,) = heard[-1].alerts
        assert notice.reason == ("the state was lost and rebuilt from the last run; failing now: A")

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b'{"schema":1', b"\xff" * 99, b"[" * 99_999], ids=range(5)
    )
    def test_94_i22_unreadable_head_is_kept_in_quarantine_and_rebuilt(self, body: bytes) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})
        now = time.time_ns()
        record(there, replace(run(0, DOWN), slot=now - SECOND), soon())
        stored = storage.get(HEAD)
        assert stored is not None
        storage.replace(HEAD, body, stored.version)

        record(there, replace(run(0, DOWN), slot=now), soon())

        assert ear.heard == [
            f"a/open:down/1/{now - SECOND}",
            f"/rebuilt:unknown/0/{now - SECOND}",
        ]
        (key,) = keys(storage, "quarantine/")
        kept = storage.get(key)
        assert kept is not None
        assert kept.body == body
        assert known(read_head(storage))["a"] is Status.DOWN

    def test_96_head_of_a_newer_version_is_not_touched(self) -> None:
        storage = MemoryStorage()
        storage.create(HEAD, b'{"schema":99}')

        with pytest.raises(NotRecorded, match=r"newer version of Checkup wrote it \(schema 99\)"):
            record(monitor(storage), run(0, DOWN), soon())

        assert storage.get(HEAD) == Stored(b'{"schema":99}', storage.get(HEAD).version)  # type: ignore[union-attr]
        with pytest.raises(StorageError, match="newer version"):
            read_head(storage)

    def test_storage_that_is_new_has_a_new_head(self) -> None:
        assert read_head(MemoryStorage()).checkers == {}

    def test_91_failing_storage_leaves_the_run_with_the_caller(self) -> None:
        world = World()
        world.faults = dict.fromkeys(range(99), "not-applied")

        with pytest.raises(NotRecorded, match="the storage did not answer") as caught:
            record(world.monitor(), run(0, DOWN), soon())

        assert caught.value.run == run(0, DOWN)


class TestExpiry:
    """Old runs are deleted, at most once an hour."""

    def test_93_old_runs_are_deleted_and_nothing_else_c23(self) -> None:
        storage, now = MemoryStorage(), time.time_ns()
        there = monitor(storage, check_expiry=2 * HOUR)
        ages = [5, 3, 1]
        for age in ages:
            storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")
        storage.create(LATE + replace(run(0, {}), slot=now - 9 * HOUR).name, b"[]")
        others = ["quarantine/1.json", "history/2020.json", "incidents/1.md"]
        for other in others:
            storage.create(other, b"{}")

        record(there, replace(run(0, HEALTHY), slot=now), soon())

        kept = [replace(run(0, {}), slot=at) for at in (now - HOUR, now)]
        assert keys(storage, RUNS) == [run_key(each) for each in kept]
        assert keys(storage, LATE) == []
        assert all(storage.get(other) for other in [*others, HEAD])

    def test_expiry_happens_once_an_hour_c23(self) -> None:
        storage, now = MemoryStorage(), time.time_ns()
        there = monitor(storage, check_expiry=2 * HOUR)
        record(there, replace(run(0, HEALTHY), slot=now - 1), soon())
        old = run_key(replace(run(0, {}), slot=now - 5 * HOUR))
        storage.create(old, b"[]")

        record(there, replace(run(0, HEALTHY), slot=now), soon())

        assert old in keys(storage, RUNS)

    def test_without_an_expiry_everything_stays(self) -> None:
        storage = MemoryStorage()
        storage.create(run_key(run(0, {})), b"[]")

        record(monitor(storage), replace(run(0, HEALTHY), slot=time.time_ns()), soon())

        assert len(keys(storage, RUNS)) == 2

    def test_105_wrong_clock_of_the_storage_deletes_nothing(self) -> None:
        world = World()
        there = replace(world.monitor(), check_expiry=24 * HOUR)
        for number in range(3):
            world.now = slot(number)
            record(there, run(number, HEALTHY), soon())
        world.now = slot(0) + 10 * 365 * 24 * HOUR

        record(there, run(3, HEALTHY), soon())

        assert len(keys(world.documents, RUNS)) == 4

    def test_105_two_wrong_clocks_delete_nothing_either(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        world = World()
        there = replace(world.monitor(), check_expiry=24 * HOUR)
        for number in range(3):
            world.now = slot(number)
            record(there, run(number, HEALTHY), soon())
        years = 10 * 365 * 24 * 60
        for number in (years, years + 61, years + 122):
            world.now = slot(number)
            record(there, run(number, HEALTHY), soon())

        assert len(keys(world.documents, RUNS)) == 6
        assert "20% of the stored runs and more are older than check_expiry" in caplog.text

    def test_shorter_expiry_than_before_deletes_what_is_older(self) -> None:
        storage, now = MemoryStorage(), time.time_ns()
        for age in range(1, 40):
            storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

        there = monitor(storage, check_expiry=5 * HOUR)
        record(there, replace(run(0, HEALTHY), slot=now), soon())

        assert len(keys(storage, RUNS)) == 6

    def test_pause_after_which_little_would_go_is_no_jump(self) -> None:
        storage, now = MemoryStorage(), time.time_ns()
        for age in (1, 2, 3, 4, 20):
            storage.create(run_key(replace(run(0, {}), slot=now - age * HOUR)), b"[]")

        there = monitor(storage, check_expiry=5 * HOUR)
        record(there, replace(run(0, HEALTHY), slot=now), soon())

        assert len(keys(storage, RUNS)) == 5


class TestDeliver:
    """What the channel says, and what becomes of it."""

    @pytest.mark.parametrize("behaviour", ["404", "500", "429", "reset", "drop", "not-ok"])
    def test_d07_failing_slack_is_logged_and_the_run_goes_on(
        self, behaviour: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = MemoryStorage()
        with FakeSlack() as slack:
            there = monitor(storage, channels={"slack": slack_channel(slack.webhook)})
            slack.behave(behaviour, "ok")
            first = record(there, run(0, DOWN), soon())
            second = record(there, run(1, DOWN), soon())

        assert (first.undelivered, second.undelivered) == (1, 0)
        assert [alert.id for alert in first.alerts] == [f"a/open:down/1/{slot(0)}"]
        repeated = "Possible repeat" in slack.texts[-1]
        assert repeated == (behaviour in {"500", "reset", "drop", "not-ok"})
        assert len([line for line in caplog.messages if line.startswith("slack: ")]) == 1

    def test_d09_webhook_is_neither_logged_nor_stored_160(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = MemoryStorage()
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        webhook = f"http://127.0.0.1:{port}/{SECRET}"

        with caplog.at_level(logging.DEBUG):
            record(
                monitor(storage, channels={"slack": slack_channel(webhook)}), run(0, DOWN), soon()
            )

        assert "the connection was refused" in caplog.text
        stored = [
            storage.get(key) for prefix in ("runs/", "state/") for key in keys(storage, prefix)
        ]
        assert SECRET not in caplog.text + repr(stored)

    @pytest.mark.parametrize("late", [-20, -10], ids=["no-time", "not-enough-for-a-receipt"])
    def test_9_run_without_time_leaves_the_message_to_the_next(self, late: int) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})

        recorded = record(there, run(0, DOWN), Deadline.after(late))

        assert (recorded.undelivered, ear.heard) == (1, [])
        assert [entry.attempts for entry in read_head(storage).channels["ear"]] == [0]
        record(there, run(1, DOWN), soon())
        assert ear.heard == [f"a/open:down/1/{slot(0)}"]

    def test_114_message_that_waited_for_hours_knows_for_how_long(self) -> None:
        world, heard = World(), list[Notification]()

        class Keeper:
            def send(self, notification: Notification) -> None:
                heard.append(notification)

        world.sick = {"slack": "refused"}
        world.happen(0, DOWN)
        world.now = slot(360)
        record(replace(world.monitor(), channels={"slack": Keeper()}), run(360, DOWN), soon())

        assert [(len(each.alerts), each.late) for each in heard] == [(1, 6 * HOUR)]

    def test_125_message_waits_for_a_secret_that_is_missing(self, tmp_path: Path) -> None:
        storage, reference = MemoryStorage(), tmp_path / "hook"
        slack = SlackSettings(webhook=f"file:{reference}").open(LiveClients({}))
        there = monitor(storage, channels={"slack": slack})

        first = record(there, run(0, DOWN), soon())
        with FakeSlack() as server:
            reference.write_text(server.webhook)
            second = record(there, run(1, DOWN), soon())

        assert (first.undelivered, second.undelivered) == (1, 0)
        assert len(server.texts) == 1
        assert "Possible repeat" not in server.texts[0]

    def test_8_channel_that_somebody_is_delivering_to_is_left_to_them(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        there = monitor(storage, channels={"ear": ear})

        with storage.hold("channel-ear"):
            recorded = record(there, run(0, DOWN), soon())

        assert (recorded.undelivered, ear.heard) == (1, [])

    def test_12_run_that_slept_after_its_claim_does_not_send(self) -> None:
        """The machine sleeps: the clock on the wall goes on, the run's own clock does not."""
        world, claims, asleep = World(), World(), [0.0]
        claims.happen(0, DOWN)
        claim = [n for n, name in enumerate(claims.steps) if name == "replace state"][1]
        world.faults = {claim: lambda: asleep.append(600.0)}

        there = replace(world.monitor(), wall_clock=lambda: time.time() + sum(asleep))
        world.now = slot(0)
        first = record(there, run(0, DOWN), soon())
        second = record(there, run(1, DOWN), soon())

        assert (first.undelivered, second.undelivered) == (1, 0)
        assert [labelled for _, labelled in world.received["slack"]] == [False]

    @pytest.mark.parametrize("fault", ["not-applied", "answer-lost", "own-412"])
    def test_86_unclear_write_is_decided_again_in_the_same_run(self, fault: str) -> None:
        plain = World()
        plain.happen(0, DOWN)
        writes = [n for n, name in enumerate(plain.steps) if name == "replace state"]
        for number in writes:
            world = World()
            world.faults = {number: fault}

            recorded = world.happen(0, DOWN)

            assert recorded is not None
            assert (recorded.undelivered, len(world.received["slack"])) == (0, 1)

    def test_message_names_the_page_and_how_many_checkers_there_are(self) -> None:
        heard: list[Notification] = []

        class Keeper:
            def send(self, notification: Notification) -> None:
                heard.append(notification)

        there = monitor(MemoryStorage(), channels={"keeper": Keeper()}, page_url="https://s/")
        record(there, run(0, {"a": "d", "b": "d"}), soon())

        (notification,) = heard
        assert (notification.page_url, notification.total, notification.repeat) == (
            "https://s/",
            2,
            False,
        )
        assert [alert.checker for alert in notification.alerts] == ["a", "b"]


class TestCheckAndRecord:
    """Looking and recording in one go."""

    def test_what_was_seen_is_stored_and_known(self) -> None:
        storage = MemoryStorage()

        recorded = check_and_record(monitor(storage), slot(0), soon())

        assert [result.id for result in recorded.run.results] == ["a", "b"]
        assert known(read_head(storage)) == dict.fromkeys("ab", Status.HEALTHY)

    def test_d15_message_is_stored_with_its_checker_and_sent_to_nobody(self) -> None:
        storage, ear = MemoryStorage(), Ear()

        check_and_record(
            monitor(storage, channels={"ear": ear}), slot(0), soon(), message=("b", "We know.")
        )

        stored = storage.get(run_key(run(0, {})))
        assert stored is not None
        assert [result.message for result in decode(stored.body)] == ["", "We know."]
        assert ear.heard == []

    @pytest.mark.parametrize("left", [0, -1])
    def test_10_no_time_left_is_a_limit(self, left: int) -> None:
        storage = MemoryStorage()

        recorded = check_and_record(monitor(storage), slot(0), Deadline.after(left))

        assert [result.status for result in recorded.run.results] == [Status.UNKNOWN] * 2
        assert {result.failure for result in recorded.run.results} == {"run_deadline"}

    def test_d10_checker_that_cannot_look_does_not_silence_the_others(self) -> None:
        storage, ear = MemoryStorage(), Ear()
        checkers = (Unable(id="a", endpoint_name="A"), Broken(id="b", failure_threshold=1))
        there = monitor(storage, checkers=checkers, channels={"ear": ear})

        recorded = check_and_record(there, slot(0), soon())

        statuses = [result.status for result in recorded.run.results]
        assert statuses == [Status.UNKNOWN, Status.DOWN]
        assert ear.heard == [f"b/open:down/1/{slot(0)}"]

    def test_outage_that_was_known_is_looked_at_once(self) -> None:
        storage = MemoryStorage()
        there = monitor(storage, checkers=(Broken(id="a", endpoint_name="A", recheck=1),))

        first = check_and_record(there, slot(0), soon())
        second = check_and_record(there, slot(1), soon())

        assert [result.rechecks for result in first.run.results] == [1]
        assert [result.rechecks for result in second.run.results] == [0]

    def test_failing_storage_leaves_the_results_with_the_caller(self) -> None:
        world = World()
        world.faults = dict.fromkeys(range(99), "not-applied")

        with pytest.raises(NotRecorded) as caught:
            check_and_record(world.monitor(), slot(0), soon())

        assert [result.status for result in caught.value.run.results] == [Status.HEALTHY] * 2

    def test_head_is_valid_json(self) -> None:
        storage = MemoryStorage()
        check_and_record(monitor(storage), slot(0), soon())

        stored = storage.get(HEAD)
        assert stored is not None
        assert set(json.loads(stored.body)) == {
            "channels",
            "checkers",
            "config_version",
            "cursor",
            "dead",
            "expired_at",
            "inconclusive",
            "maintenance",
            "schema",
            "seq",
            "silences",
            "used",
        }


class Broken(Toy, frozen=True, kw_only=True):
    """A checker that always fails."""

    def attempt(self, deadline: Deadline) -> Attempt:
        return Attempt(error=f"broken, with time left: {deadline.left() > 0}", failure="broken")


class Unable(Toy, frozen=True, kw_only=True):
    """A checker that cannot look at its target."""

    def attempt(self, deadline: Deadline) -> Attempt:
        del deadline
        raise CannotTell("config", "nowhere to look")


def slack_channel(webhook: str) -> Any:
    return SlackSettings(webhook=webhook).open(DirectClients())
