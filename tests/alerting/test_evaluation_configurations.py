"""Regions that look at different things: whose results count, and who hears of it."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState
from checkup.evaluation import QuorumResult, apply_quorum
from checkup.model import AlertKind, Result, Run, Status
from tests.alerting.worlds import result, run, slot, toy

REGIONS = ("ap", "eu", "us")
QUORUMS = ("majority", "all", "any", "1", "2", "3")


def results(letters: str, definitions: str) -> list[Result]:
    """Return a result of each region; a dot is one that does not say what it is about."""
    return [
        replace(result("a", letter, region), target_digest=definition.strip("."))
        for letter, definition, region in zip(letters, definitions, REGIONS, strict=False)
    ]


def agreed(letters: str, definitions: str, quorum: str = "majority") -> QuorumResult:
    return apply_quorum(results(letters, definitions), len(letters), quorum)


@pytest.mark.row("152")
@pytest.mark.parametrize(
    ("letters", "definitions", "status", "excluded"),
    [
        ("hdd", "xyy", "down", ("ap",)),
        ("ddh", "xxy", "down", ("us",)),
        ("hhd", "xxy", "healthy", ("us",)),
        ("hhh", "xyz", "unknown", ("eu", "us")),
        ("dd", "xy", "unknown", ("eu",)),
        ("dd", "xx", "down", ()),
        ("dd", "x.", "down", ()),
        ("ddh", "x.y", "down", ("us",)),
        ("ddd", "...", "down", ()),
    ],
)
def test_what_most_regions_look_at_counts_and_the_rest_is_excluded(
    letters: str, definitions: str, status: str, excluded: tuple[str, ...]
) -> None:
    found = agreed(letters, definitions)
    assert (found.status, found.excluded_regions) == (status, excluded)


@pytest.mark.row("152", "I11")
@given(
    st.text("hgdu", min_size=1, max_size=3),
    st.text("xyz.", min_size=3, max_size=3),
    st.sampled_from(QUORUMS),
)
def test_order_of_regions_does_not_matter(letters: str, definitions: str, quorum: str) -> None:
    there = results(letters, definitions)
    found = {
        (each.status, frozenset(each.excluded_regions))
        for order in permutations(there)
        for each in [apply_quorum(order, len(there), quorum)]
    }
    assert len(found) == 1


@pytest.mark.row("152", "I11")
@given(st.text("hgdu", min_size=3, max_size=3), st.sampled_from(QUORUMS), st.sampled_from("hgdu"))
def test_what_is_excluded_changes_nothing(letters: str, quorum: str, other: str) -> None:
    before = agreed(letters, "xxy", quorum)
    after = agreed(letters[:2] + other, "xxy", quorum)
    assert (
        (before.status, before.excluded_regions)
        == (after.status, after.excluded_regions)
        == (
            apply_quorum(results(letters[:2], "xx"), 3, quorum).status,
            ("us",),
        )
    )


@pytest.mark.row("152")
@pytest.mark.parametrize("letter", "hgd")
def test_why_nothing_is_known_is_said_when_it_is_told(letter: str) -> None:
    rules = AlertRules(checkers=[toy("a")], channels=("slack",), regions=("eu", "us"))
    runs = [
        Run(slot=slot(number), region=region, region_index=position, results=(named,))
        for number in range(3)
        for position, region in enumerate(("eu", "us"))
        for named in [replace(result("a", letter, region), target_digest=region)]
    ]
    state, alerts = apply_runs(AlertState(), runs, rules, slot(9))
    assert [alert.kind for alert in alerts] == [AlertKind.NOT_MONITORED]
    assert alerts[0].reason == (
        "us has a different configuration; deploy the same configuration there"
    )
    assert state.checkers["a"].display_status is Status.UNKNOWN
    assert state.checkers["a"].excluded_regions == ("us",)


@pytest.mark.row("152")
@pytest.mark.parametrize(("letters", "is_why"), [("uud", False), ("uuu", False), ("uhh", True)])
def test_whoever_saw_nothing_says_why_itself(letters: str, *, is_why: bool) -> None:
    found = agreed(letters, "xxy")
    assert (found.status, found.excluded_regions) == (Status.UNKNOWN, ("us",))
    assert ("different configuration" in found.result.notice) is is_why


@pytest.mark.row("152")
def test_region_that_looks_at_the_same_again_counts_again() -> None:
    rules = AlertRules(checkers=[toy("a"), toy("b")], regions=("eu", "us"))
    other = run(0, {"a": "h", "b": "h"}, "us", 1)
    first, second = other.results
    named = (replace(first, target_digest="old"), second)
    ours = [replace(it, target_digest="new") for it in run(0, {"a": "h"}, "eu").results]
    home = replace(run(0, {"b": "h"}, "eu"), results=(*ours, result("b", "h", "eu")))
    during = apply_runs(AlertState(), [home, replace(other, results=named)], rules, slot(9)).state
    assert {name: state.excluded_regions for name, state in during.checkers.items()} == {
        "a": ("us",),
        "b": (),
    }
    after = [run(1, {"a": "h", "b": "h"}, region, n) for n, region in enumerate(("eu", "us"))]
    healed = apply_runs(during, after, rules, slot(9)).state
    assert {state.excluded_regions for state in healed.checkers.values()} == {()}
    assert healed.checkers["a"].status is Status.HEALTHY
