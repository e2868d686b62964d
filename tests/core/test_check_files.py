"""Check files: Go's bytes, and a reader for everything that Go and its forks wrote."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.model import (
    LATE_PREFIX,
    RUNS_PREFIX,
    Attempt,
    Phases,
    Result,
    Run,
    decode_results,
    encode_results,
    key_time,
    run_key,
)
from tests import gofile

FULL = Result(
    title="API",
    endpoint="https://api.example.com/?key=***",
    timestamp=1_501_523_631_505_010_894,
    attempts=(
        Attempt(rtt=0, error="no such host", failure="dns_nxdomain"),
        Attempt(rtt=5, phases=Phases(resolve=1, wait=4), certificate_expiry=1_600_000_000_000),
    ),
    threshold=500_000_000,
    healthy=True,
    degraded=True,
    down=True,
    notice="slow",
    message="we are on it",
    id="api",
    kind="http",
    region="eu-west-1",
    rechecks=2,
)

# Made by hand after what real directories hold: an old one, a fork's with keys of its own, one
# with errors, and one of the newest version with everything.
GO_FILES = {
    "old": b'[{"title":"a","endpoint":"https://a.example","timestamp":1499858761929440223,'
    b'"times":[{"rtt":183623988},{"rtt":124363480}],"healthy":true}]',
    "errors": b'[{"title":"b","endpoint":"b.example:80","timestamp":1533475671987383341,'
    b'"times":[{"rtt":5069378935,"error":"Get http://b.example: net/http: timeout awaiting '
    b'response headers"},{"rtt":1}],"down":true}]',
    "new": b'[{"title":"c \\u003c\\u0026\\u003e \xc3\xa9 \\u2028","timestamp":1,"times":['
    b'{"rtt":0,"error":"\\"x\\"\\n\\t\\\\"}],"threshold":4000000000,"degraded":true,'
    b'"notice":"median round trip time exceeded threshold (4s)","message":"\\u003cb\\u003e"}]',
    "empty": b"[]",
}


def only(body: bytes) -> Result:
    (result,) = decode_results(body)
    return result


# Names and keys


@pytest.mark.row("C08")
@pytest.mark.parametrize(
    ("run", "key"),
    [
        (Run(slot=1_501_523_631_505_010_894, results=()), "runs/1501523631505010894-check.json"),
        (Run(slot=60, region_index=2, results=()), "runs/0000000000000000062-check.json"),
    ],
    ids=["nineteen-digits", "padded-and-apart-by-region"],
)
def test_a_run_has_a_name_that_sorts_by_time(run: Run, key: str) -> None:
    assert run_key(run) == key
    assert re.fullmatch(r"\d{19}-check\.json", key.removeprefix(RUNS_PREFIX))
    assert key_time(key) == run.slot + run.region_index


def test_a_name_is_known_wherever_it_lies() -> None:
    name = "1501523631505010894-check.json"
    assert {
        key_time(name),
        key_time(RUNS_PREFIX + name),
        key_time(LATE_PREFIX + name),
        key_time(f"a/b/{name}"),
    } == {1_501_523_631_505_010_894}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "latest.json",
        "index.json",
        "runs/",
        "1501523631505010894-check.json.tmp",
        "150152363150501089-check.json",
        "15015236315050108940-check.json",
        "\u0661" * 19 + "-check.json",
        "x1501523631505010894-check.json",
        "1501523631505010894-check.json/x",
        "1501523631505010894-check.json\n",
    ],
)
def test_other_names_have_no_slot(key: str) -> None:
    assert key_time(key) is None


# Writing


@pytest.mark.row("C01")
def test_one_title_is_written_as_go_writes_it() -> None:
    assert encode_results([Result(title="Testing")]) == b'[{"title":"Testing"}]'


@pytest.mark.row("C09")
def test_no_checkers_are_an_empty_array() -> None:
    assert encode_results([]) == b"[]"


@pytest.mark.row("C02")
def test_keys_of_go_come_first_in_its_order_and_ours_follow() -> None:
    (result,) = json.loads(encode_results([FULL]))
    assert list(result) == [
        *("title", "endpoint", "timestamp", "times", "threshold"),
        *("healthy", "degraded", "down", "notice", "message"),
        *("id", "kind", "region", "rechecks"),
    ]
    assert [list(attempt) for attempt in result["times"]] == [
        ["rtt", "error", "failure"],
        ["rtt", "phases", "certificate_expiry"],
    ]
    assert result["times"][1]["phases"] == {"resolve": 1, "wait": 4}


@pytest.mark.row("C02")
def test_empty_values_are_left_out_but_the_round_trip_time() -> None:
    assert encode_results([Result(attempts=(Attempt(),))]) == b'[{"times":[{"rtt":0}]}]'
    assert encode_results([Result()]) == b"[{}]"


@pytest.mark.row("B06")
def test_threshold_is_written_unless_it_is_0() -> None:
    assert encode_results([Result(threshold=5)]) == b'[{"threshold":5}]'
    assert encode_results([Result(threshold=0)]) == b"[{}]"


@pytest.mark.row("C03")
@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("<a href='x'>&</a>", rb"\u003ca href='x'\u003e\u0026\u003c/a\u003e"),
        ("\u2028\u2029", rb"\u2028\u2029"),
        ("gr\u00fc\u00dfe \U0001f600", "gr\u00fc\u00dfe \U0001f600".encode()),
        ("\x00\x1f\x7f", b"\\u0000\\u001f\x7f"),
        ("\b\f\n\r\t", rb"\u0008\u000c\n\r\t"),
        ('"\\', rb"\"\\"),
        ("\\b \\\\f \\<", rb"\\b \\\\f \\\u003c"),
        ("a\ud83db", rb"a\ufffdb"),
        ("\udcff", rb"\ufffd"),
    ],
    ids=["html", "separators", "raw", "control", "short", "quotes", "backslashes", "half", "byte"],
)
def test_text_is_escaped_as_go_escapes_it(text: str, written: bytes) -> None:
    assert encode_results([Result(title=text)]) == b'[{"title":"' + written + b'"}]'


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=12)
int64s = st.integers(-(2**63), 2**63 - 1)
phases = st.builds(Phases, resolve=int64s, connect=int64s, tls=int64s, wait=int64s)
attempts = st.builds(
    Attempt,
    rtt=int64s,
    error=texts,
    failure=texts,
    phases=st.none() | phases,
    certificate_expiry=int64s,
)
any_results = st.builds(
    Result,
    title=texts,
    endpoint=texts,
    timestamp=int64s,
    attempts=st.lists(attempts, max_size=3).map(tuple),
    threshold=int64s,
    healthy=st.booleans(),
    degraded=st.booleans(),
    down=st.booleans(),
    notice=texts,
    message=texts,
    id=texts,
    kind=texts,
    region=texts,
    rechecks=st.integers(0, 5),
)


def as_go(result: Result) -> gofile.Result:
    """What is left of a result when Go has read it."""
    return gofile.Result(
        title=whole(result.title),
        endpoint=whole(result.endpoint),
        timestamp=result.timestamp,
        times=[gofile.Attempt(a.rtt, whole(a.error)) for a in result.attempts],
        threshold=result.threshold,
        healthy=result.healthy,
        degraded=result.degraded,
        down=result.down,
        notice=whole(result.notice),
        message=whole(result.message),
    )


def whole(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


@pytest.mark.row("C05")
@given(st.lists(any_results, max_size=3))
def test_go_reads_every_file_of_ours(results: list[Result]) -> None:
    assert gofile.read(encode_results(results)) == [as_go(result) for result in results]


@pytest.mark.row("C02", "C03")
@given(st.lists(any_results, max_size=3))
def test_without_keys_of_ours_the_bytes_are_go_s(results: list[Result]) -> None:
    plain = [as_go(result) for result in results]
    read = decode_results(gofile.write(plain))
    assert encode_results(read) == gofile.write(plain)


@given(st.lists(any_results, max_size=3))
def test_what_is_written_reads_back_the_same(results: list[Result]) -> None:
    read = decode_results(encode_results(results))
    assert decode_results(encode_results(read)) == read
    assert [whole(r.title + r.id) for r in results] == [r.title + r.id for r in read]


@pytest.mark.row("C04")
@given(st.lists(any_results, max_size=3))
def test_all_numbers_are_integers(results: list[Result]) -> None:
    def refuse(number: str) -> None:
        pytest.fail(f"{number} is no integer")

    json.loads(encode_results(results), parse_float=refuse, parse_constant=refuse)


# Reading


@pytest.mark.row("C06", "C30")
@pytest.mark.parametrize("body", GO_FILES.values(), ids=GO_FILES.keys())
def test_a_file_of_go_goes_round_unchanged(body: bytes) -> None:
    ours = encode_results(decode_results(body))
    assert ours == body
    assert gofile.write(gofile.read(ours)) == body


def test_values_arrive_where_they_belong() -> None:
    assert decode_results(encode_results([FULL])) == (FULL,)


@pytest.mark.row("C06")
def test_a_final_newline_and_spaces_are_no_matter() -> None:
    assert only(b' [ {"title" : "a"} ]\r\n\t') == Result(title="a")


@pytest.mark.row("C07")
@pytest.mark.parametrize(
    ("body", "result"),
    [
        pytest.param(b"[{}]", Result(), id="nothing"),
        pytest.param(b'[{"title":"a"}]', Result(title="a"), id="title-only"),
        pytest.param(b'[{"healthy":true}]', Result(healthy=True), id="no-times"),
        pytest.param(b'[{"times":[{}]}]', Result(attempts=(Attempt(),)), id="empty-attempt"),
        pytest.param(b'[{"tags":{"a":["b"]},"x":1.5}]', Result(), id="R18-keys-of-a-fork"),
        pytest.param(b'[{"title":null,"times":null}]', Result(), id="null-is-absent"),
        pytest.param(b'[{"times":[null]}]', Result(attempts=(Attempt(),)), id="null-attempt"),
        pytest.param(b"[null]", Result(), id="null-result"),
        pytest.param(b'[{"title":"a","title":"b"}]', Result(title="b"), id="94-last-duplicate"),
        pytest.param(b'[{"title":"\\ud83d!"}]', Result(title="\ufffd!"), id="94-lone-surrogate"),
        pytest.param(b'[{"title":"a\xff"}]', Result(title="a\ufffd"), id="94-not-utf-8"),
        pytest.param(b'[{"x":1e999}]', Result(), id="94-huge-number-in-a-foreign-key"),
        pytest.param(
            b'[{"timestamp":9223372036854775807}]', Result(timestamp=2**63 - 1), id="largest"
        ),
    ],
)
def test_what_go_reads_is_read(body: bytes, result: Result) -> None:
    assert only(body) == result
    assert gofile.read(body) == [as_go(result)]


@pytest.mark.row("C07")
def test_a_result_without_flags_is_unknown() -> None:
    assert only(b'[{"title":"a"}]').status == "unknown"


def test_null_is_no_results() -> None:
    assert decode_results(b"null") == ()
    assert gofile.read(b"null") == []


REFUSED = {
    "94-empty": (b"", "invalid JSON at line 1, column 1"),
    "94-cut-short": (b'[{"title":"a"},', "invalid JSON at line 1, column 16"),
    "94-zeros": (b"\0" * 100, "invalid JSON"),
    "94-object": (b'{"title":"a"}', "expected array, got object"),
    "94-string": (b'""', "expected array, got str"),
    "94-numbers": (b"[1]", "expected object, got int at [0]"),
    "94-text-for-a-number": (b'[{"timestamp":"5"}]', "expected int, got str at [0].timestamp"),
    "94-number-for-text": (b'[{},{"title":5}]', "expected str, got int at [1].title"),
    "94-text-for-a-flag": (b'[{"down":"true"}]', "expected bool, got str at [0].down"),
    "94-flag-for-a-number": (b'[{"times":[{"rtt":true}]}]', "got bool at [0].times[0].rtt"),
    "94-fraction": (b'[{"times":[{"rtt":1.5}]}]', "expected int, got float at [0].times[0].rtt"),
    "94-float": (b'[{"threshold":1.0}]', "expected int, got float at [0].threshold"),
    "94-exponent": (b'[{"timestamp":1e9}]', "expected int, got float at [0].timestamp"),
    "94-1e999": (b'[{"timestamp":1e999}]', "expected int, got float at [0].timestamp"),
    "94-beyond-int64": (b'[{"timestamp":9223372036854775808}]', "at [0].timestamp"),
    "94-5000-digits": (b'[{"timestamp":' + b"9" * 5000 + b"}]", "a number that cannot be read"),
    "94-NaN": (b'[{"timestamp":NaN}]', "a number that cannot be read"),
    "94-NaN-in-a-foreign-key": (b'[{"x":NaN}]', "a number that cannot be read"),
    "94-leading-zero": (b'[{"timestamp":01}]', "invalid JSON"),
    # How deep is too deep is the Python's: from 3.14 on as deep as its stack is, 100,000 and more.
    "94-million-deep": (b'[{"x":' + b"[" * 10**6 + b"]" * 10**6 + b"}]", "nested too deeply"),
    "94-million-open": (b"[" * 10**6, "nested too deeply"),
    "94-byte-order-mark": (b"\xef\xbb\xbf[]", "invalid JSON at line 1, column 1"),
    "94-two-documents": (b"[][]", "invalid JSON at line 1, column 3"),
    "94-raw-newline": (b'[{"title":"a\nb"}]', "invalid JSON at line 1, column 13"),
    "94-comment": (b"[] // all well", "invalid JSON at line 1, column 4"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_go_refuses_is_refused_with_a_sentence(body: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=rf"^not a check file: .*{re.escape(reason)}"):
        decode_results(body)
    with pytest.raises(gofile.GoError):
        gofile.read(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_results_or_a_value_error(body: bytes) -> None:
    try:
        encode_results(decode_results(body))
    except ValueError:
        return


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["title", "times", "rtt", "timestamp", "down", "x", "phases"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_what_ours_reads_go_reads_alike(value: object) -> None:
    body = json.dumps(value).encode()
    try:
        results = decode_results(body)
    except ValueError:
        return
    assert gofile.read(body) == [as_go(result) for result in results]
