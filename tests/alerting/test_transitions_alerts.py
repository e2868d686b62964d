"""Reminders, checkers that cannot look, and what waits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting.state import CheckerState
from checkup.alerting.transitions import (
    Thresholds,
    decide_alerts,
    next_reminder,
    next_state,
)
from checkup.interfaces.checker import MIN_REMINDER_INTERVAL
from checkup.model import AlertKind, Status
from checkup.times import SECOND
from tests.alerting.worlds import LETTERS, MINUTE, alerts_by_checker, run, script, slot, toy

EVERY = 10 * MINUTE


def reminders(letters: str, every: int = EVERY) -> list[str]:
    alerts = alerts_by_checker(script(letters), toy("a", remind_every=every))
    return [each.partition("@")[2] for each in alerts if each.startswith("a/remind")]


@pytest.mark.row("119")
def test_outage_that_lasts_is_brought_back_to_mind() -> None:
    assert reminders("h" + "d" * 35) == ["11", "21", "31"]


@pytest.mark.row("119")
def test_missed_reminders_are_not_caught_up() -> None:
    assert reminders("d" + "." * 34 + "d" * 10) == ["35", "40"]


def test_reminders_end_with_the_outage() -> None:
    assert reminders("d" * 15 + "h" * 30) == ["10"]


def test_reminders_can_be_switched_off() -> None:
    assert reminders("d" * 60, every=0) == []


def test_reminders_come_no_more_often_than_every_five_minutes() -> None:
    assert reminders("d" * 12, every=SECOND) == ["5", "10"]
    assert MIN_REMINDER_INTERVAL == 5 * MINUTE


def test_nothing_is_brought_to_mind_of_what_cannot_be_seen() -> None:
    assert reminders("d" * 9 + "uu" + "d" * 10) == ["11", "20"]


def test_degraded_is_no_outage_to_be_reminded_of() -> None:
    assert reminders("g" * 40) == []


@pytest.mark.row("122")
def test_longer_pauses_between_reminders_hold_from_now_on() -> None:
    state = CheckerState(
        status=Status.DOWN, alerted_status=Status.DOWN, opened=slot(0), last_alert_slot=slot(50)
    )

    assert next_reminder(state, EVERY) == slot(60)
    assert next_reminder(state, 6 * EVERY) == slot(60)
    assert next_reminder(state, 7 * EVERY) == slot(70)


@pytest.mark.row("I6")
@given(st.text("hgdu", max_size=80), st.integers(1, 20))
def test_reminders_increase_and_belong_to_an_open_outage(letters: str, minutes: int) -> None:
    alerts = alerts_by_checker(script(letters), toy("a", remind_every=minutes * MINUTE))
    status, last = "", -1
    for each in alerts:
        kind, _, at = each.removeprefix("a/").partition("@")
        if kind == "remind:down":
            assert status == "down"
            assert int(at) > last
        status, last = kind.partition(":")[2], int(at)


class TestNotMonitored:
    """A checker that cannot be checked is alerted once."""

    @pytest.mark.row("28")
    @pytest.mark.parametrize(
        ("letters", "expected"),
        [
            pytest.param("huu", [], id="two-are-not-three"),
            pytest.param("huuuuuu", ["blind:unknown@3"], id="once"),
            pytest.param("huuuh", ["blind:unknown@3", "sighted:healthy@4"], id="seen-again"),
            pytest.param(
                "huuud", ["blind:unknown@3", "sighted:down@4", "open:down@4"], id="seen-to-be-down"
            ),
            pytest.param("uuu", ["blind:unknown@2"], id="from-the-first-run"),
            pytest.param(
                "dhuuuh",
                ["open:down@0", "resolve:healthy@1", "blind:unknown@4", "sighted:healthy@5"],
                id="after-an-incident",
            ),
        ],
    )
    def test_unchecked_checker_is_alerted_once(self, letters: str, expected: list[str]) -> None:
        assert [
            each.removeprefix("a/") for each in alerts_by_checker(script(letters), toy("a"))
        ] == expected

    def test_alert_gives_the_reason(self) -> None:
        from checkup.alerting.apply import AlertRules, apply_runs
        from checkup.alerting.state import AlertState

        (alert,) = apply_runs(
            AlertState(), script("uuu"), AlertRules(checkers=[toy("a")]), slot(9)
        ).alerts

        assert (alert.reason, alert.failure, alert.kind) == (
            "it broke",
            "oops",
            AlertKind.NOT_MONITORED,
        )


class TestSuppressed:
    """What may be alerted while alerts are suppressed."""

    down = next_state(CheckerState(), Status.DOWN, slot(0), Thresholds())

    def test_opening_waits(self) -> None:
        assert decide_alerts(self.down, slot(0), suppressed=True) == (self.down, ())

    @pytest.mark.row("118")
    def test_what_waited_is_announced_in_the_first_run_that_may(self) -> None:
        later = next_state(self.down, Status.DOWN, slot(7), Thresholds())

        state, kinds = decide_alerts(later, slot(7))

        assert kinds == (AlertKind.OPEN,)
        assert (state.opened, state.since) == (slot(0), slot(0))

    def test_end_of_an_announced_incident_does_not_wait(self) -> None:
        alerts = decide_alerts(self.down, slot(0)).state
        well = next_state(alerts, Status.HEALTHY, slot(1), Thresholds())

        assert decide_alerts(well, slot(1), suppressed=True).kinds == (AlertKind.RESOLVE,)

    def test_outage_that_came_and_went_is_not_announced(self) -> None:
        well = next_state(self.down, Status.HEALTHY, slot(1), Thresholds())

        state, kinds = decide_alerts(well, slot(1), suppressed=True)

        assert kinds == ()
        assert decide_alerts(state, slot(2)).kinds == ()

    @pytest.mark.row("I8")
    @given(st.text("hgdu", max_size=40), st.data())
    def test_holding_back_and_letting_go_leads_to_the_same_end(
        self, letters: str, data: st.DataObject
    ) -> None:
        open_ = free = CheckerState()
        for number, letter in enumerate(letters + "h"):
            seen = Status(LETTERS[letter] or "unknown")
            held = number < len(letters) and data.draw(st.booleans(), label="held")
            open_ = decide_alerts(
                next_state(open_, seen, slot(number), Thresholds()), slot(number)
            ).state
            stepped = next_state(free, seen, slot(number), Thresholds())
            free = decide_alerts(stepped, slot(number), suppressed=held).state

        assert (free.alerted_status, free.status) == (open_.alerted_status, open_.status)

    @pytest.mark.row("I4")
    @given(st.text("hgd", max_size=40), st.data())
    def test_incidents_open_and_close_in_turn_whatever_waits(
        self, letters: str, data: st.DataObject
    ) -> None:
        state, is_open = CheckerState(), False
        for number, letter in enumerate(letters):
            seen = Status(LETTERS[letter])
            held = data.draw(st.booleans(), label="held")
            stepped = next_state(state, seen, slot(number), Thresholds())
            state, kinds = decide_alerts(stepped, slot(number), suppressed=held)
            for kind in set(kinds) & {AlertKind.OPEN, AlertKind.RESOLVE}:
                assert is_open is (kind is AlertKind.RESOLVE)
                is_open = kind is AlertKind.OPEN


def test_run_without_the_checker_announces_nothing_of_it() -> None:
    runs = [run(0, {"a": "d"}), run(30, {"b": "h"})]

    assert alerts_by_checker(runs, toy("a", remind_every=EVERY), toy("b")) == ["a/open:down@0"]
