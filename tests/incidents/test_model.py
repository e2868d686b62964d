"""Documents of incidents and maintenance, and what can be done to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.documents import decode, encode
from checkup.errors import NewerDocumentError, UnreadableDocumentError
from checkup.incidents import model
from checkup.incidents.model import (
    INCIDENT_STATUSES,
    RESOLVED_STATUSES,
    Incident,
    IncidentDocument,
    IncidentUpdate,
    Maintenance,
    automatic_incident_id,
    automatic_update_id,
    occurrence_id,
)
from checkup.incidents.store import (
    RECENT_PERIOD,
    drop_invalid,
    merge,
    split_old_months,
)
from checkup.times import DAY

NOW = 1_785_751_362_000_000_000
"""3 August 2026, 10:02:42 UTC."""

IDS = ("aaa", "bbb", "ccc")

Change = Callable[[IncidentDocument], IncidentDocument]


def said(name: str, at: int = NOW, status: str = "investigating", text: str = "") -> IncidentUpdate:
    return IncidentUpdate(id=name, at=at, status=status, text=text)


def incident(name: str = "aaa", at: int = NOW, **fields: object) -> Incident:
    first = (said("first", at),)
    given_ = {"title": "It fails", "impact": "major", "started": at, "updates": first}
    return Incident(id=name, **{**given_, **fields})  # type: ignore[arg-type]


def maintenance(start: int = NOW, length: int = DAY, **fields: object) -> Maintenance:
    given_ = {"id": "mmm", "title": "Work", "created": NOW - DAY}
    return Maintenance(start=start, end=start + length, **{**given_, **fields})  # type: ignore[arg-type]


times = st.integers(NOW - 400 * DAY, NOW)
entries = st.builds(
    said,
    st.uuids().map(str),
    times,
    st.sampled_from([*INCIDENT_STATUSES, ""]),
    st.text(max_size=20),
)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    name, at, entry = draw(st.sampled_from(IDS)), draw(times), draw(entries)
    start = draw(times)
    one = incident(name, at)
    work = maintenance(start, draw(st.integers(1, 40 * DAY)), id=name)
    kinds: list[Change] = [
        lambda document: model.add_incident(document, one),
        lambda document: model.add_update(document, one, entry),
        lambda document: model.resolve_incident(document, one, entry),
        lambda document: model.edit_incident(document, one, NOW, title="Another"),
        lambda document: model.add_maintenance(document, work),
        lambda document: model.end_maintenance(model.add_maintenance(document, work), name, entry),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def documents(draw: st.DrawFn) -> IncidentDocument:
    document = IncidentDocument()
    for change in draw(st.lists(changes(), max_size=12)):
        document = change(document)
    return document


@given(documents(), changes())
def test_to_do_a_thing_twice_is_to_do_it_once(document: IncidentDocument, change: Change) -> None:
    once = change(document)
    assert change(once) == once


@given(documents(), entries)
def test_no_word_gets_lost(document: IncidentDocument, entry: IncidentUpdate) -> None:
    after = model.add_update(document, incident(), entry)
    for name, before in document.incidents.items():
        assert {it.id for it in before.updates} <= {it.id for it in after.incidents[name].updates}
    assert entry.id in {it.id for it in after.incidents["aaa"].updates}


@given(documents())
def test_a_document_is_read_as_it_was_written(document: IncidentDocument) -> None:
    body = encode(document, order="sorted")
    assert decode(body, IncidentDocument) == document
    assert encode(decode(body, IncidentDocument), order="sorted") == body


@given(documents())
def test_what_this_program_writes_makes_sense(document: IncidentDocument) -> None:
    assert drop_invalid(document) == document


@pytest.mark.row("94")
@pytest.mark.parametrize(
    "odd",
    [
        incident("../../etc"),
        incident("a/b"),
        incident(""),
        incident("a\0b"),
        incident("x" * 65),
        incident(impact="huge"),
        incident(updates=()),
        incident(updates=(said("first", status="weird"),)),
        incident(updates=(said("first", status=""),)),
        incident(started=-1),
        incident(updates=(said("first", at=5_000_000_000 * 10**9),)),
        maintenance(id="../up"),
        maintenance(start=-DAY),
        maintenance(length=200 * 366 * DAY),
        maintenance(updates=(said("first", status="resolved"),)),
    ],
    ids=lambda it: f"{type(it).__name__}-{it.id[:9]!a}",
)
def test_what_makes_no_sense_is_left_out_and_nothing_else(odd: Incident | Maintenance) -> None:
    good = IncidentDocument(
        incidents={"good": incident("good")}, maintenance={"fine": maintenance(id="fine")}
    )
    field = "incidents" if isinstance(odd, Incident) else "maintenance"
    both = replace(good, **{field: {**getattr(good, field), odd.id: odd}})
    assert drop_invalid(both) == good


@pytest.mark.row("94")
def test_what_is_under_the_id_of_something_else_is_left_out() -> None:
    assert drop_invalid(IncidentDocument(incidents={"bbb": incident("aaa")})) == IncidentDocument()


@given(documents())
def test_what_is_sorted_out_is_all_there_and_old(document: IncidentDocument) -> None:
    head, months = split_old_months(document, NOW)
    whole = head
    for month in months.values():
        whole = merge(whole, month)
        assert all(it.status in RESOLVED_STATUSES for it in month.incidents.values())
        assert all(it.updates[-1].at < NOW - RECENT_PERIOD for it in month.incidents.values())
        assert all(it.end < NOW - RECENT_PERIOD for it in month.maintenance.values())
    assert whole == replace(
        document,
        incidents=whole.incidents,
        maintenance=whole.maintenance,
    )
    assert whole.incidents == document.incidents
    assert whole.maintenance == document.maintenance
    assert split_old_months(head, NOW) == (head, {})


def test_an_update_without_a_status_leaves_the_incident_what_it_is() -> None:
    document = model.add_update(IncidentDocument(), incident(), said("b", status="identified"))
    document = model.add_update(document, incident(), said("c", status="", text="Soon."))
    assert document.incidents["aaa"].status == "identified"


def test_the_end_of_an_incident_is_its_first_one_and_gone_when_it_opens_again() -> None:
    story = [("resolved", NOW + 1), ("postmortem", NOW + 2)]
    over = incident(updates=(said("a"), *(said(s, at, s) for s, at in story)))
    assert over.resolved == NOW + 1
    assert replace(over, updates=(*over.updates, said("d", NOW + 3))).resolved is None


@pytest.mark.parametrize(
    ("now", "status"),
    [(NOW - 1, "scheduled"), (NOW, "in_progress"), (NOW + DAY, "completed")],
)
def test_maintenance_goes_by_the_clock(now: int, status: str) -> None:
    assert maintenance().status(now) == status


@pytest.mark.parametrize(("at", "end"), [(NOW + 5, NOW + 5), (NOW - 5, NOW), (NOW + 2 * DAY, None)])
def test_an_end_comes_earlier_and_never_later(at: int, end: int | None) -> None:
    document = model.add_maintenance(IncidentDocument(), maintenance())
    ended = model.end_maintenance(document, "mmm", said("x", at)).maintenance["mmm"]
    assert ended.end == (maintenance().end if end is None else end)


def test_what_was_called_off_is_over_and_holds_nothing_back() -> None:
    document = model.add_maintenance(IncidentDocument(), maintenance())
    document = model.end_maintenance(document, "mmm", said("x", NOW - 5))
    assert document.maintenance["mmm"].status(NOW - 1) == "completed"
    assert document.planned(NOW - 1) == {}


@pytest.mark.row("96")
def test_a_newer_document_is_refused() -> None:
    with pytest.raises(NewerDocumentError):
        decode(encode(IncidentDocument(schema=2), order="sorted"), IncidentDocument)


@pytest.mark.row("94")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"schema": "x"}',
        b'{"schema": 0}',
        b'{"schema": 1, "incidents": {"a": {}}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_document_is_named_as_such(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError):
        decode(body, IncidentDocument)


def test_ids_are_what_they_have_always_been() -> None:
    """They are in addresses that people have kept; the first version computed these."""
    assert automatic_incident_id(123) == "eb9b312ae6ee"
    assert automatic_update_id("abc", 5) == "df882f634b74"
    assert occurrence_id(5, ["b", "a"], ["Shop"]) == "a884dd1b941c"


def test_order_does_not_matter_and_the_kind_of_a_name_does() -> None:
    assert occurrence_id(5, ["a", "b"], ()) == occurrence_id(5, ["b", "a"], ())
    assert occurrence_id(5, ["a"], ()) != occurrence_id(5, (), ["a"])


def test_half_a_character_in_a_name_is_no_error() -> None:
    assert len(occurrence_id(5, ["\ud800"], ())) == 12
