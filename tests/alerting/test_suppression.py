"""Maintenance, silences, and outages that explain others."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState, Silence
from checkup.alerting.suppression import SuppressionKind, SuppressionReason
from checkup.maintenance import MaintenanceWindow
from checkup.model import Run, key_time
from tests.alerting.worlds import MINUTE, alerts_by_checker, run, script, short, slot, toy

DATABASE = toy("db")
SHOP = toy("shop", depends_on=("db",))
CART = toy("cart", depends_on=("shop",))


def runs(*rows: str, names: tuple[str, ...] = ("db", "shop", "cart")) -> list[Run]:
    return [run(n, dict(zip(names, row, strict=False))) for n, row in enumerate(rows)]


class TestDependencies:
    """``depends_on``: an outage explains those of whatever depends on it."""

    def test_outage_of_a_parent_keeps_its_children_quiet(self) -> None:
        assert alerts_by_checker(runs("hhh", "ddd", "ddd"), CART, SHOP, DATABASE) == [
            "db/open:down@1"
        ]

    def test_child_that_fails_later_is_explained_too(self) -> None:
        assert alerts_by_checker(runs("hhh", "dhh", "ddd"), DATABASE, SHOP, CART) == [
            "db/open:down@1"
        ]

    def test_recovery_of_a_child_is_never_kept_back(self) -> None:
        alerts = alerts_by_checker(runs("hdh", "ddh", "dhh"), DATABASE, SHOP, CART)

        assert alerts == ["shop/open:down@0", "db/open:down@1", "shop/resolve:healthy@2"]

    def test_child_that_stays_down_is_alerted_a_run_after_its_parent_recovered(self) -> None:
        alerts = alerts_by_checker(runs("hhh", "ddh", "hdh", "hdh"), DATABASE, SHOP, CART)

        assert alerts == ["db/open:down@1", "db/resolve:healthy@2", "shop/open:down@3"]

    def test_child_that_recovers_a_run_after_its_parent_is_never_mentioned(self) -> None:
        alerts = alerts_by_checker(runs("hhh", "ddd", "hdd", "hhh"), DATABASE, SHOP, CART)

        assert alerts == ["db/open:down@1", "db/resolve:healthy@2"]

    def test_first_run_of_a_parent_is_not_a_recovery(self) -> None:
        assert alerts_by_checker(runs("hd"), DATABASE, SHOP) == ["shop/open:down@0"]

    def test_recovered_parent_is_the_reason_in_that_run_only(self) -> None:
        rules = AlertRules(checkers=[DATABASE, SHOP], regions=("", "other"), grace=MINUTE)
        votes = [
            run(number, {"db": row[0], "shop": row[1]}, region, position)
            for number, row in enumerate(("hh", "dd", "hd", "hd"))
            for position, region in enumerate(("", "other"))
        ]
        kinds = []
        for count in (4, 6, 8):
            state = apply_runs(AlertState(), votes[:count], rules, slot(9)).state
            suppression = rules.suppression(state, key_time(state.cursor) or 0)
            kinds.append([reason.kind for reason in suppression.reasons_for(SHOP)])

        assert kinds == [[SuppressionKind.DEPENDENCY], [SuppressionKind.RECOVERY], []]

    def test_child_that_came_back_with_its_parent_is_never_mentioned(self) -> None:
        alerts = alerts_by_checker(runs("hhh", "ddd", "hhh"), DATABASE, SHOP, CART)

        assert alerts == ["db/open:down@1", "db/resolve:healthy@2"]

    def test_parent_that_is_not_confirmed_to_be_down_explains_as_well(self) -> None:
        slow = toy("db", failure=3)

        assert alerts_by_checker(runs("hh", "dd", "dd", "dd"), slow, SHOP) == ["db/open:down@3"]
        assert alerts_by_checker(runs("hh", "dd", "hd", "hd"), slow, SHOP) == ["shop/open:down@3"]

    def test_degraded_parent_explains_nothing(self) -> None:
        alerts = alerts_by_checker(runs("gh", "gh", "gd"), DATABASE, SHOP)

        assert alerts == ["db/open:degraded@2", "shop/open:down@2"]

    def test_parent_that_is_not_configured_explains_nothing(self) -> None:
        assert alerts_by_checker(runs("hh", "dd"), SHOP) == ["shop/open:down@1"]

    def test_checkers_that_explain_each_other_are_both_announced(self) -> None:
        one, other = toy("db", depends_on=("shop",)), SHOP

        assert alerts_by_checker(runs("dd"), one, other) == ["db/open:down@0", "shop/open:down@0"]

    def test_checker_that_explains_itself_is_announced(self) -> None:
        assert alerts_by_checker(runs("d"), toy("db", depends_on=("db",))) == ["db/open:down@0"]

    def test_alert_of_the_parent_names_what_it_keeps_back(self) -> None:
        rules = AlertRules(checkers=[DATABASE, SHOP, CART])

        (alert,) = apply_runs(AlertState(), runs("hhh", "ddd"), rules, slot(9)).alerts

        assert alert.suppressed_dependents == ("SHOP", "CART")

    def test_children_that_were_announced_before_are_not_named(self) -> None:
        rules = AlertRules(checkers=[DATABASE, SHOP])

        alerts = apply_runs(AlertState(), runs("hd", "dd"), rules, slot(9)).alerts

        assert [(alert.checker, alert.suppressed_dependents) for alert in alerts] == [
            ("shop", ()),
            ("db", ()),
        ]


class TestMaintenance:
    """``maintenance``: looked at and stored, but not announced."""

    window = MaintenanceWindow(start=slot(1), duration=3 * MINUTE, title="Move")

    def alerts(self, letters: str, window: MaintenanceWindow, **more: Any) -> list[str]:
        return alerts_by_checker(script(letters), toy("a", **more), windows=[window])

    @pytest.mark.row("118")
    def test_outage_that_outlasts_the_window_is_announced_after_it(self) -> None:
        assert self.alerts("hdddd", self.window) == ["a/open:down@4"]

    def test_outage_within_the_window_is_not_announced(self) -> None:
        assert self.alerts("hddhh", self.window) == []

    def test_incident_from_before_ends_within_the_window(self) -> None:
        assert self.alerts("dddhh", self.window) == ["a/open:down@0", "a/resolve:healthy@3"]

    def test_nobody_is_reminded_within_the_window(self) -> None:
        long = replace(self.window, duration=20 * MINUTE)

        alerts = self.alerts("d" * 25, long, remind_every=5 * MINUTE)

        assert alerts == ["a/open:down@0", "a/remind:down@21"]

    @pytest.mark.parametrize(
        ("window", "alerts"),
        [
            pytest.param({"checkers": frozenset("a")}, [], id="by-id"),
            pytest.param({"checkers": frozenset("b")}, ["a/open:down@2"], id="of-another"),
            pytest.param({"groups": frozenset({"shop"})}, [], id="by-group"),
            pytest.param({"groups": frozenset({"blog"})}, ["a/open:down@2"], id="other-group"),
        ],
    )
    def test_window_is_about_some(self, window: dict[str, Any], alerts: list[str]) -> None:
        some = MaintenanceWindow(start=slot(1), duration=3 * MINUTE, **window)

        assert self.alerts("hhd", some, group="shop") == alerts


class TestSilence:
    """An operator wants to hear nothing of a checker for a while."""

    def fold(self, letters: str, state: AlertState) -> tuple[AlertState, list[str]]:
        applied = apply_runs(state, script(letters), AlertRules(checkers=[toy("a")]), slot(9))
        return applied.state, [short(alert) for alert in applied.alerts]

    def test_silence_ends_by_itself(self) -> None:
        state = AlertState(silences={"a": Silence(until=slot(3))})

        after, alerts = self.fold("hdddd", state)

        assert alerts == ["open:down@3"]
        assert after.silences == {}

    def test_silence_of_one_is_no_silence_of_another(self) -> None:
        state = AlertState(silences={"b": Silence(until=slot(99))})

        assert self.fold("hd", state)[1] == ["open:down@1"]


@pytest.mark.parametrize("mute", ["window", "silence"])
def test_changes_while_muted_are_not_flaps(mute: str) -> None:
    letters = "h" + "dh" * 15 + "h"
    rules = AlertRules(checkers=[toy("a", flapping=True)])
    state = AlertState()
    if mute == "window":
        window = MaintenanceWindow(start=slot(1), duration=30 * MINUTE)
        rules = replace(rules, windows=[window])
    else:
        state = AlertState(silences={"a": Silence(until=slot(31))})

    applied = apply_runs(state, script(letters), rules, slot(99))

    assert applied.alerts == ()
    assert applied.state.checkers["a"].recent_statuses == "h"
    assert not applied.state.checkers["a"].flapping


def test_flapping_is_displayed_as_a_reason_and_suppresses_no_lasting_outage() -> None:
    checker = toy("a", flapping=True)
    rules = AlertRules(checkers=[checker])
    shown = []
    for letters in ("hd" * 8, "hd" * 8 + "ddd"):
        state = apply_runs(AlertState(), script(letters), rules, slot(99)).state
        suppression = rules.suppression(state, slot(len(letters) - 1))
        assert suppression.reasons_for(checker) == ()
        shown.append([reason.kind for reason in suppression.displayed_reasons(checker)])

    assert shown == [[SuppressionKind.FLAPPING], []]


def test_all_reasons_are_given() -> None:
    rules = AlertRules(
        checkers=[DATABASE, SHOP],
        windows=[MaintenanceWindow(start=slot(0), duration=9 * MINUTE, title="Move")],
    )
    state = AlertState(silences={"shop": Silence(until=slot(7))})
    state = apply_runs(state, runs("dd"), rules, slot(9)).state

    assert rules.suppression(state, slot(1)).reasons_for(SHOP) == (
        SuppressionReason(kind=SuppressionKind.MAINTENANCE, source="Move", until=slot(9)),
        SuppressionReason(kind=SuppressionKind.SILENCE, until=slot(7)),
        SuppressionReason(kind=SuppressionKind.DEPENDENCY, source="db"),
    )
