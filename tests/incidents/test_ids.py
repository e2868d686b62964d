"""Ids are in addresses that people have kept: these were made by the first version of them."""

from __future__ import annotations

from checkup.incidents.model import automatic_incident_id, automatic_update_id, occurrence_id


def test_ids_are_what_they_have_always_been() -> None:
    assert automatic_incident_id(123) == "eb9b312ae6ee"
    assert automatic_update_id("abc", 5) == "df882f634b74"
    assert occurrence_id(5, ["b", "a"], ["Shop"]) == "a884dd1b941c"


def test_order_does_not_matter_and_the_kind_of_a_name_does() -> None:
    assert occurrence_id(5, ["a", "b"], ()) == occurrence_id(5, ["b", "a"], ())
    assert occurrence_id(5, ["a"], ()) != occurrence_id(5, (), ["a"])


def test_half_a_character_in_a_name_is_no_error() -> None:
    assert len(occurrence_id(5, ["\ud800"], ())) == 12
