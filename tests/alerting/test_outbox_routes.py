"""Which alerts a channel gets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.outbox import MATCH_ALL, Route, channel_names, enqueue, next_batch, queued
from checkup.alerting.state import AlertState
from checkup.model import Alert, AlertKind, Result, Run, Status
from checkup.notifiers.discord import DiscordSettings
from checkup.notifiers.slack import SlackSettings
from checkup.times import SECOND
from tests.notifiers.stories import BACK, DOWN, many
from tests.project.toys.toy_checker import ToyChecker

SHOP = ToyChecker(
    id="shop", endpoint_name="Shop", group="Public", tags=("web", "money"), failure_threshold=1
)
NOTICE = replace(DOWN, id="/gap:unknown/0/5", checker="", kind=AlertKind.MISSED_RUNS)
SLOW = replace(DOWN, status=Status.DEGRADED)
LESS = replace(SLOW, kind=AlertKind.CHANGE, previous_status=Status.DOWN)
FAST = replace(BACK, previous_status=Status.DEGRADED)


@pytest.mark.parametrize(
    ("route", "admitted"),
    [
        (MATCH_ALL, True),
        (Route(groups=("Public",)), True),
        (Route(groups=("Internal",)), False),
        (Route(tags=("money", "other")), True),
        (Route(tags=("other",)), False),
        (Route(groups=("Internal",), tags=("web",)), True),
        (Route(groups=("Public",), severities=("degraded",)), False),
        (Route(groups=("Internal",), severities=("down",)), False),
    ],
    ids=str,
)
def test_channel_is_told_of_its_groups_and_tags(route: Route, *, admitted: bool) -> None:
    assert route.matches(DOWN, SHOP) is admitted


@pytest.mark.parametrize(
    ("alert", "down_only", "degraded_only"),
    [
        pytest.param(DOWN, True, False, id="down"),
        pytest.param(BACK, True, False, id="back-from-down"),
        pytest.param(SLOW, False, True, id="degraded"),
        pytest.param(FAST, False, True, id="back-from-degraded"),
        pytest.param(LESS, True, True, id="better-but-not-well"),
    ],
)
def test_who_hears_of_the_beginning_hears_of_the_end(
    alert: Alert, *, down_only: bool, degraded_only: bool
) -> None:
    assert Route(severities=("down",)).matches(alert, SHOP) is down_only
    assert Route(severities=("degraded",)).matches(alert, SHOP) is degraded_only


def test_what_is_about_the_monitor_concerns_everybody() -> None:
    assert Route(groups=("X",), tags=("y",), severities=("degraded",)).matches(NOTICE, None)


def test_end_of_a_checker_that_is_no_longer_configured_goes_to_all_groups() -> None:
    assert Route(groups=("X",)).matches(BACK, None)


def test_names_are_ids_or_the_kind_and_its_number() -> None:
    notifiers = [SlackSettings(), SlackSettings(id="ops"), SlackSettings(), DiscordSettings()]

    assert channel_names(notifiers) == ("slack", "ops", "slack-3", "discord")


def test_fold_fills_only_the_outboxes_that_it_concerns() -> None:
    run = Run(slot=60 * SECOND, results=(Result(id="shop", title="Shop", down=True),))
    rules = AlertRules(
        checkers=[SHOP],
        channels=["all", "web", "db"],
        routes={"web": Route(tags=("web",)), "db": Route(groups=("Database",))},
    )

    applied = apply_runs(AlertState(), [run], rules, 60 * SECOND)

    assert len(applied.alerts) == 1
    assert set(applied.state.outboxes) == {"all", "web"}


@pytest.mark.parametrize(("most", "size"), [(0, 30), (20, 20), (100, 30)])
def test_batch_has_no_more_than_a_message_can_tell(most: int, size: int) -> None:
    state = enqueue(AlertState(), "pager", many(30))

    batch = next_batch(state, "pager", most)

    assert batch == queued(state, "pager")[:size]
