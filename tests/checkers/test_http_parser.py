"""Responses are read like mainstream clients read them, however the bytes arrive."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterable, Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkup.checkers.failures import CheckFailedError
from checkup.checkers.http_parser import MAX_HEAD, BodyDecoder, Data, End, Head, ResponseParser
from checkup.errors import CheckUnknownError
from tests.checkers.answers import answers, plausible

ROOT = Path(__file__).parents[2]
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def parse(pieces: Iterable[bytes], method: str = "GET") -> tuple[Head | None, bytes, str]:
    """Return the head, the body and the class of the failure."""
    parser, head, body = ResponseParser(method), None, b""
    waiting = iter([*filter(None, pieces), b""])
    try:
        while not isinstance(event := parser.next_event(), End):
            if event is None:
                parser.feed(next(waiting))
            elif isinstance(event, Data):
                body += event.content
            else:
                head = event
    except (CheckFailedError, CheckUnknownError) as failed:
        return head, body, failed.failure
    return head, body, ""


def outcome(answer: bytes, method: str = "GET") -> tuple[int, bytes, str]:
    head, body, failure = parse([answer], method)
    return head.status if head else 0, body, failure


@settings(max_examples=200, deadline=None)
@given(answer=answers | plausible)
def test_bytes_one_by_one_are_the_same_as_all_at_once(answer: bytes) -> None:
    assert parse(answer[at : at + 1] for at in range(len(answer))) == parse([answer])


names = st.text("abcXYZ-09", min_size=1, max_size=12).map(lambda name: f"X-{name}")
values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=5)


@settings(max_examples=200, deadline=None)
@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    reason=values,
    fields=st.lists(st.tuples(names, values), max_size=6),
    body=chunks,
    framing=st.sampled_from(["length", "chunked", "close"]),
)
def test_well_formed_responses_are_what_http_client_reads(
    status: int, reason: str, fields: list[tuple[str, str]], body: list[bytes], framing: str
) -> None:
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in fields)]
    content = b"".join(body)
    if framing == "length":
        lines.append(f"Content-Length: {len(content)}")
    elif framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
        content = b"".join(b"%x;a=b\r\n%s\r\n" % (len(it), it) for it in body) + b"0\r\n\r\n"
    answer = "\r\n".join([*lines, "", ""]).encode() + content

    head, read, failure = parse([answer])

    expected = http_client(answer)
    assert head
    assert (head.status, head.reason) == (expected.status, expected.reason)
    assert [(name, head.text(name)) for name, _ in fields] == [
        (name, ", ".join(expected.headers.get_all(name, []))) for name, _ in fields
    ]
    assert (read, failure) == (expected.read(), "")


def http_client(answer: bytes) -> HTTPResponse:
    class Socket:
        def makefile(self, *_: object) -> io.BytesIO:
            return io.BytesIO(answer)

    response = HTTPResponse(Socket())  # type: ignore[arg-type]
    response.begin()
    return response


@pytest.mark.parametrize(
    "line",
    [
        *("HTTP/2.0 503 Down", "HTTP/2 503", "HTTP/3 503 x", "HTTP/0.0 503", "HTTP/1.10 503 x"),
        *(
            "http/1.1 503 x",
            "HTTP/1.1  503 x",
            "HTTP/1.1\t503 x",
            "HTTP/1.1 503x",
            "HTTP/1.1 503 ",
            "HTTP/ 503 x",
        ),
    ],
)
def test_status_of_any_version_counts(line: str) -> None:
    assert outcome(line.encode() + b"\r\n" + LENGTH) == (503, b"hello", "")


@pytest.mark.parametrize(
    "line",
    [
        *("HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 OK", "HTTP 200 OK", "ICY 200 OK"),
        *("RTSP/1.0 200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 -20 OK", "<html>"),
    ],
)
def test_other_first_lines_are_not_http(line: str) -> None:
    assert outcome(line.encode() + b"\r\n" + LENGTH) == (0, b"", "protocol")


def test_a_banner_is_noticed_before_the_server_says_more() -> None:
    parser = ResponseParser("GET")
    parser.feed(b"SSH-2.0-OpenSSH_9.9\r\n")

    with pytest.raises(CheckFailedError, match="not HTTP"):
        parser.next_event()


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        (b"X: a\r\n", "x", "a"),
        (b"X: a\n", "X", "a"),
        (b"X: a\r\nX:b\r\n", "X", "a, b"),
        (b"X: a\r\n b\r\n\tc\r\n", "X", "a b c"),
        (b"X:\r\n a\r\n", "X", "a"),
        (b" folded from nothing\r\nX: a\r\n", "X", "a"),
        (b"no colon\r\n folded\r\nX: a\r\n", "X", "a"),
        (b": no name\r\nX: a\r\n", "X", "a"),
        (b"X : a\r\n", "X", "a"),
        (b"My Header: a\r\n", "My Header", "a"),
        ("X: grün\r\n".encode(), "X", "grün"),
        ("X: grün\r\n".encode("latin-1"), "X", "grün"),
        (b"X: a\r\r\n", "X", "a"),
        (b"X: a\x00b\r\n", "X", "a\x00b"),
        (b"X: y\r\n" * 5_000 + b"Z: a\r\n", "Z", "a"),
        (b"X: " + b"y" * 500_000 + b"\r\nZ: a\r\n", "Z", "a"),
        (b"X: y\r\n", "Z", None),
    ],
)
def test_header_lines(lines: bytes, name: str, value: str | None) -> None:
    head, body, failure = parse([OK + lines + LENGTH])

    assert head
    assert head.text(name) == value
    assert (body, failure) == (b"hello", "")


@pytest.mark.parametrize("unit", [b"X: y\r\n", b"X", b" \n", b"\n\r\r"])
def test_more_than_a_mebibyte_of_headers_is_a_limit_of_the_client(unit: bytes) -> None:
    for start in (b"HTTP/1.1 ", OK + b"Y: "):
        endless = start + unit * (MAX_HEAD // len(unit) + 1)

        assert outcome(endless)[2] in {"client_limit", "protocol" if start != OK + b"Y: " else ""}
    assert outcome(OK + b"Y: " + b"y" * (MAX_HEAD - 200) + b"\r\n" + LENGTH) == (200, b"hello", "")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(2, (200, b"hello", "")), (500, (200, b"hello", "")), (50_000, (0, b"", "protocol"))],
)
def test_interim_responses_are_skipped(count: int, expected: tuple[int, bytes, str]) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"

    assert outcome(interim * (count // 2) + OK + LENGTH) == expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", (0, b"", "empty_reply")),
        (b"\r\n", (0, b"", "empty_reply")),
        (b"\r\n" + OK + LENGTH, (200, b"hello", "")),
        (b"HTT", (0, b"", "protocol")),
        (b"HTTP/1.1 200 OK", (0, b"", "protocol")),
        (OK, (200, b"", "")),
        (OK + b"Content-Length: 5\r\nX: y", (200, b"", "short_body")),
        (OK + b"\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length: 5\r\n\r\nhell", (200, b"hell", "short_body")),
        (OK + b"Content-Length: 5\r\n\r\nhello, more", (200, b"hello", "")),
        (OK + b"Content-Length: 5, 5\r\n\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length: 5\r\nContent-Length: 05\r\n\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length: 5, 6\r\n\r\nhello!", (0, b"", "protocol")),
        (OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", (0, b"", "protocol")),
        (OK + b"Content-Length: +5\r\n\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length: -1\r\n\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length:\r\n\r\nhello", (200, b"hello", "")),
        (OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\nhello", (200, b"hello", "")),
        (b"HTTP/1.1 204 No\r\n" + LENGTH, (204, b"", "")),
        (b"HTTP/1.1 304 No\r\n" + LENGTH, (304, b"", "")),
        (b"HTTP/1.1 101 No\r\n\r\nhello", (101, b"", "")),
        (CHUNKED + b"5\r\nhello\r\n0\r\n\r\n", (200, b"hello", "")),
        (CHUNKED + b"5\nhello\n0\n\n", (200, b"hello", "")),
        (CHUNKED + b"05 ; a=b\r\nhello\r\n00\r\nX: trailer\r\n\r\n", (200, b"hello", "")),
        (CHUNKED + b"5\r\nhello\r\n0\r\n", (200, b"hello", "short_body")),
        (CHUNKED + b"5\r\nhello\r\n", (200, b"hello", "short_body")),
        (CHUNKED + b"6\r\nhello", (200, b"hello", "short_body")),
        (CHUNKED + b"5\r\nhello0\r\n\r\n", (200, b"hello", "protocol")),
        (CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", (200, b"", "protocol")),
        (CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", (200, b"", "protocol")),
        (CHUNKED + b"5" * 17 + b"\r\nhello", (200, b"", "protocol")),
        (CHUNKED + b"hello", (200, b"", "short_body")),
        (CHUNKED + b"5;" + b"x" * 70_000, (200, b"", "protocol")),
        (CHUNKED + b"0\r\n" + b"x: y\r\n" * 300_000, (200, b"", "protocol")),
        (b"HTTP/1.0" + CHUNKED[8:] + b"5\r\nhello\r\n0\r\n\r\n", (200, b"hello", "")),
        (OK + b"Transfer-Encoding: identity, Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         (200, b"hello", "")),
        (OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         (200, b"hello", "")),
        (OK + b"Transfer-Encoding: identity\r\n" + LENGTH, (200, b"hello", "")),
    ],
)  # fmt: skip
def test_body_and_where_it_ends(answer: bytes, expected: tuple[int, bytes, str]) -> None:
    assert outcome(answer) == expected


def test_response_to_head_or_connect_has_no_body() -> None:
    assert outcome(OK + b"Content-Length: 5\r\n\r\n", "HEAD") == (200, b"", "")
    parser = ResponseParser("CONNECT")
    parser.feed(OK + b"\r\nearly")

    assert isinstance(parser.next_event(), Head)
    assert isinstance(parser.next_event(), End)
    assert parser.unread == b"early"


def raw_deflate(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


def brotli(data: bytes) -> bytes:
    import brotli

    return bytes(brotli.compress(data))


def zstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(data))


CODINGS: dict[str, Any] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "br": ("br", brotli),
    "zstd": ("zstd", zstd),
    "two": ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
}
LONG = b"".join(b"%d, " % (number * number) for number in range(20_000))


@pytest.fixture
def with_encodings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra for them, which is not installed in the environment of the tests."""
    folder = ROOT / "var" / "tools" / "encodings"
    if not folder.exists():
        pytest.skip("scripts/tools encodings has not been run")
    monkeypatch.syspath_prepend(folder)


