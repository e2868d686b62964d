"""The JSON that is read, held against Python's reader and Go's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.config import source
from checkup.config.parse_json import parse_json
from checkup.config.source import ArrayNode, Diagnostics, Node, ObjectNode, ScalarNode, ScalarStyle
from checkup.errors import ConfigError, Problem

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=20,
)


def plain(node: Node) -> Any:
    if isinstance(node, ObjectNode):
        return {member.key: plain(member.value) for member in node.members}
    if isinstance(node, ArrayNode):
        return [plain(item) for item in node.items]
    return node.text if node.form is ScalarStyle.QUOTED else json.loads(node.text)


def problem_of(text: str) -> Problem:
    with pytest.raises(ConfigError) as caught:
        parse_json(Diagnostics("f.json", text))
    (problem,) = caught.value.problems
    return problem


@given(VALUES, st.sampled_from([{}, {"ensure_ascii": False}, {"indent": 1}, {"indent": "\t"}]))
def test_whatever_python_writes_is_read_back(value: Any, style: dict[str, Any]) -> None:
    text = json.dumps(value, **style)
    report = Diagnostics("f.json", text)
    assert plain(parse_json(report)) == value
    assert report.warnings == ()


@given(st.text(alphabet="{}[]\",:/*\\ \n-+.0123456789eEtrufalsn'#u\ud800\ufeff", max_size=40))
def test_what_is_read_without_a_warning_is_json(text: str) -> None:
    report = Diagnostics("f.json", text)
    try:
        found = plain(parse_json(report))
    except ConfigError:
        return
    if not report.warnings:
        assert found == json.loads(text, object_pairs_hook=dict)


@given(VALUES, st.data())
def test_every_node_stands_where_it_says(value: Any, data: st.DataObject) -> None:
    text = json.dumps(value, indent=data.draw(st.sampled_from([None, 2])))
    begins = {ObjectNode: "{", ArrayNode: "["}
    pending = [parse_json(Diagnostics("f.json", text))]
    while pending:
        node = pending.pop()
        if isinstance(node, ScalarNode):
            written = '"' if node.form is ScalarStyle.QUOTED else node.text
            assert text.startswith(written, node.offset)
            continue
        assert text[node.offset] == begins[type(node)]
        pending += node.items if isinstance(node, ArrayNode) else ()
        for member in node.members if isinstance(node, ObjectNode) else ():
            assert json.JSONDecoder().raw_decode(text, member.offset)[0] == member.key
            pending.append(member.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud800"', "\ufffd"),
        (r'"\ud800x\udc00"', "\ufffdx\ufffd"),
        (r'"\ud800\ud83d\ude00"', "\ufffd😀"),
        (r'"\u0000\/\b"', "\x00/\b"),
        ('"\x7f\u2028"', "\x7f\u2028"),
    ],
)
def test_escapes_are_read_as_go_reads_them(text: str, expected: str) -> None:
    assert plain(parse_json(Diagnostics("f.json", text))) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"\xff", "\ufffd"), (b"\xe2\x82", "\ufffd" * 2), (b"\xed\xa0\x80", "\ufffd" * 3)],
)
def test_bytes_that_are_not_utf8_become_one_replacement_each(
    tmp_path: Any, body: bytes, expected: str
) -> None:
    path = tmp_path / "checkup.json"
    path.write_bytes(b'\n"' + body + b'"')
    report = source.decode_source(str(path), path.read_bytes())
    assert plain(parse_json(report)) == expected
    assert [(problem.line, problem.column) for problem in report.warnings] == [(2, 2)]


@pytest.mark.parametrize(
    ("text", "place", "said", "fix"),
    [
        pytest.param("{'a': 1}", (1, 2), "single quotes", "double", id="single-quotes"),
        pytest.param("{a: 1}", (1, 2), "without quotes", 'write "a"', id="bare-key"),
        pytest.param('{"a": b}', (1, 7), "without quotes", "double", id="bare-word"),
        pytest.param('{"a": True}', (1, 7), "not valid in JSON", "write true", id="python-word"),
        pytest.param('{"a": NaN}', (1, 7), "NaN is not a number", "number", id="nan"),
        pytest.param('{"a": -Infinity}', (1, 7), "a value", "", id="minus-infinity"),
        pytest.param('{"a": 007}', (1, 7), "leading zero", "remove", id="leading-zero"),
        pytest.param('{"a": .5}', (1, 7), "invalid number", "digits", id="bare-fraction"),
        pytest.param('{"a": 1.}', (1, 7), "invalid number", "digits", id="open-fraction"),
        pytest.param('{"a": +1}', (1, 7), "invalid number", "digits", id="plus"),
        pytest.param('{"a": 0x1F}', (1, 7), "invalid number", "digits", id="hexadecimal"),
        pytest.param('{"a" 1}', (1, 6), "expected a colon", "missing", id="no-colon"),
        pytest.param('{"a": }', (1, 7), "value is missing", "", id="no-value"),
        pytest.param('{"a": 1\n"b": 2}', (2, 1), "expected a comma or }", "missing", id="no-comma"),
        pytest.param("[1 2]", (1, 4), "expected a comma or ]", "missing", id="no-comma-in-list"),
        pytest.param("[1,,2]", (1, 4), "value is missing before ,", "", id="two-commas"),
        pytest.param('{,"a": 1}', (1, 2), "extra comma", "remove", id="leading-comma"),
        pytest.param("[,]", (1, 2), "value is missing before ,", "", id="only-a-comma"),
        pytest.param('{"a": [1}', (1, 9), "expected a comma or ]", "", id="wrong-bracket"),
        pytest.param('{"a":\n {"b": 1', (2, 9), "in the object that starts on line 2",
                     "close it with }", id="unfinished-object"),
        pytest.param("\n[1,", (2, 4), "in the list that starts on line 2", "]",
                     id="unfinished-list"),
        pytest.param('{"a"', (1, 5), "end of file, expected a colon", "", id="unfinished-key"),
        pytest.param('{"a', (1, 2), "never closed", 'with "', id="unfinished-text"),
        pytest.param('{"a": "b\n}', (1, 7), "not closed on its line", "\\n", id="text-over-lines"),
        pytest.param('["a\tb"]', (1, 4), "raw tab", "\\t", id="raw-tab"),
        pytest.param('["a\x01b"]', (1, 4), "control character", "remove", id="raw-control"),
        pytest.param(r'["C:\dir"]', (1, 5), "escape", r"\\", id="bad-escape"),
        pytest.param(r'["\u12"]', (1, 3), "escape", r"\\", id="short-escape"),
        pytest.param("{} // end\n /* open", (2, 2), "unfinished comment", "", id="open-comment"),
        pytest.param("{ # note\n}", (1, 3), "# comment", "//", id="hash-comment"),
        pytest.param("{\u201ca\u201d: 1}", (1, 2), "typographic", "straight", id="smart-quotes"),
        pytest.param('{\u00a0"a": 1}', (1, 2), "no-break space", "ordinary", id="no-break-space"),
        pytest.param("\x00{}", (1, 1), "zero byte", "UTF-8", id="zero-byte"),
        pytest.param("[" * 101, (1, 101), "more than 100", "", id="too-deep"),
    ],
)  # fmt: skip
def test_what_is_not_json_is_refused_with_place_and_advice(
    text: str, place: tuple[int, int], said: str, fix: str
) -> None:
    problem = problem_of(text)
    assert (problem.line, problem.column) == place
    assert said in problem.text
    assert fix in problem.fix


def test_the_key_of_a_mistake_is_named() -> None:
    problem = problem_of('{"checkers": [{"type": "http"}, {"headers": {"A": [1, oops]}}]}')
    assert problem.key == "checkers[1].headers.A[1]"


def test_a_mistake_shows_nothing_of_the_text_around_it() -> None:
    for text in ('{"password": s3cret}', '{"a": "s3cret"s3cret}', '{"a": "s3cret\n'):
        assert "s3cret" not in str(problem_of(text))


@pytest.mark.parametrize(
    "text",
    ["[" + "/**/" * 200_000, '"' + "\\" * 400_001, '"' + "a\\n" * 200_000, "/*" + "*" * 400_000,
     "[" + "1," * 200_000, "{" + '"a":1,' * 100_000, "\r\n" * 200_000 + "?", "-" * 400_000],
    ids=["comments", "backslashes", "escapes", "stars", "items", "members", "lines", "minus"],
)  # fmt: skip
def test_long_files_take_time_by_their_length(text: str) -> None:
    problem = problem_of(text)
    assert problem.line >= 1
