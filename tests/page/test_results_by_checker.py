from __future__ import annotations

import pytest
from msgspec.structs import replace

from checkup.interfaces import Checker
from checkup.model import Result, Run
from checkup_page.components.build import results_by_checker
from tests.page.worlds import checker, result, runs

API, SHOP = checker("API"), checker("Shop")


def without_id(of: Result) -> Result:
    """A result as the Go program writes it."""
    return replace(of, id="", kind="")


def keys(*all_runs: Run, checkers: tuple[Checker, ...] = (API, SHOP)) -> dict[str, int]:
    """How many results each track has."""
    return {
        track.key: sum(item is not None for item in track.results)
        for track in results_by_checker(checkers, all_runs)
    }


@pytest.mark.row("F06")
def test_a_result_belongs_to_the_checker_with_its_id() -> None:
    renamed = replace(result(API), title="Old name", endpoint="http://elsewhere/")
    assert keys(*runs([[renamed, result(SHOP)]])) == {"api": 1, "shop": 1}


def test_a_result_of_the_go_program_belongs_to_the_checker_with_its_title() -> None:
    moved = without_id(replace(result(API), endpoint="http://old-host/"))
    assert keys(*runs([[moved]])) == {"api": 1, "shop": 0}


@pytest.mark.row("139", "F06")
def test_checkers_with_one_title_are_distinguished_by_their_endpoint() -> None:
    east = checker("API", id="east", endpoint_url="http://east/")
    west = checker("API", id="west", endpoint_url="http://west/?token=abc")
    of_west = replace(without_id(result(west)), endpoint="http://west/?token=***")
    found = results_by_checker((east, west), runs([[of_west]]))
    assert [track.key for track in found if track.newest] == ["west"]


@pytest.mark.row("139")
def test_checkers_with_one_title_and_endpoint_follow_the_order_of_the_file() -> None:
    fast = checker("API", id="fast", threshold_rtt=1)
    slow = checker("API", id="slow", threshold_rtt=2)
    found = results_by_checker(
        (fast, slow), runs([[without_id(result(fast)), without_id(result(slow))]])
    )
    assert [track.newest for track in found] == [without_id(result(fast)), without_id(result(slow))]


@pytest.mark.row("F06")
def test_two_checkers_with_one_endpoint_are_two() -> None:
    other = checker("API too", id="too", endpoint_url=API.endpoint)
    group = [without_id(result(API)), without_id(result(other))]
    assert keys(*runs([group]), checkers=(API, other)) == {"api": 1, "too": 1}


def test_results_of_a_removed_checker_are_left_out() -> None:
    gone = checker("Gone")
    assert keys(*runs([[result(API), result(gone)]])) == {"api": 1, "shop": 0}


def test_results_of_another_configuration_are_all_shown() -> None:
    one, two = checker("One"), checker("Two")
    found = results_by_checker((), runs([[without_id(result(one)), without_id(result(two))]]))
    assert [track.newest.title for track in found if track.newest] == ["One", "Two"]


def test_results_of_another_configuration_come_after_what_is_configured() -> None:
    found = results_by_checker((API,), runs([[without_id(result(checker("One")))]]))
    assert [track.checker for track in found] == [API, None]


def test_a_hidden_checker_has_no_track() -> None:
    secret = checker("Secret", hidden=True)
    assert keys(*runs([[result(API), result(secret)]]), checkers=(API, secret)) == {"api": 1}


def test_a_forgotten_name_of_a_hidden_checker_is_not_shown() -> None:
    hidden = checker("New name", hidden=True)
    assert keys(*runs([[without_id(result(checker("Secret")))]]), checkers=(hidden,)) == {}


def test_a_forgotten_name_of_a_renamed_checker_is_not_shown() -> None:
    public = checker("New", public_name="Payments")
    old = without_id(result(checker("Internal name")))
    assert keys(*runs([[old]]), checkers=(public,)) == {"new": 0}


def test_each_track_has_a_place_for_each_run() -> None:
    found = results_by_checker((API, SHOP), runs([[result(API)], [], [result(API), result(SHOP)]]))
    assert [[bool(item) for item in track.results] for track in found] == [
        [True, False, True],
        [False, False, True],
    ]
