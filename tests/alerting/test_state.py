"""The state as bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import (
    AlertState,
    CheckerState,
    DeadLetter,
    QueuedAlert,
    decode_state,
    encode_state,
)
from checkup.errors import NewerDocumentError, UnreadableDocumentError
from checkup.model import AlertKind
from tests.alerting.worlds import script, slot, toy

USED = apply_runs(
    AlertState(), script("hdhdd"), AlertRules(checkers=[toy("a")], channels=("slack",)), slot(9)
).state
BYTES = encode_state(USED)
TREE = json.loads(BYTES)
ALERT = USED.outboxes["slack"][0].alert


def with_part(*path: str | int, value: object) -> bytes:
    """Return the state's bytes with one part replaced."""
    tree = json.loads(BYTES)
    place = tree
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return json.dumps(tree).encode()


def test_head_comes_back_as_it_was() -> None:
    assert decode_state(BYTES) == USED
    assert encode_state(decode_state(BYTES)) == BYTES


def test_schema_is_always_written() -> None:
    assert json.loads(encode_state(AlertState()))["schema"] == 1


def test_bytes_do_not_depend_on_the_order_in_which_the_head_was_made() -> None:
    one = AlertState(checkers={"a": CheckerState(title="A"), "b": CheckerState(title="B")})
    other = AlertState(checkers={"b": CheckerState(title="B"), "a": CheckerState(title="A")})

    assert encode_state(one) == encode_state(other)


@pytest.mark.row("21")
@pytest.mark.parametrize("path", [("hint",), ("checkers", "a", "hint")], ids=["state", "checker"])
def test_fields_of_a_later_version_are_carried_along(path: tuple[str, ...]) -> None:
    body = with_part(*path, value={"deep": [1, 2]})

    kept = json.loads(encode_state(decode_state(body)))

    for key in path:
        kept = kept[key]
    assert kept == {"deep": [1, 2]}


@pytest.mark.row("96")
def test_head_of_a_newer_version_is_named_as_such() -> None:
    with pytest.raises(
        NewerDocumentError, match="newer version of Checkup wrote it \\(schema 2\\)"
    ):
        decode_state(with_part("schema", value=2))


@pytest.mark.row("94", "I22")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(BYTES[: len(BYTES) // 2], id="truncated"),
        pytest.param(b"\x00\xff" * 50, id="binary"),
        pytest.param(b"[]", id="array"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}", id="nothing-in-it"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":NaN'), id="nan"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":1e999'), id="infinite"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":' + b"9" * 5000), id="5000-digits"),
        pytest.param(b'{"a":' * 200_000, id="deep"),
        pytest.param(BYTES.replace(b'"title":"A"', b'"title":"\\ud800"'), id="lone-surrogate"),
        pytest.param(with_part("schema", value="1"), id="schema-is-text"),
        pytest.param(with_part("schema", value=True), id="schema-is-true"),
        pytest.param(with_part("schema", value=0), id="schema-is-0"),
        pytest.param(with_part("checkers", value=[]), id="checkers-are-a-list"),
        pytest.param(with_part("checkers", "a", value=7), id="checker-is-a-number"),
        pytest.param(with_part("checkers", "a", "status", value="up"), id="unknown-status"),
        pytest.param(with_part("checkers", "a", "bad", value={"runs": "1"}), id="count-is-text"),
        pytest.param(with_part("channels", value={"slack": 1}), id="outbox-is-a-number"),
        pytest.param(with_part("channels", "slack", 0, value={}), id="entry-without-an-alert"),
        pytest.param(with_part("cursor", value="runs/zzz"), id="cursor-names-no-run"),
        pytest.param(with_part("cursor", value=None), id="cursor-is-null"),
    ],
)
def test_what_is_no_head_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"^invalid document: "):
        decode_state(body)


@pytest.mark.row("I22")
@given(st.binary(max_size=200))
def test_any_bytes_end_in_one_error(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError):
        decode_state(body)


@pytest.mark.row("I22")
@given(st.integers(0, len(BYTES) - 1), st.binary(min_size=1, max_size=3))
def test_damaged_head_is_a_head_or_one_error(at: int, damage: bytes) -> None:
    body = BYTES[:at] + damage + BYTES[at + len(damage) :]
    try:
        state = decode_state(body)
    except (UnreadableDocumentError, NewerDocumentError):
        return
    assert decode_state(encode_state(state)) == state


def test_what_people_write_is_stored_where_version_0_1_0_keeps_it() -> None:
    """Its reader refuses kinds of alert that it does not know, and keeps unknown keys."""
    about = replace(ALERT, id="/incident:resolved/i/u", kind=AlertKind.INCIDENT, checker="")
    entries = (QueuedAlert(alert=ALERT), QueuedAlert(alert=about, attempts=2))
    state = AlertState(
        outboxes={"both": entries, "written": entries[1:]},
        dead_letters=(DeadLetter(channel="x", alert=about), DeadLetter(channel="x", alert=ALERT)),
        announcing={"u": 5},
    )

    tree = json.loads(encode_state(state))

    assert json.dumps(tree.pop("announcements")).count('"incident"') == 3
    assert '"incident"' not in json.dumps(tree["channels"])
    assert [*tree["channels"]] == ["both"]
    assert len(tree["dead"]) == 1
    back = decode_state(encode_state(state))
    assert (back.outboxes, back.announcing) == (state.outboxes, state.announcing)
    assert {*back.dead_letters} == {*state.dead_letters}
    assert encode_state(back) == encode_state(decode_state(encode_state(back)))
