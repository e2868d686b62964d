from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.conditions import parse_condition

DOCUMENT = {
    "status": "ok",
    "count": 7,
    "ratio": 0.5,
    "ready": True,
    "nothing": None,
    "jobs": [{"state": "done", "tags": ["a", "b"]}, {"state": "failed"}],
    "a.b": {"c d": "deep"},
    "number": "12",
}


@pytest.mark.parametrize(
    "text",
    [
        'status == "ok"',
        "status == ok",
        "status==ok",
        "$.status == ok",
        "status != down",
        "status contains o",
        "status not contains x",
        "status > nok",
        "count == 7",
        "count == 7.0",
        "count >= 7",
        "count <= 7",
        "count > 6.5",
        "ratio < 1",
        "ready == true",
        "nothing == null",
        "nothing exists",
        "missing not exists",
        "jobs[5] not exists",
        "jobs[0].state == done",
        "jobs[-1].state == failed",
        'jobs[0]["state"] == done',
        "jobs[0].tags contains a",
        "jobs[0].tags not contains c",
        "jobs[0] contains state",
        'jobs[1] == {"state": "failed"}',
        '["a.b"]["c d"] == deep',
        '$["a.b"]["c d"] contains ee',
        'number == "12"',
        "$ contains status",
        "$ exists",
    ],
)
def test_true_statement_holds(text: str) -> None:
    assert parse_condition(text).is_met(DOCUMENT)


@pytest.mark.parametrize(
    "text",
    [
        "status == OK",
        "count == 8",
        "count < 7",
        'count == "7"',
        "ready == 1",
        "count > true",
        "status > 5",
        "nothing < 5",
        "missing == null",
        "missing != 5",
        "missing exists",
        "missing not contains x",
        "status.length exists",
        "jobs.state exists",
        "jobs[0][0] exists",
        "count contains 7",
        "number == 12",
    ],
)
def test_false_statement_does_not(text: str) -> None:
    assert not parse_condition(text).is_met(DOCUMENT)


@pytest.mark.parametrize("text", ["", "status", "== 5", "a b == 5", "a = 5", "a ==", "[x] == 5"])
def test_text_that_is_no_statement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a valid condition|condition without a value"):
        parse_condition(text)


documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.text(alphabet='ab.[]"$ 0-=!<>containsexist') | st.text(), documents)
def test_any_text_about_any_document_is_decided_or_refused(text: str, document: object) -> None:
    try:
        statement = parse_condition(text)
    except ValueError:
        return
    assert statement.is_met(document) in {True, False}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), documents, min_size=1))
def test_every_member_equals_itself(document: dict[str, object]) -> None:
    for name, value in document.items():
        written = json.loads(json.dumps(value))
        assert parse_condition(f"{name} == {json.dumps(value)}").is_met({name: written})
