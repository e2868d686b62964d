"""How results move the state of one checker, and which alerts follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting.state import NOT_MONITORED_AFTER, CheckerState
from checkup.alerting.transitions import Thresholds, decide_alerts, next_state
from checkup.model import AlertKind, Status
from tests.alerting.worlds import LETTERS, alerts_of_script, slot

INCIDENT = (AlertKind.OPEN, AlertKind.CHANGE, AlertKind.RESOLVE)
LETTER = st.sampled_from("hgdu")
SCRIPT = st.text("hgdu", max_size=60)
LIMITS = st.builds(
    Thresholds, failure=st.integers(1, 4), success=st.integers(1, 4), degraded=st.integers(1, 4)
)


def seen(letter: str) -> Status:
    return Status(LETTERS[letter] or "unknown")


def walk(letters: str, limits: Thresholds) -> list[tuple[CheckerState, AlertKind | None]]:
    """Return the state after each run and the alert of that run."""
    state, steps = CheckerState(), []
    for number, letter in enumerate(letters):
        state, kinds = decide_alerts(
            next_state(state, seen(letter), slot(number), limits), slot(number)
        )
        story = [kind for kind in kinds if kind in INCIDENT]
        assert len(story) <= 1
        steps.append((state, next(iter(story), None)))
    return steps


@pytest.mark.row("D01", "D02", "D03", "D04")
@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("h", [], id="healthy-run"),
        pytest.param("hhhh", [], id="healthy-runs"),
        pytest.param("hdd", ["open:down@1"], id="down-then-down"),
        pytest.param("hdh", ["open:down@1", "resolve:healthy@2"], id="down-then-healthy"),
        pytest.param("hgggd", ["open:degraded@3", "change:down@4"], id="degraded-then-down"),
        pytest.param("hdg", ["open:down@1", "change:degraded@2"], id="down-then-degraded"),
        pytest.param("d", ["open:down@0"], id="120-down-from-the-first-run"),
        pytest.param("u", [], id="unknown-from-the-first-run"),
        pytest.param("ud", ["open:down@1"], id="unknown-then-down"),
        pytest.param("hggh", [], id="degraded-too-short"),
        pytest.param("gg", [], id="degraded-too-short-from-the-first-run"),
        pytest.param("ggg", ["open:degraded@2"], id="degraded-from-the-first-run"),
        pytest.param("hgugug", ["open:degraded@5"], id="unknown-does-not-break-a-streak"),
        pytest.param("hduudh", ["open:down@1", "resolve:healthy@5"], id="unknown-is-no-recovery"),
        pytest.param("hd..h", ["open:down@1", "resolve:healthy@4"], id="4-a-gap-is-no-verdict"),
        pytest.param("hggdhg", ["open:down@3", "resolve:healthy@4"], id="bad-streak-ends"),
        pytest.param(
            "dhdh",
            ["open:down@0", "resolve:healthy@1", "open:down@2", "resolve:healthy@3"],
            id="each-outage-is-alerted",
        ),
    ],
)
def test_default_thresholds(letters: str, expected: list[str]) -> None:
    assert alerts_of_script(letters) == expected


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        pytest.param("hddh", [], id="two-are-not-three"),
        pytest.param("hdddhdhh", ["open:down@3", "resolve:healthy@7"], id="three-down-two-healthy"),
        pytest.param("hddhdd", [], id="a-healthy-run-clears-the-streak"),
        pytest.param("hdgdg", ["open:degraded@4"], id="alternating-is-not-healthy-for-ever"),
        pytest.param("hddduhuh", ["open:down@3", "resolve:healthy@7"], id="unknown-in-a-recovery"),
        pytest.param("hdddhg", ["open:down@3", "change:degraded@5"], id="not-down-but-not-well"),
    ],
)
def test_higher_thresholds(letters: str, expected: list[str]) -> None:
    assert alerts_of_script(letters, failure=3, success=2, degraded=4) == expected


@pytest.mark.row("I1")
@given(SCRIPT, LIMITS)
def test_every_result_has_a_successor_and_statuses_change_only_at_a_threshold(
    letters: str, limits: Thresholds
) -> None:
    before = CheckerState()
    for (state, _), letter in zip(walk(letters, limits), letters, strict=True):
        if state.status is not before.status:
            assert letter != "u"
        assert state.alerted_status in {state.status, Status.UNKNOWN}
        before = state


@pytest.mark.row("I2")
@given(SCRIPT, LIMITS)
def test_down_needs_its_streak_and_so_does_leaving_it(letters: str, limits: Thresholds) -> None:
    before = CheckerState()
    for end, (state, _) in enumerate(walk(letters, limits), start=1):
        conclusive = [letter for letter in letters[:end] if letter != "u"]
        if state.status is Status.DOWN and before.status is not Status.DOWN:
            assert conclusive[-limits.failure :] == ["d"] * limits.failure
        if before.status is Status.DOWN and state.status is not Status.DOWN:
            last = conclusive[-limits.success :]
            assert len(last) == limits.success
            assert "d" not in last
        before = state


@pytest.mark.row("I3")
@given(SCRIPT, LIMITS, st.data())
def test_unknown_results_change_neither_order_nor_number_of_alerts(
    letters: str, limits: Thresholds, data: st.DataObject
) -> None:
    thinner = "".join(
        letter for letter in letters if letter != "u" or data.draw(st.booleans(), label="keep")
    )

    assert [k for _, k in walk(letters, limits) if k] == [k for _, k in walk(thinner, limits) if k]


@pytest.mark.row("I4")
@given(SCRIPT, LIMITS)
def test_incidents_open_and_close_in_turn(letters: str, limits: Thresholds) -> None:
    open_now, number = False, 0
    for state, kind in walk(letters, limits):
        if kind is None:
            continue
        assert open_now is (kind is not AlertKind.OPEN)
        open_now = kind is not AlertKind.RESOLVE
        number += kind is AlertKind.OPEN
        assert state.incident_count == number


@pytest.mark.row("I5")
@given(SCRIPT, LIMITS)
def test_what_was_told_is_what_is(letters: str, limits: Thresholds) -> None:
    for state, _ in walk(letters, limits):
        assert state.alerted_status is state.status


@given(SCRIPT, LIMITS)
def test_since_is_the_first_run_of_the_streak_that_confirmed_the_status(
    letters: str, limits: Thresholds
) -> None:
    for end, (state, kind) in enumerate(walk(letters, limits), start=1):
        if kind is not AlertKind.OPEN:
            continue
        bad_runs = letters[:end].replace("u", "")
        streak = len(bad_runs) - len(bad_runs.rstrip("gd"))
        bad_slots = [slot(n) for n, letter in enumerate(letters[:end]) if letter in "gd"]
        assert state.opened == bad_slots[-streak]
        assert state.opened <= state.since <= slot(end - 1)


@given(SCRIPT, LIMITS, st.integers(1, 10))
def test_quiet_checker_stops_changing(letters: str, limits: Thresholds, more: int) -> None:
    settled = walk(letters + "h" * 4, limits)[-1][0]

    after = walk(letters + "h" * (4 + more), limits)[-1][0]

    assert after == settled


@given(st.integers(0, 10))
def test_unknown_runs_count_unknown_results_in_a_row(count: int) -> None:
    states = walk("h" + "u" * count, Thresholds())

    assert states[-1][0].unknown_runs == min(count, NOT_MONITORED_AFTER)
    assert walk("h" + "u" * count + "h", Thresholds())[-1][0].unknown_runs == 0


@pytest.mark.row("122")
@pytest.mark.parametrize(
    ("failure", "status"),
    [(1, "down"), (3, "down"), (4, "healthy")],
    ids=["lower", "same", "higher"],
)
def test_other_thresholds_hold_from_the_next_run_on(failure: int, status: str) -> None:
    state = walk("hdd", Thresholds(failure=3, degraded=9))[-1][0]

    after = next_state(state, Status.DOWN, slot(3), Thresholds(failure=failure, degraded=9))

    assert (after.status, after.down_streak.since) == (status, slot(1))
