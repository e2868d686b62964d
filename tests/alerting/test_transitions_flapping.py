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
from tests.alerting.worlds import LETTERS, alerts_by_checker, script, toy

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
    assert not is_flapping(five_changes, before=False)
    assert is_flapping(five_changes, before=True)


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
