"""What an answer has to be like."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from checkup.checkers import conditions
from checkup.checkers.http import HttpChecker
from checkup.errors import CheckUnknownError
from tests.checkers.answers import RawServer
from tests.checkers.results import attempt_of, result_of
from tests.servers.web import WebServer


@pytest.mark.row("47")
@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (200, ""),
        (299, ""),
        (404, ""),
        (300, "status_300"),
        (403, "status_403"),
        (999, "status_999"),
    ],
)
def test_listed_statuses_and_ranges_are_up(web: WebServer, code: int, failure: str) -> None:
    url = web.url(f"/status/{code}?reason=x")
    checker = HttpChecker(endpoint_url=url, up_statuses=((200, 299), (404, 404)))

    assert attempt_of(checker).failure == failure


@pytest.mark.parametrize(
    ("wanted", "failure", "error"),
    [
        pytest.param({"x-cache": ("hit",)}, "", "", id="contains-in-any-case"),
        pytest.param({"X-Cache": ()}, "", "", id="is-there"),
        pytest.param({"X-Cache": ("",)}, "", "", id="empty-text"),
        pytest.param({"X-Cache": ("HIT", "edge")}, "", "", id="all-of"),
        pytest.param(
            {"X-Cache": ("MISS",)},
            "header_mismatch",
            "response header X-Cache is 'HIT from edge', which does not contain 'MISS'",
            id="other",
        ),
        pytest.param(
            {"X-Other": ()}, "header_mismatch", "response has no header X-Other", id="absent"
        ),
    ],
)
def test_headers_of_the_answer(
    web: WebServer, wanted: dict[str, tuple[str, ...]], failure: str, error: str
) -> None:
    url = web.url("/header/X-Cache:%20HIT%20from%20edge")

    attempt = attempt_of(HttpChecker(endpoint_url=url, must_have_headers=wanted))

    assert (attempt.failure, attempt.error) == (failure, error)


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"must_match": r"v\d+\.\d+"}, ""),
        ({"must_match": "^ready"}, ""),
        ({"must_match": r"v\d{3}"}, r"response does not match 'v\d{3}'"),
        ({"must_not_match": "(?i)READY"}, "response matches '(?i)READY'"),
        ({"must_not_match": "error"}, ""),
        ({"must_match": "grün"}, ""),
    ],
)
def test_patterns(web: WebServer, settings: dict[str, str], error: str) -> None:
    url = web.url(f"/body?text={quote('ready v1.2 grün')}")

    assert attempt_of(HttpChecker(endpoint_url=url, **settings)).error == error  # type: ignore[arg-type]


@pytest.mark.row("150")
@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        (r"(a+)+$", b"a" * 40_000 + b"b"),
        (r"(a|a)*b", b"a" * 40_000),
        (r"\s+$", b" " * 400_000 + b"x"),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", b"a" * 40_000),
    ],
)
def test_no_pattern_hangs(pattern: str, body: bytes) -> None:
    """Under Python's own ``re`` each of these would take until the end of the world."""
    assert not conditions.re2_search(pattern, body)


@pytest.mark.row("52")
@pytest.mark.parametrize("body", [pytest.param(b"\xff\xfe\x00up\xc3", id="invalid-utf8")])
def test_bytes_that_are_no_text_are_searched(body: bytes) -> None:
    assert conditions.re2_search("up", body)
    assert not conditions.re2_search("down", body)


def test_statements_about_json(web: WebServer) -> None:
    text = json.dumps({"status": "ok", "queue": {"depth": 7}})
    url = web.url(f"/body?text={quote(text)}")

    def error(*statements: str) -> str:
        return attempt_of(HttpChecker(endpoint_url=url, must_hold=statements)).error

    assert error("status == ok", "queue.depth < 10") == ""
    assert error("status == ok", "queue.depth < 5") == "condition not met: queue.depth < 5"
    assert error("queue.name exists") == "condition not met: queue.name exists"


@pytest.mark.parametrize(
    "path",
    ["/body?text=<html>", "/body", "/body?text={%22a%22:1", "/body?text=NaN", "/brackets"],
)
def test_what_is_no_json_has_its_own_class(web: WebServer, path: str) -> None:
    attempt = attempt_of(HttpChecker(endpoint_url=web.url(path), must_hold=("a exists",)))

    assert attempt.failure == "body_not_json"
    assert attempt.error.startswith("response is not JSON")


@pytest.mark.row("53")
@pytest.mark.parametrize(
    ("settings", "error"),
    [
        pytest.param({"max_body": 7}, "response does not contain 'needle' in its first 7 bytes"),
        pytest.param({"max_body": 12}, ""),
        pytest.param({"max_body": 13}, ""),
    ],
    ids=["below", "exactly", "above"],
)
def test_body_is_read_to_a_configured_length(
    web: WebServer, settings: dict[str, Any], error: str
) -> None:
    url = web.url("/body?text=......needle......")

    attempt = attempt_of(HttpChecker(endpoint_url=url, must_contain="needle", **settings))

    assert attempt.error == error


@pytest.mark.parametrize("name", ["up_statuses", "must_have_headers"])
def test_body_is_not_read_when_the_head_is_wrong(web: WebServer, name: str) -> None:
    settings: dict[str, Any] = {"up_statuses": ((201, 204),)}
    if name == "must_have_headers":
        settings = {"must_have_headers": {"X-None": ()}}
    checker = HttpChecker(endpoint_url=web.url("/stalled-body"), must_contain="x", **settings)

    attempt = attempt_of(checker, seconds=5)

    assert attempt.failure in {"status_200", "header_mismatch"}


def test_spacing_follows_an_answer_with_wrong_headers(web: WebServer) -> None:
    checker = HttpChecker(
        endpoint_url=web.url(), must_have_headers={"X-None": ()}, attempt_spacing=5
    )

    assert checker.pause_after(attempt_of(checker)) == 5