def codings(name: str) -> list[str]:
    return Head(200, "", (("Content-Encoding", name.encode()),)).codings


def decode(name: str, data: bytes, step: int = 65_536, limit: int = 1 << 24) -> bytes:
    decoder = BodyDecoder(codings(name), limit)
    found = b""
    for at in range(0, len(data), step):
        found += b"".join(decoder.decode(data[at : at + step]))
        if decoder.is_full:
            return found
    decoder.finish()
    return found


@pytest.mark.usefixtures("with_encodings")
@pytest.mark.parametrize("coding", CODINGS)
def test_codings(coding: str) -> None:
    name, compress = CODINGS[coding]
    packed = compress(LONG)

    assert decode(name, packed) == LONG
    assert decode(name, packed, step=97) == LONG
    assert decode(name, packed, limit=1_000) == LONG[:1_000]
    assert decode(name, compress(b"")) == decode(name, b"") == b""
    if coding != "br":  # the library, as curl, takes nothing behind its end
        assert decode(name, packed + b"\x00junk" * 5) == LONG
    for cut in (1, 5, len(packed) // 2):
        with pytest.raises(CheckFailedError, match="ended early"):
            decode(name, packed[:-cut])
    with pytest.raises(CheckFailedError):
        decode(name, b"<html>this is not compressed at all</html>" * 9)


@pytest.mark.usefixtures("with_encodings")
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_one_after_the_other(coding: str) -> None:
    name, compress = CODINGS[coding]
    packed = compress(b"hello, ") + compress(LONG)

    assert decode(name, packed) == decode(name, packed, step=97) == b"hello, " + LONG
    with pytest.raises(CheckFailedError, match="ended early"):
        decode(name, packed[:-9])


def test_checksum_of_gzip_is_checked() -> None:
    packed = bytearray(gzip.compress(LONG))
    packed[-5] ^= 1

    with pytest.raises(CheckFailedError, match="cannot be decoded"):
        decode("gzip", bytes(packed))


@pytest.mark.usefixtures("with_encodings")
@pytest.mark.parametrize("coding", CODINGS)
def test_bomb_is_not_unpacked(coding: str) -> None:
    name, compress = CODINGS[coding]
    decoder = BodyDecoder(codings(name), 1_000_000)
    pieces: Iterator[bytes] = decoder.decode(compress(bytes(20_000_000)))

    assert max(map(len, pieces)) <= 4 * 65_536
    assert decoder.is_full


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "dcb", "gzip, br"])
def test_coding_that_is_not_supported_here_is_unknown(
    coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("brotli", "backports", "backports.zstd", "compression"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(CheckUnknownError) as raised:
        decode(coding, b"?")

    assert raised.value.failure == "unsupported"
    if "br" in coding:
        assert "extra 'encodings'" in str(raised.value)


@pytest.mark.parametrize("coding", ["", "identity", "utf-8", "none", "rot13"])
def test_what_is_no_coding_is_none(coding: str) -> None:
    assert decode(coding, b"hello") == b"hello"


def test_http_client_reads_fewer() -> None:
    """What the parser is for; when this fails, perhaps it is not needed any more."""
    with pytest.raises(HTTPException):
        http_client(b"HTTP/2.0 503 Down\r\n\r\n")
