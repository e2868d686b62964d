"""Ids, and what checkers say of each other."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.config.checkers import slug
from tests.config.world import Read, Refuse


def http(title: str, url: str = "http://localhost", **fields: Any) -> dict[str, Any]:
    return {"type": "http", "endpoint_name": title, "endpoint_url": url, **fields}


def ids(read: Read, *checkers: dict[str, Any], **environ: str) -> list[str]:
    return [checker.id for checker in read({"checkers": checkers}, **environ).checkers]


@given(st.text())
def test_a_slug_is_safe_in_any_path(title: str) -> None:
    assert re.fullmatch(r"(?:[a-z0-9]+(?:-[a-z0-9]+)*)?", slug(title))
    assert len(slug(title)) <= 64


@pytest.mark.parametrize(
    ("title", "expected"),
    [("My API (v2)", "my-api-v2"), ("#système", "systeme"), ("監視", ""), ("", ""), ("--", "")],
)
def test_a_slug_is_the_title_in_plain_letters(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_the_first_of_one_title_keeps_the_slug(read: Read) -> None:
    one, two, three = (http("API", f"http://{host}") for host in "abc")
    alone = ids(read, one)
    pair = ids(read, one, two)
    both = ids(read, one, two, three)
    assert alone == ["api"]
    assert pair[0] == "api"
    assert both[:2] == pair
    assert ids(read, one, three) == [both[0], both[2]]
    assert re.fullmatch(r"api-[0-9a-f]{8}", both[1])


def test_ids_of_one_title_do_not_depend_on_the_order_of_the_others(read: Read) -> None:
    one, two, three = (http("API", f"http://{host}") for host in "abc")
    assert ids(read, one, three, two) == [ids(read, one, two, three)[index] for index in (0, 2, 1)]


def test_equal_checkers_have_different_ids(read: Read) -> None:
    found = ids(read, http("API"), http("API"), http("API"))
    assert len(set(found)) == 3


def test_a_checker_without_letters_in_its_title_is_named_by_kind_and_address(read: Read) -> None:
    (found,) = ids(read, http("監視"))
    assert re.fullmatch(r"http-[0-9a-f]{8}", found)


def test_a_configured_id_wins_over_a_slug(read: Read) -> None:
    found = ids(read, http("API"), http("Other", id="api"))
    assert re.fullmatch(r"api-[0-9a-f]{8}", found[0])
    assert found[1] == "api"


def test_passwords_and_the_environment_do_not_change_an_id(read: Read) -> None:
    first = http("API")
    url = "http://user:${PASSWORD}@host/?token=${TOKEN}"
    found = ids(read, first, http("API", url), PASSWORD="a", TOKEN="b")
    assert found == ids(read, first, http("API", url), PASSWORD="c", TOKEN="d")
    assert found == ids(read, first, http("API", "http://user:x@host/?token=y"))


def test_the_environment_does_not_show_in_an_id(read: Read) -> None:
    assert ids(read, http("API ${STAGE}"), STAGE="hidden") == ["api-stage"]


@pytest.mark.row("102")
def test_ids_must_be_unique_whatever_their_case(refuse: Refuse) -> None:
    (problem,) = refuse({"checkers": [http("A", id="x"), http("B", id="X")]})
    assert problem.key == "checkers[1].id"
    assert problem.text == 'id "X" is already used by checkers[0] on line 7'


@pytest.mark.row("173")
@pytest.mark.parametrize("name", ["a/b", "../x", ".", "a b", "-a", "ä", "a" * 101])
def test_ids_are_safe_in_any_path(refuse: Refuse, name: str) -> None:
    (problem,) = refuse({"checkers": [http("A", id=name)]})
    assert problem.key == "checkers[0].id"


def test_dependencies_are_named_by_id_or_title(read: Read) -> None:
    config = read(
        {"checkers": [http("Web", depends_on=["DATABASE", "db2"]), http("Database"),
                      http("X", id="db2")]}
    )  # fmt: skip
    assert config.checkers[0].depends_on == ("database", "db2")


def test_a_dependency_on_nothing_is_refused_with_a_guess(refuse: Refuse) -> None:
    (problem,) = refuse({"checkers": [http("Web", depends_on="databse"), http("Database")]})
    assert problem.key == "checkers[0].depends_on"
    assert problem.text == 'there is no checker "databse"'
    assert problem.fix == 'did you mean "database"?'


def test_a_dependency_on_a_checker_that_is_refused_is_no_second_problem(refuse: Refuse) -> None:
    broken = {**http("Database"), "type": "htp"}
    (problem,) = refuse({"checkers": [http("Web", depends_on="database"), broken]})
    assert problem.key == "checkers[1].type"


def test_dependencies_in_a_circle_are_refused(refuse: Refuse) -> None:
    checkers = [http("A", depends_on="b"), http("B", depends_on="c"), http("C", depends_on="b")]
    (problem,) = refuse({"checkers": checkers})
    assert problem.text == "circular dependency: b -> c -> b"


def test_circle_is_found_where_an_id_is_given_twice_too(refuse: Refuse) -> None:
    checkers = [http("A", id="a"), http("B", id="a", depends_on="a")]
    taken, circle = refuse({"checkers": checkers})
    assert taken.key == "checkers[1].id"
    assert (circle.key, circle.text) == (
        "checkers[1].depends_on",
        "circular dependency: a -> a",
    )


def test_reference_targets_are_checkers(read: Read, refuse: Refuse) -> None:
    checkers = [http("Gateway")]
    config = read({"checkers": checkers, "reference_targets": ["gateway"]})
    assert config.reference_targets == ("gateway",)
    (problem,) = refuse({"checkers": checkers, "reference_targets": ["gatway"]})
    assert (problem.key, problem.fix) == ("reference_targets", 'did you mean "gateway"?')


def test_groups_are_free_until_they_are_listed(read: Read, refuse: Refuse) -> None:
    checkers = [http("A", group="backend")]
    assert read({"checkers": checkers}).checkers[0].group == "backend"
    (problem,) = refuse({"checkers": checkers, "groups": ["back-end", "web"]})
    assert (problem.key, problem.fix) == ("checkers[0].group", 'did you mean "back-end"?')
