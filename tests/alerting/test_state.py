"""The state as bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import (
    AlertState,
    CheckerState,
    decode_state,
    encode_state,
)
from checkup.errors import NewerDocumentError, UnreadableDocumentError
from tests.alerting.worlds import script, slot, toy

USED = apply_runs(
    AlertState(), script("hdhdd"), AlertRules(checkers=[toy("a")], channels=("slack",)), slot(9)
).state
BYTES = encode_state(USED)
TREE = json.loads(BYTES)


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


@pytest.mark.parametrize("path", [("hint",), ("checkers", "a", "hint")], ids=["state", "checker"])
def test_21_fields_of_a_later_version_are_carried_along(path: tuple[str, ...]) -> None:
    body = with_part(*path, value={"deep": [1, 2]})

    kept = json.loads(encode_state(decode_state(body)))

    for key in path:
        kept = kept[key]
    assert kept == {"deep": [1, 2]}


def test_96_head_of_a_newer_version_is_named_as_such() -> None:
    with pytest.raises(
        NewerDocumentError, match="newer version of Checkup wrote it \\(schema 2\\)"
    ):
        decode_state(with_part("schema", value=2))


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="fault-94-empty"),
        pytest.param(BYTES[: len(BYTES) // 2], id="fault-94-truncated"),
        pytest.param(b"\x00\xff" * 50, id="fault-94-binary"),
        pytest.param(b"[]", id="fault-94-array"),
        pytest.param(b"null", id="fault-94-null"),
        pytest.param(b"{}", id="fault-94-nothing-in-it"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":NaN'), id="fault-94-nan"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":1e999'), id="fault-94-infinite"),
        pytest.param(BYTES.replace(b'"seq":0', b'"seq":' + b"9" * 5000), id="fault-94-5000-digits"),
        pytest.param(b'{"a":' * 200_000, id="fault-94-deep"),
        pytest.param(
            BYTES.replace(b'"title":"A"', b'"title":"\\ud800"'), id="fault-94-lone-surrogate"
        ),
        pytest.param(with_part("schema", value="1"), id="fault-94-schema-is-text"),
        pytest.param(with_part("schema", value=True), id="fault-94-schema-is-true"),
        pytest.param(with_part("schema", value=0), id="fault-94-schema-is-0"),
        pytest.param(with_part("checkers", value=[]), id="fault-94-checkers-are-a-list"),
        pytest.param(with_part("checkers", "a", value=7), id="fault-94-checker-is-a-number"),
        pytest.param(
            with_part("checkers", "a", "status", value="up"), id="fault-94-unknown-status"
        ),
        pytest.param(
            with_part("checkers", "a", "bad", value={"runs": "1"}), id="fault-94-count-is-text"
        ),
        pytest.param(with_part("channels", value={"slack": 1}), id="fault-94-outbox-is-a-number"),
        pytest.param(
            with_part("channels", "slack", 0, value={}), id="fault-94-entry-without-an-alert"
        ),
        pytest.param(with_part("cursor", value="runs/zzz"), id="fault-94-cursor-names-no-run"),
        pytest.param(with_part("cursor", value=None), id="fault-94-cursor-is-null"),
    ],
)
def test_i22_what_is_no_head_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError, match=r"^invalid document: "):
        decode_state(body)


@given(st.binary(max_size=200))
def test_i22_any_bytes_end_in_one_error(body: bytes) -> None:
    with pytest.raises(UnreadableDocumentError):
        decode_state(body)


@given(st.integers(0, len(BYTES) - 1), st.binary(min_size=1, max_size=3))
def test_i22_damaged_head_is_a_head_or_one_error(at: int, damage: bytes) -> None:
    body = BYTES[:at] + damage + BYTES[at + len(damage) :]
    try:
        state = decode_state(body)
    except (UnreadableDocumentError, NewerDocumentError):
        return
    assert decode_state(encode_state(state)) == state