def test_pattern_without_the_extra_is_unknown(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "re2", None)
    conditions._compiled.cache_clear()
    checker = HttpChecker(endpoint_url=web.url(), must_match="up")

    with pytest.raises(CheckUnknownError) as raised:
        attempt_of(checker)

    assert raised.value.failure == "unsupported"
    assert "extra 'patterns'" in str(raised.value)
    assert result_of(checker).failure == "unsupported"


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


def serve(raw: RawServer, body: bytes, *lines: str) -> str:
    head = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *lines, "", ""]
    raw.answer = "\r\n".join(head).encode() + body
    return f"{raw.url}/"


CHARSETS = [
    ("text/html; charset=GBK", "gbk", "系统错误"),
    ("text/html;charset='gb2312'", "gb18030", "系统错误镕"),
    ("text/html; charset=ISO-8859-1", "latin-1", "Störung"),
    ("text/html; charset=iso-8859-1", "cp1252", "“Störung” €"),
    ("text/html; charset=Shift_JIS", "shift_jis", "障害"),
    ("text/html; charset=EUC-KR", "euc-kr", "오류"),
    ("text/html; charset=Big5", "big5", "錯誤"),
    ("text/html; charset=windows-1251", "cp1251", "ошибка"),
    ("text/html; charset=KOI8-R", "koi8-r", "ошибка"),
    ("text/plain; charset=UTF-16", "utf-16", "error"),
    ("text/plain; charset=utf-16be", "utf-16-be", "error"),
    ("text/plain", "utf-16", "a mark says it: Störung"),
    ("text/plain; charset=latin1", "utf-8", "the header is wrong: Störung"),
    ("text/plain; charset=zlib", "utf-8", "no charset: Störung"),
    ("text/plain; charset=no-such", "utf-8", "no charset: Störung"),
    ("text/plain; charset=utf-8", "utf-8-sig", "Störung"),
]


@pytest.mark.parametrize(("content_type", "codec", "word"), CHARSETS)
def test_text_is_found_in_any_charset(
    raw: RawServer, content_type: str, codec: str, word: str
) -> None:
    text = f"{word}, {'x' * 5_000}, {word[::-1]}"
    url = serve(raw, text.encode(codec), f"Content-Type: {content_type}")

    def failure(**settings: Any) -> str:
        return attempt_of(HttpChecker(endpoint_url=url, **settings)).failure

    for part in (word, word[::-1]):
        assert failure(must_contain=part) == failure(must_match=part) == ""
        assert failure(must_not_contain=part) == failure(must_not_match=part) == "body_mismatch"
    assert failure(must_contain=word + "?", must_match=word) == "body_mismatch"
    assert failure(must_not_contain=word + "?", must_not_match=word + "!", must_match="^..") == ""


@pytest.mark.parametrize(
    "start",
    [
        '<html><meta charset="windows-1251">',
        "<meta http-equiv=content-type content='text/html; charset=windows-1251'>",
        '<?xml version="1.0" encoding="windows-1251"?>',
    ],
)
def test_charset_in_html(raw: RawServer, start: str) -> None:
    url = serve(raw, f"{start}ошибка".encode("cp1251"), "Content-Type: text/html")

    assert attempt_of(HttpChecker(endpoint_url=url, must_contain="ошибка")).error == ""


@pytest.mark.parametrize(
    "body",
    [
        '\ufeff{"a": {"name": "Zürich", "id": 5}}'.encode(),
        '{"a": {"name": "Zürich", "id": 5}}'.encode("latin-1"),
        '{"a": {"name": "Zürich", "id": 5}}'.encode("utf-16"),
        '{"a": {"name": "Zürich", "id": 5}, "b": "\\ud800"}'.encode(),
        '{"a": {"name": "Zürich", "id": 5}, "b": 1e999, "c": -1E-999}'.encode(),
        '{"a": {"name": "Zürich", "id": 5}, "b": 123456789012345678901234567890}'.encode(),
        '{"a": {"name": "Zürich", "id": 5}, "b": '.encode() + b"9" * 9_000 + b"}",
    ],
)
def test_json_as_lenient_parsers_read_it(raw: RawServer, body: bytes) -> None:
    url = serve(raw, body, "Content-Type: application/json")
    holds = (
        ("a.name == Zürich", "a.id == 5", "b not exists") if b'"b"' not in body else ("a.id < 6",)
    )

    assert attempt_of(HttpChecker(endpoint_url=url, must_hold=holds)).error == ""


@pytest.mark.parametrize(
    ("settings", "failure"),
    [
        ({"must_not_contain": "FATAL"}, "client_limit"),
        ({"must_not_match": "FATAL"}, "client_limit"),
        ({"must_not_contain": "E"}, "client_limit"),
        ({"must_not_contain": "x", "must_not_match": "FATAL"}, "body_mismatch"),
        ({"must_not_contain": "FATAL", "max_body": 105}, "body_mismatch"),
        ({"must_not_contain": "FATAL", "must_contain": "y"}, "body_mismatch"),
    ],
)
def test_what_must_not_be_there_may_be_behind_the_cap(
    raw: RawServer, settings: dict[str, Any], failure: str
) -> None:
    checker = HttpChecker(
        endpoint_url=serve(raw, b"x" * 100 + b"FATAL"), **{"max_body": 100, **settings}
    )

    assert result_of(checker).failure == failure


def test_unwanted_text_is_absent_if_the_body_ends_at_the_cap(raw: RawServer) -> None:
    url = serve(raw, b"x" * 100)

    attempt = attempt_of(HttpChecker(endpoint_url=url, max_body=100, must_not_contain="FATAL"))

    assert attempt.error == ""
