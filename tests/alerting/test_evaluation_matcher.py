"""Results of the Go program, which knows no ids: whose are they, for alerts and for the history?"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.alerting import apply as alerting
from checkup.alerting.state import AlertState
from checkup.evaluation import EvaluationRules
from checkup.history import aggregate
from checkup.history.documents import HistoryState as History
from checkup.model import Result, Run
from tests.alerting.worlds import Toy, alerts_by_checker, result, slot, toy

ENDPOINTS = ("http://one.example/?key=secret", "http://two.example/")
MASKED = ("http://one.example/?key=***", "http://two.example/")


def shop(name: str, endpoint: str = ENDPOINTS[0], title: str = "Shop") -> Toy:
    return replace(toy(name, degraded=1), endpoint_name=title, endpoint_url=endpoint)


def by_go(letter: str, endpoint: str = ENDPOINTS[0], title: str = "Shop") -> Result:
    return replace(result("", letter), title=title, endpoint=endpoint)


def of_go(*results: Result, number: int = 0) -> Run:
    return Run(slot=slot(number), results=results)


ONE, TWO = shop("one"), shop("two", ENDPOINTS[1])


def test_of_several_with_one_title_each_has_its_own_endpoint() -> None:
    runs = [
        of_go(by_go("d"), by_go("h", ENDPOINTS[1])),
        of_go(by_go("d", ENDPOINTS[1]), by_go("h", MASKED[0]), number=1),
    ]
    assert alerts_by_checker(runs, ONE, TWO) == [
        "one/open:down@0",
        "one/resolve:healthy@1",
        "two/open:down@1",
    ]


def test_of_several_with_one_title_and_endpoint_each_has_its_turn() -> None:
    assert alerts_by_checker([of_go(by_go("h"), by_go("d"))], ONE, shop("again")) == [
        "again/open:down@0"
    ]


def test_what_is_checked_elsewhere_is_none_of_several_with_its_title() -> None:
    assert alerts_by_checker([of_go(by_go("d", "http://three.example/"))], ONE, TWO) == []


def test_title_of_one_checker_is_enough_where_its_endpoint_was_another() -> None:
    assert alerts_by_checker([of_go(by_go("d", "http://three.example/"))], ONE) == [
        "one/open:down@0"
    ]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[list[Toy], Run]:
    """Checkers with few titles and endpoints, and a run of them and of others, in any order."""
    titles = st.sampled_from(["Shop", "Blog"])
    places = draw(st.lists(st.tuples(st.sampled_from(ENDPOINTS), titles), min_size=1, max_size=5))
    checkers = [shop(str(number), *place) for number, place in enumerate(places)]
    others = st.lists(st.tuples(st.sampled_from([*ENDPOINTS, *MASKED]), titles), max_size=3)
    seen = [by_go(draw(st.sampled_from("dhgu")), *place) for place in places + draw(others)]
    return checkers, of_go(*draw(st.permutations(seen)))


@given(scenes(), st.frozensets(st.sampled_from("01")))
def test_alerts_and_history_agree(scene: tuple[list[Toy], Run], references: frozenset[str]) -> None:
    checkers, run = scene
    alerts = alerting.AlertRules(checkers=checkers, references=references)
    past = EvaluationRules(checkers=checkers, references=references)

    state, _ = alerting.apply_runs(AlertState(), [run], alerts, slot(9))
    head, _ = aggregate.apply_runs(History(), [run], past)

    now = {name: it.status for name, it in state.checkers.items()}
    assert now == {name: it.status for name, it in head.checkers.items()}
    assert state.inconclusive_streaks == head.inconclusive
