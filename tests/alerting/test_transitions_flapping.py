"""Checkers that change too often."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting.transitions import (
    FLAPPING_WINDOW,
    append_status,
    is_flapping,
    state_change_percent,
)
from checkup.model import Status
from tests.alerting.worlds import LETTERS, MINUTE, alerts_by_checker, script, toy

SCRIPT = st.text("hgd", min_size=1, max_size=80)


def recalled(letters: str) -> str:
    recent = ""
    for letter in letters:
        recent = append_status(recent, Status(LETTERS[letter]))
    return recent


def nagios(letters: str) -> float:
    """The formula as Nagios has it, over all results that are kept, in floating point."""
    last = letters[-FLAPPING_WINDOW:]
    missing = FLAPPING_WINDOW - len(last)
    total = 0.0
    for number in range(1, len(last)):
        if last[number] != last[number - 1]:
            total += 0.8 + 0.4 * (number + missing - 1) / 19
    return total / 20 * 100


def alerts(letters: str) -> list[str]:
    return [
        each.removeprefix("a/")
        for each in alerts_by_checker(script(letters), toy("a", flapping=True))
    ]


@pytest.mark.row("116")
@given(SCRIPT)
def test_share_of_changes_is_that_of_nagios(letters: str) -> None:
    assert state_change_percent(recalled(letters)) == pytest.approx(nagios(letters))


@given(SCRIPT)
def test_history_of_a_steady_checker_is_one_letter(letters: str) -> None:
    assert recalled(letters + "h" * FLAPPING_WINDOW) == "h"
    assert len(recalled(letters)) <= FLAPPING_WINDOW


def test_flapping_lasts_longer_than_it_takes_to_begin() -> None:
    five_changes = recalled("hdhdhd")

    assert 20 < state_change_percent(five_changes) < 30
    assert not is_flapping(five_changes, was_flapping=False)
    assert is_flapping(five_changes, was_flapping=True)


@pytest.mark.row("116")
def test_flapping_is_announced_once_at_each_edge() -> None:
    calm = "h" * FLAPPING_WINDOW

    expected = alerts("hd" * 20 + calm)

    edges = [each.partition("@")[0] for each in expected if "ing" in each or "set" in each]
    assert edges == ["flapping:healthy", "settled:healthy"]
    assert expected[-2].startswith("settled:healthy@")
    assert expected[-1].startswith("resolve:healthy@")


@pytest.mark.row("116")
def test_changes_wait_while_it_flaps() -> None:
    expected = alerts("hd" * 20)

    begins = next(place for place, each in enumerate(expected) if each.startswith("flapping"))
    assert expected[begins + 1 :] == []
    assert begins < 6


FLAPS = "h" * 10 + "dhdhdh"


@pytest.mark.parametrize(
    ("letters", "failure", "expected"),
    [
        pytest.param("dd", 1, [], id="two-runs-are-a-flap"),
        pytest.param("ddd", 1, ["change:down@18"], id="three-runs-are-an-outage"),
        pytest.param("d" * 12, 1, ["change:down@18"], id="once"),
        pytest.param("ddddd", 5, ["open:down@20"], id="as-many-runs-as-the-threshold"),
        pytest.param("dddhhddd", 1, ["change:down@18"], id="short-recovery-is-a-flap"),
        pytest.param("dddhhh", 1, ["change:down@18", "resolve:healthy@21"], id="recovery"),
        pytest.param(
            "dddhhhddd",
            1,
            ["change:down@18", "resolve:healthy@21", "open:down@24"],
            id="next-outage",
        ),
        pytest.param("ddduuuu", 1, ["change:down@18", "blind:unknown@21"], id="cannot-be-checked"),
    ],
)
def test_outage_that_lasts_is_alerted_while_it_flaps(
    letters: str, failure: int, expected: list[str]
) -> None:
    """The first three changes are alerted, and flapping in run 14 or before."""
    checker = toy("a", failure=failure, flapping=True)
    found = alerts_by_checker(script(FLAPS + letters), checker)

    later = [each.removeprefix("a/") for each in found if int(each.partition("@")[2]) > 15]
    assert later == expected


def test_outage_that_lasts_is_brought_back_to_mind_while_it_flaps() -> None:
    checker = toy("a", flapping=True, remind_every=5 * MINUTE)

    found = alerts_by_checker(script(FLAPS + "d" * 12), checker)

    assert [each for each in found if "remind" in each] != []


@given(st.text("hgdu", max_size=60), st.integers(1, 5))
def test_no_outage_that_lasts_is_hidden_by_flapping(letters: str, failure: int) -> None:
    """After as many runs that are down, the last alert about a checker says so."""
    checker = toy("a", failure=failure, flapping=True)
    runs = script(letters + "d" * max(failure, 3))

    last = [each for each in alerts_by_checker(runs, checker) if "remind" not in each][-1]

    assert ":down@" in last
    assert not last.startswith("a/flapping")


def test_flapping_can_be_switched_off() -> None:
    assert len(alerts_by_checker(script("hd" * 20), toy("a"))) == 39


@pytest.mark.row("I7")
@given(st.text("hgdu", max_size=80))
def test_messages_about_flapping_alternate_and_silence_has_an_end(letters: str) -> None:
    edges = [each.partition(":")[0] for each in alerts(letters) if each[:4] in {"flap", "sett"}]
    assert edges == ["flapping", "settled"] * (len(edges) // 2) + ["flapping"] * (len(edges) % 2)

    settled = [each.partition(":")[0] for each in alerts(letters + "d" * FLAPPING_WINDOW)]
    assert settled.count("flapping") == settled.count("settled")


@pytest.mark.row("I4")
@given(st.text("hgdu", max_size=80))
def test_incidents_open_and_close_in_turn_around_flapping(letters: str) -> None:
    ends = [each.partition(":")[0] for each in alerts(letters) if each[:4] in {"open", "reso"}]

    assert ends == ["open", "resolve"] * (len(ends) // 2) + ["open"] * (len(ends) % 2)
