"""Runs applied into the state."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.alerting.apply import REMOVE_AFTER, AlertRules, apply_runs
from checkup.alerting.state import AlertState, decode_state, encode_state
from checkup.model import Run, Status, run_key
from tests.alerting.worlds import MINUTE, Toy, alerts_by_checker, run, script, short, slot, toy

NAMES = "abc"
RULES = AlertRules(checkers=[toy(name) for name in NAMES], channels=("slack", "mail"))
RUNS = st.lists(
    st.fixed_dictionaries({}, optional={name: st.sampled_from("hgdu") for name in NAMES}),
    max_size=25,
).map(lambda rows: [run(number, row) for number, row in enumerate(rows)])
LATER = REMOVE_AFTER // MINUTE


def after(*runs: Run, state: AlertState | None = None, rules: AlertRules = RULES) -> AlertState:
    return apply_runs(state or AlertState(), runs, rules, now=slot(10**6)).state


def test_alert_carries_what_was_seen() -> None:
    runs = script("hd")

    (alert,) = apply_runs(AlertState(), runs, RULES, slot(9)).alerts

    assert alert.id == f"a/open:down/1/{slot(1)}"
    assert (alert.checker, alert.title, alert.endpoint) == ("a", "A", "http://a.example/")
    assert (alert.status, alert.previous_status) == (Status.DOWN, Status.HEALTHY)
    assert (alert.since, alert.opened, alert.slot) == (slot(1), slot(1), slot(1))
    assert (alert.reason, alert.failure) == ("it broke", "oops")


def test_degraded_alert_gives_the_notice_and_the_first_bad_run() -> None:
    (alert,) = apply_runs(AlertState(), script("hggg"), RULES, slot(9)).alerts

    assert (alert.reason, alert.since, alert.slot) == ("it is slow", slot(1), slot(3))


def test_recovery_knows_when_the_incident_began_and_gives_no_reason() -> None:
    alert = apply_runs(AlertState(), script("hdddh"), RULES, slot(9)).alerts[-1]

    assert (alert.opened, alert.since, alert.previous_status) == (slot(1), slot(4), Status.DOWN)
    assert (alert.reason, alert.failure) == ("", "")


@pytest.mark.row("106")
def test_alert_and_state_are_in_the_same_head_for_each_channel() -> None:
    state = after(*script("hd"))

    assert state.checkers["a"].alerted_status is Status.DOWN
    for channel in ("slack", "mail"):
        assert [short(entry.alert) for entry in state.outboxes[channel]] == ["open:down@1"]


@pytest.mark.row("117")
def test_recovery_queues_behind_the_outage() -> None:
    state = after(*script("hdh"))

    alerts = [short(entry.alert) for entry in state.outboxes["slack"]]
    assert alerts == ["open:down@1", "resolve:healthy@2"]


def test_cursor_is_the_last_folded_run() -> None:
    runs = script("hh.h")

    assert after(*runs).cursor == run_key(runs[-1])


def test_checker_without_a_result_in_a_run_keeps_its_status() -> None:
    before = after(run(0, {"a": "d", "b": "h"}))

    state = after(run(1, {"b": "h"}), state=before)

    assert state.checkers["a"] == before.checkers["a"]


class TestNoData:
    """A checker without a known result for an hour."""

    checkers: Sequence[Toy] = (toy("a"), toy("b"))

    def alerts(self, rows: Sequence[dict[str, str]], minutes: int = 10) -> list[str]:
        runs = [run(number * minutes, row) for number, row in enumerate(rows)]
        return alerts_by_checker(runs, *self.checkers)

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            pytest.param([{"b": "h"}] * 6, [], id="not-yet-an-hour"),
            pytest.param([{"b": "h"}] * 20, ["a/blind:unknown@60"], id="never-had-a-result-once"),
            pytest.param(
                [*[{"b": "h"}] * 9, {"a": "h", "b": "h"}],
                ["a/blind:unknown@60", "a/sighted:healthy@90"],
                id="first-result-comes-late",
            ),
            pytest.param(
                [{"a": "d", "b": "h"}, *[{"b": "h"}] * 20], ["a/open:down@0"], id="had-one"
            ),
            pytest.param(
                [*[{"b": "h"}] * 4, {"a": "h", "b": "h"}, *[{"b": "h"}] * 4], [], id="now-and-then"
            ),
        ],
    )
    def test_it_is_alerted_once(self, rows: list[dict[str, str]], expected: list[str]) -> None:
        assert self.alerts(rows) == expected

    def test_unknown_results_an_hour_apart_are_enough(self) -> None:
        rows = [{"a": letter, "b": "h"} for letter in "huuuu"]

        assert self.alerts(rows, minutes=60) == ["a/blind:unknown@120"]

    def test_alert_names_the_checker_and_the_reason(self) -> None:
        secret = replace(toy("s"), endpoint_url="http://user:pass@s.example/")
        rules = AlertRules(checkers=[secret])

        (alert,) = apply_runs(
            AlertState(), [run(n * 10, {}) for n in range(9)], rules, slot(99)
        ).alerts

        assert (alert.title, alert.status) == ("S", Status.UNKNOWN)
        assert (alert.since, alert.slot) == (slot(0), slot(60))
        assert "no run has a result" in alert.reason
        assert "pass" not in alert.endpoint


def test_new_checker_begins_anew() -> None:
    state = after(run(0, {"a": "h"}))

    applied = apply_runs(state, [run(1, {"a": "h", "b": "d"})], RULES, slot(9))

    assert [alert.checker for alert in applied.alerts] == ["b"]


def test_result_of_the_go_program_counts_for_the_checker_of_its_title() -> None:
    go = run(0, {"a": "d"})
    go = replace(go, results=tuple(replace(result, id="") for result in go.results))

    (alert,) = apply_runs(AlertState(), [go], RULES, slot(9)).alerts

    assert alert.id == f"a/open:down/1/{slot(0)}"


def test_result_of_an_unknown_checker_is_passed_over() -> None:
    assert "zzz" not in after(run(0, {"zzz": "d"})).checkers


@pytest.mark.row("123")
def test_failure_that_a_minority_sees_is_shown_and_not_announced() -> None:
    rules = AlertRules(checkers=[toy("a")], regions=("eu", "us", "ap"))
    runs = [
        run(number, {"a": letter}, region, position)
        for number, letters in enumerate(("hdh", "hhh"))
        for position, (region, letter) in enumerate(zip(("eu", "us", "ap"), letters, strict=True))
    ]

    during, after = (apply_runs(AlertState(), part, rules, slot(9)) for part in (runs[:3], runs))

    assert (during.alerts, after.alerts) == ((), ())
    assert during.state.checkers["a"].failing_regions == ("us",)
    assert during.state.checkers["a"].status is Status.HEALTHY
    assert during.state.checkers["a"].display_status is Status.DEGRADED
    assert after.state.checkers["a"].display_status is Status.HEALTHY


class TestRemovedChecker:
    """A checker that is no longer configured."""

    without = AlertRules(checkers=[toy("b")], channels=("slack",))

    @pytest.mark.row("121")
    def test_outage_of_a_removed_checker_ends_after_a_while(self) -> None:
        state = after(run(0, {"a": "d", "b": "h"}))
        state = after(run(1, {"b": "h"}), state=state, rules=self.without)
        assert state.checkers["a"].removed_since == slot(1)

        applied = apply_runs(state, [run(1 + LATER, {"b": "h"})], self.without, slot(10**6))

        (alert,) = applied.alerts
        assert alert.id == f"a/resolve:unknown/1/{slot(1 + LATER)}"
        assert (alert.title, alert.previous_status, alert.since) == ("A", Status.DOWN, slot(1))
        assert set(applied.state.checkers) == {"b"}

    def test_removed_checker_that_was_well_goes_without_a_word(self) -> None:
        state = after(run(0, {"a": "h", "b": "h"}))
        runs = [run(1, {"b": "h"}), run(1 + LATER, {"b": "h"})]

        applied = apply_runs(state, runs, self.without, slot(10**6))

        assert (applied.alerts, set(applied.state.checkers)) == ((), {"b"})

    def test_two_configurations_in_one_storage_leave_each_other_alone(self) -> None:
        mine, theirs = AlertRules(checkers=[toy("a")]), AlertRules(checkers=[toy("b")])
        state, alerts = AlertState(), []
        for number in range(0, 4 * LATER, 10):
            for rules, name, at in ((mine, "a", number), (theirs, "b", number + 5)):
                applied = apply_runs(state, [run(at, {name: "d"})], rules, slot(10**6))
                state = applied.state
                alerts += [alert.id for alert in applied.alerts]

        assert alerts == [f"a/open:down/1/{slot(0)}", f"b/open:down/1/{slot(5)}"]

    @pytest.mark.row("I10")
    @given(RUNS)
    def test_the_others_are_not_changed(self, runs: list[Run]) -> None:
        checkers: list[Toy] = [toy("b"), toy("c")]
        fewer = AlertRules(checkers=checkers, channels=RULES.channels)

        full, part = after(*runs), after(*runs, rules=fewer)

        assert {name: full.checkers.get(name) for name in "bc"} == {
            name: part.checkers.get(name) for name in "bc"
        }


@pytest.mark.row("I9")
@given(RUNS, st.integers(0, 25))
def test_folding_in_parts_through_the_stored_bytes_gives_the_same_bytes(
    runs: list[Run], at: int
) -> None:
    first = decode_state(encode_state(after(*runs[:at])))

    assert encode_state(after(*runs[at:], state=first)) == encode_state(after(*runs))


@pytest.mark.row("I13")
@given(RUNS)
def test_no_alert_has_the_id_of_another(runs: list[Run]) -> None:
    ids = [alert.id for alert in apply_runs(AlertState(), runs, RULES, slot(99)).alerts]

    assert len(ids) == len(set(ids))


@given(RUNS)
def test_state_of_a_checker_does_not_depend_on_the_others(runs: list[Run]) -> None:
    alone = [replace(each, results=tuple(r for r in each.results if r.id == "a")) for each in runs]

    assert after(*runs).checkers.get("a") == after(*alone).checkers.get("a")
