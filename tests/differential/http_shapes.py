"""Responses that servers do give, however odd: each is served to us and to other clients.

Most were seen in bug reports about HTTP clients. ``DIFFERENCES`` are those where we mean to differ
from curl: where clients differ, the one that gets through wins.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

OK: Final = b"HTTP/1.1 200 OK\r\n"
HELLO: Final = b"Content-Length: 5\r\n\r\nhello"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LONG: Final = b"".join(b"line %d of a longer text\n" % number for number in range(5_000))


class Shape(Struct, frozen=True):
    """What a server does with requests for the paths below one of its folders.

    Attributes:
        pages: the bytes that it sends, by path; ``?`` and what follows is part of it.
        end: whether it then closes the connection, breaks it or leaves it open.
        cookies: cookies that a path must be asked for with; else it answers 403.
    """

    pages: Mapping[str, bytes]
    end: Literal["close", "reset", "open"] = "close"
    cookies: Mapping[str, frozenset[str]] = {}


def shapes() -> dict[str, Shape]:
    """Return all shapes by name; a name begins with its kind."""
    found: dict[str, Shape] = {}
    kinds = (
        *(_status_lines(), _header_lines(), _lengths(), _chunks(), _interim(), _early_ends()),
        *(_codings(), _no_bodies()),
    )
    for kind in kinds:
        for name, answer in kind:
            assert name not in found
            found[name] = Shape({"/": answer})
    for name, answer in (("length", OK + HELLO), ("chunks", CHUNKED + b"5\r\nhello\r\n0\r\n\r\n")):
        found[f"stays open after {name}"] = Shape({"/": answer}, "open")
    found["stays open after 204"] = Shape({"/": b"HTTP/1.1 204 No\r\n\r\n"}, "open")
    found["reset in the body"] = Shape({"/": OK + b"Content-Length: 9\r\n\r\nhello"}, "reset")
    found["reset in the head"] = Shape({"/": OK + b"X: "}, "reset")
    found["reset at once"] = Shape({"/": b""}, "reset")
    found.update(_redirects())
    found.update(_cookies())
    return found


def _status_lines() -> Iterator[tuple[str, bytes]]:
    for line in (
        *("HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.0 200"),
        *("HTTP/2 200 OK", "HTTP/2 200", "HTTP/2.0 503 Down", "HTTP/2 503", "http/1.1 200 OK"),
        *("HTTP/3 500 x", "HTTP/0.0 503 x", "HTTP/9.9 503 x", "HTTP/1.2 200 OK", "HTTP/1.10 200 x"),
        *(
            "HTTP/1.1  200 OK",
            "HTTP/1.1\t200 OK",
            "HTTP/1.1 200  two  spaces",
            "HTTP/1.1 200 Größe",
        ),
        *("HTTP/1.1 200 200 OK", "HTTP/1.1 299 x", "HTTP/1.1 404 ", "HTTP/1.1 418 I'm a teapot"),
        *(
            "HTTP/1.1 500 Internal Server Error",
            "HTTP/1.1 599 x",
            "HTTP/1.1 600 x",
            "HTTP/1.1 999 x",
        ),
        *(
            "HTTP/1.1 20 OK",
            "HTTP/1.1 OK",
            "HTTP/1.1",
            "HTTP/1.1 200OK",
            "HTTP 200 OK",
            "ICY 200 OK",
        ),
        *("HTTP/1.1 -20 OK", "RTSP/1.0 200 OK", " HTTP/1.1 200 OK", "200 OK", "SSH-2.0-OpenSSH_9"),
        *("<html>hello</html>", "+OK POP3 ready", "220 smtp ESMTP", "HTTP/1.1 abc OK"),
        *(
            "HTTP/1.1 200 OK\r",
            "HTTP/1.1 200 OK;charset=utf-8",
            "HTTP/1.1 0200 OK",
            "HTTP/1.1 200,OK",
        ),
        *("HTTP/1.1 +200 OK", "HTTPS/1.1 200 OK", "HTTP/1.1:200 OK", "HTTP /1.1 200 OK"),
        *("HTTP/1.1 200\tOK", "HTTP/2.1 200 x", "HTTP/1 200 OK", "Http/1.1 200 OK"),
    ):
        yield f"status line {line!r}", line.encode("latin-1") + b"\r\n" + HELLO
    yield "status line after an empty line", b"\r\n" + OK + HELLO
    yield "status line of 60 kB", OK[:-2] + b"x" * 60_000 + b"\r\n" + HELLO


def _header_lines() -> Iterator[tuple[str, bytes]]:
    for name, lines in {
        "lf": b"X: y\n",
        "crcrlf": b"X: y\r\r\n",
        "no space": b"X:y\r\n",
        "no value": b"X:\r\n",
        "no name": b": y\r\n",
        "no colon": b"a line without one\r\n",
        "html": b"<b>Warning</b>: in line 5\r\n",
        "space before the colon": b"X : y\r\n",
        "space in the name": b"Some Header: y\r\n",
        "folded": b"X: a\r\n b\r\n\tc\r\n",
        "folded at once": b"X:\r\n a\r\n",
        "folded from nothing": b" X: a\r\n",
        "utf-8": "X: größe\r\nÜ: y\r\n".encode(),
        "latin-1": "X: größe\r\nÜ: y\r\n".encode("latin-1"),
        "control characters": b"X: a\x01\x7f\x1b[1mb\r\n",
        "nul": b"X: a\x00b\r\n",
        "cr": b"X: a\rb\r\n",
        "repeated": b"X: a\r\nX: b\r\nX: a\r\n",
        "150 lines": b"".join(b"X-%d: y\r\n" % number for number in range(150)),
        "5000 lines": b"X: y\r\n" * 5_000,
        "a line of 70 kB": b"X: " + b"y" * 70_000 + b"\r\n",
        "a line of 200 kB": b"X: " + b"y" * 200_000 + b"\r\n",
        "400 kB": (b"X: " + b"y" * 4_000 + b"\r\n") * 100,
        "content type twice": b"Content-Type: text/html\r\nContent-Type: text/plain\r\n",
        "keep-alive of http/1.0": b"Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n",
        "upgrade": b"Upgrade: h2,h2c\r\nConnection: Upgrade\r\n",
        "alt-svc": b'Alt-Svc: h3=":443"; ma=86400\r\n',
        "hsts": b"Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n",
        "location without redirect": b"Location: /elsewhere\r\n",
        "refresh": b"Refresh: 0; url=/elsewhere\r\n",
        "a tab before the value": b"X:\ty\t\r\n",
        "two colons": b"X:: y\r\n",
        "a quoted name": b'"X": y\r\n',
        "a second status line": b"HTTP/1.1 404 Not Found\r\n",
        "status of cgi": b"Status: 404 Not Found\r\n",
        "folded to nothing": b"X: y\r\n \r\n",
        "a byte order mark": b"\xef\xbb\xbfX: y\r\n",
        "bytes that are no text": b"\xff\xfe: \xff\r\n",
        "transfer coding without a value": b"Transfer-Encoding:\r\n",
        "a list of nothing": b"Content-Encoding: ,\r\n",
        "a long cookie": b"Set-Cookie: a=" + b"x" * 9_000 + b"\r\n",
        "a content type of nothing": b"Content-Type: ;;;\r\n",
        "a trailer announced": b"Trailer: X\r\n",
        "connection that names others": b"Connection: close, Content-Length\r\n",
        "a range": b"Content-Range: bytes 0-4/5\r\n",
        "underscore for hyphen": b"Content_Length: 99\r\n",
        "a broken date": b"Date: yesterday\r\nExpires: -1\r\n",
    }.items():
        yield f"header {name}", OK + lines + HELLO
    yield "header lf only", b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello"


def _lengths() -> Iterator[tuple[str, bytes]]:
    for value in (
        *("5", "05", "+5", "5abc", "5 ", "-1", "abc", "", "99999999999999999999", "5, 5", "5,5"),
        *("5, 6", "0x5", "4", "0", "\t5\t", '"5"', "5.0", "5;q=1"),
    ):
        yield f"length {value!r}", OK + f"Content-Length: {value}\r\n\r\nhello".encode()
    yield "length folded", OK + b"Content-Length:\r\n 5\r\n\r\nhello"
    yield "length twice", OK + b"Content-Length: 5\r\n" + HELLO
    yield "length twice, different", OK + b"Content-Length: 4\r\n" + HELLO
    yield "length in another case", OK + b"content-LENGTH: 5\r\n\r\nhello"
    yield "length with a space before the colon", OK + b"Content-Length : 5\r\n\r\nhello"
    yield "length none", OK + b"\r\nhello"
    yield "length none, http/1.0", b"HTTP/1.0 200 OK\r\n\r\nhello"
    yield "length none, keep-alive", OK + b"Connection: keep-alive\r\n\r\nhello"
    yield "length none and nothing", OK + b"\r\n"
    yield "length too short for the body", OK + b"Content-Length: 2\r\n\r\nhello"
    yield "length of a long body", OK + b"Content-Length: %d\r\n\r\n" % len(LONG) + LONG


def _chunks() -> Iterator[tuple[str, bytes]]:
    for name, body in {
        "plain": b"5\r\nhello\r\n0\r\n\r\n",
        "several": b"1\r\nh\r\n3\r\nell\r\n1\r\no\r\n0\r\n\r\n",
        "extension": b"5;name=value\r\nhello\r\n0;last\r\n\r\n",
        "quoted extension": b'5;a="b;c"\r\nhello\r\n0\r\n\r\n',
        "space behind the size": b"5   \r\nhello\r\n0\r\n\r\n",
        "space before the size": b" 5\r\nhello\r\n0\r\n\r\n",
        "zeros before the size": b"00000005\r\nhello\r\n0000\r\n\r\n",
        "capitals": b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "lf": b"5\nhello\n0\n\n",
        "trailers": b"5\r\nhello\r\n0\r\nX: y\r\nZ: y\r\n\r\n",
        "more behind the end": b"5\r\nhello\r\n0\r\n\r\nmore",
        "no last line break": b"5\r\nhello\r\n0\r\n",
        "no last chunk": b"5\r\nhello\r\n",
        "cut in a chunk": b"9\r\nhello",
        "cut in a size": b"5\r\nhello\r\n1",
        "only the last": b"0\r\n\r\n",
        "none": b"",
        "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "negative": b"-5\r\nhello\r\n0\r\n\r\n",
        "no number": b"zz\r\nhello\r\n0\r\n\r\n",
        "no line break behind the data": b"5\r\nhello0\r\n\r\n",
        "a size too large": b"FFFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "a size of 17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n",
        "an empty line first": b"\r\n5\r\nhello\r\n0\r\n\r\n",
        "not chunked at all": b"hello",
        "space before the extension": b"5 ; a = b\r\nhello\r\n0 ; x\r\n\r\n",
        "tab behind the size": b"5\t\r\nhello\r\n0\r\n\r\n",
        "comma behind the size": b"5,\r\nhello\r\n0\r\n\r\n",
        "cr only": b"5\rhello\r0\r\r",
        "cr behind the data": b"5\r\nhello\r\r\n0\r\n\r\n",
        "lf behind the data": b"5\r\nhello\n0\r\n\r\n",
        "a folded trailer": b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
        "a size of 16 digits": b"0000000000000005\r\nhello\r\n0\r\n\r\n",
        "an empty line between": b"5\r\nhello\r\n\r\n0\r\n\r\n",
        "a long extension": b"5;" + b"x" * 9_000 + b"\r\nhello\r\n0\r\n\r\n",
        "ends in the last size": b"5\r\nhello\r\n0",
        "long": b"".join(b"400\r\n%s\r\n" % LONG[at : at + 1_024] for at in range(0, 65_536, 1_024))
        + b"0\r\n\r\n",
    }.items():
        yield f"chunks: {name}", CHUNKED + body
    whole = b"5\r\nhello\r\n0\r\n\r\n"
    for coding in ("Chunked", "chunked, chunked", "identity, chunked", "chunked\r\nX: y"):
        line = f"Transfer-Encoding: {coding}\r\n\r\n".encode()
        yield f"transfer coding {coding!r}", OK + line + whole
    yield (
        "transfer coding twice",
        OK + b"Transfer-Encoding: chunked\r\n" + CHUNKED[len(OK) :] + whole,
    )
    yield "transfer coding and length", OK + b"Content-Length: 3\r\n" + CHUNKED[len(OK) :] + whole
    yield "transfer coding of http/1.0", b"HTTP/1.0" + CHUNKED[8:] + whole
    yield "transfer coding identity", OK + b"Transfer-Encoding: identity\r\n\r\nhello"
    yield "transfer coding identity with length", OK + b"Transfer-Encoding: identity\r\n" + HELLO
    yield "transfer coding unknown", OK + b"Transfer-Encoding: foo\r\n" + HELLO
    packed = gzip.compress(b"hello")
    chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed)
    yield "transfer coding gzip", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk


def _interim() -> Iterator[tuple[str, bytes]]:
    for count in (1, 2, 5, 6, 50):
        yield f"interim 100, {count}", b"HTTP/1.1 100 Continue\r\n\r\n" * count + OK + HELLO
    yield "interim 103", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + HELLO
    yield "interim 102", b"HTTP/1.1 102 Processing\r\n\r\n" + OK + HELLO
    yield "interim 199", b"HTTP/1.1 199 x\r\n\r\n" + OK + HELLO
    yield "interim with length", b"HTTP/1.1 100 x\r\nContent-Length: 0\r\n\r\n" + OK + HELLO
    yield "interim in http/1.0", b"HTTP/1.0 100 x\r\n\r\n" + OK + HELLO
    yield "interim only", b"HTTP/1.1 100 Continue\r\n\r\n"
    yield "interim too many", b"HTTP/1.1 100 Continue\r\n\r\n" * 500 + OK + HELLO
    yield "interim 101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"


def _early_ends() -> Iterator[tuple[str, bytes]]:
    yield "ends at once", b""
    yield "ends in the status line", b"HTTP/1.1 200 OK"
    yield "ends in the version", b"HTT"
    yield "ends behind the status line", OK
    yield "ends in a header line", OK + b"Content-Typ"
    yield "ends behind a header line", OK + b"X: y\r\n"
    yield "ends in the body", OK + b"Content-Length: 9\r\n\r\nhello"
    yield "ends before the body", OK + b"Content-Length: 9\r\n\r\n"
    yield "ends in the body of an error", b"HTTP/1.1 500 x\r\nContent-Length: 9\r\n\r\nhello"


def _codings() -> Iterator[tuple[str, bytes]]:
    packed = gzip.compress(LONG)
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    wrong = bytearray(packed)
    wrong[-5] ^= 1
    for name, coding, body in (
        ("gzip", "gzip", packed),
        ("x-gzip", "x-gzip", packed),
        ("GZIP", "GZIP", packed),
        ("gzip of nothing", "gzip", gzip.compress(b"")),
        ("gzip, empty", "gzip", b""),
        ("gzip, plain", "gzip", b"not compressed at all"),
        ("gzip, cut", "gzip", packed[:-2_000]),
        ("gzip, cut in the checksum", "gzip", packed[:-3]),
        ("gzip, which is deflate", "gzip", zlib.compress(LONG)),
        ("gzip, wrong checksum", "gzip", bytes(wrong)),
        ("deflate", "deflate", zlib.compress(LONG)),
        ("deflate, raw", "deflate", raw.compress(LONG) + raw.flush()),
        ("deflate, cut", "deflate", zlib.compress(LONG)[:-900]),
        ("two", "deflate, gzip", gzip.compress(zlib.compress(LONG))),
        ("identity", "identity", b"hello"),
        ("no value", "", b"hello"),
        ("br", "br", BROTLI),
        ("br, cut", "br", BROTLI[:-3]),
        ("br, plain", "br", b"<html>not compressed at all</html>"),
        ("zstd", "zstd", ZSTD),
        ("zstd, cut", "zstd", ZSTD[:-3]),
        ("compress", "compress", b"\x1f\x9dwhatever"),
        ("utf-8", "utf-8", b"hello"),
        ("none", "none", b"hello"),
        ("7bit", "7bit", b"hello"),
        ("gzip, junk behind it", "gzip", packed + b"junk junk junk"),
        ("gzip, zeros behind it", "gzip", packed + bytes(20)),
        ("gzip, two members", "gzip", packed + gzip.compress(b" world")),
        ("gzip twice", "gzip, gzip", gzip.compress(packed)),
        ("gzip and identity", "identity, gzip", packed),
        ("gzip six times", ", ".join(["gzip"] * 6), packed),
        ("deflate, empty", "deflate", b""),
        ("br, empty", "br", b""),
        ("zstd, empty", "zstd", b""),
    ):
        head = OK + f"Content-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        yield f"coding {name}", head + body
    yield "coding gzip until the end", OK + b"Content-Encoding: gzip\r\n\r\n" + packed
    yield (
        "coding gzip in chunks",
        (
            OK
            + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"".join(
                b"%x\r\n%s\r\n" % (len(packed[at : at + 999]), packed[at : at + 999])
                for at in range(0, len(packed), 999)
            )
            + b"0\r\n\r\n"
        ),
    )


BROTLI: Final = bytes.fromhex("0b0680") + b"hello, brotli\x03"
ZSTD: Final = bytes.fromhex("28b52ffd200b590000") + b"hello, zstd"


def _no_bodies() -> Iterator[tuple[str, bytes]]:
    for status in (204, 205, 304):
        yield f"no body {status} with length", f"HTTP/1.1 {status} x\r\n".encode() + HELLO
        yield f"no body {status}", f"HTTP/1.1 {status} x\r\n\r\n".encode()
    two = b"HTTP/1.1 204 x\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n"
    yield "no body 204 with two lengths", two
    yield "no body 204 with chunks", b"HTTP/1.1 204 x" + CHUNKED[15:] + b"5\r\nhello\r\n0\r\n\r\n"


def _redirects() -> Iterator[tuple[str, Shape]]:
    def to(location: bytes, more: bytes = b"", status: int = 302) -> bytes:
        lines = b"Location: %s\r\n%sContent-Length: 0\r\n\r\n" % (location, more)
        return b"HTTP/1.1 %d x\r\n%s" % (status, lines)

    for status in (300, 301, 302, 303, 304, 305, 307, 308, 309):
        yield f"redirect {status}", Shape({"/": to(b"up", status=status), "/up": OK + HELLO})
    for location, path in (
        (b"up", "/up"),
        (b"./up", "/up"),
        (b"a/../up", "/up"),
        (b"up#fragment", "/up"),
        (b"?page=2", "/?page=2"),
        (b"up?a=b&c=%20d", "/up?a=b&c=%20d"),
        (b"  up  ", "/up"),
        (b"z\xfcrich", "/z%FCrich"),
        ("zürich".encode(), "/z%C3%BCrich"),
        ("?q=zürich".encode(), "/?q=z%C3%BCrich"),
        (b"two words", "/two%20words"),
        (b"?q=two words", "/?q=two%20words"),
        (b"100%", "/100%25"),
        (b"a%2fb", "/a%2Fb"),
        (b"a|b^c", "/a%7Cb%5Ec"),
        (b"\r\n up", "/up"),
        (b"up\r\nLocation: second", "/up"),
        (b"http:up", "/up"),
        (b"<up>", "/%3Cup%3E"),
        (b'"up"', "/%22up%22"),
        (b"up;a=b", "/up;a=b"),
        (b"%zz", "/%25zz"),
        (b"up?x=http://a/b?c#d", "/up?x=http://a/b?c"),
        (b"up/.", "/up/"),
        (b"up/./x/../y", "/up/y"),
        (b"#x", "/"),
        (b"up,up", "/up,up"),
        (b"up{}", "/up%7B%7D"),
        (b"up[]", "/up%5B%5D"),
        ("☃?☃".encode(), "/%E2%98%83?%E2%98%83"),
        (b"javascript:alert(1)", "/"),
        (b"mailto:a@b", "/"),
        (b"//", "/"),
        (b"http://", "/"),
    ):
        page = {path: OK + HELLO, "/": to(location), "/second": b"HTTP/1.1 404 x\r\n\r\n"}
        yield f"location {location!r}", Shape(page)
    yield "location empty", Shape({"/": to(b"")})
    yield "location missing", Shape({"/": b"HTTP/1.1 302 x\r\n" + HELLO})
    yield "location of a foreign scheme", Shape({"/": to(b"gopher://127.0.0.1:1/")})
    yield "location of a file", Shape({"/": to(b"file:///etc/hostname")})
    yield "location to a closed port", Shape({"/": to(b"http://127.0.0.1:1/")})
    yield "location with an impossible port", Shape({"/": to(b"http://127.0.0.1:99999/")})
    yield "location endless", Shape({"/": to(b"?")})
    yield (
        "location with a long body",
        Shape({"/": b"HTTP/1.1 302 x\r\nLocation: up\r\n\r\n" + LONG, "/up": OK + HELLO}),
    )


def _cookies() -> Iterator[tuple[str, Shape]]:
    for name, cookies, sent in (
        ("plain", ["a=1"], {"a=1"}),
        ("replaced", ["a=1", "a=2"], {"a=2"}),
        ("http only", ["a=1; HttpOnly; SameSite=Strict"], {"a=1"}),
        ("secure, to this machine itself", ["a=1; Secure"], {"a=1"}),
        ("expired", ["a=1; Max-Age=0"], set()),
        ("expired long ago", ["a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"], set()),
        ("lasting", ["a=1; Expires=Fri, 31 Dec 2100 23:59:59 GMT"], {"a=1"}),
        ("another path", ["a=1; Path=/elsewhere"], set()),
        ("another domain", ["a=1; Domain=example.com"], set()),
        ("value with =", ["a=b=c=="], {"a=b=c=="}),
        ("quoted", ['a="b c"'], {'a="b c"'}),
        ("json", ['a={"b":1}'], {'a={"b":1}'}),
        ("empty value", ["a="], {"a="}),
        ("broken expiry", ["a=1; Expires=tomorrow"], {"a=1"}),
        ("utf-8", ["a=größe"], {"a=größe"}),
        ("with a comma", ["a=1,2"], {"a=1,2"}),
        ("with spaces", [" a = 1 ; Path = / "], {"a=1"}),
        ("attributes in capitals", ["a=1; HTTPONLY; SAMESITE=LAX"], {"a=1"}),
        ("domain of this host", ["a=1; Domain=127.0.0.1"], {"a=1"}),
        ("broken age", ["a=1; Max-Age=x"], {"a=1"}),
        ("date with hyphens", ["a=1; Expires=Fri, 31-Dec-2100 23:59:59 GMT"], {"a=1"}),
        ("partitioned", ["a=1; Secure; SameSite=None; Partitioned"], {"a=1"}),
        ("version", ["a=1; Version=1"], {"a=1"}),
        ("semicolon at its end", ["a=1;"], {"a=1"}),
        # The last, because curl keeps it for all that it asks for afterwards.
        ("two", ["a=1", "b=2; Path=/"], {"a=1", "b=2"}),
    ):
        lines = "".join(f"Set-Cookie: {cookie}\r\n" for cookie in cookies).encode()
        first = b"HTTP/1.1 302 x\r\nLocation: up\r\n%sContent-Length: 0\r\n\r\n" % lines
        wanted = {"/up": frozenset(sent)}
        yield f"cookie {name}", Shape({"/": first, "/up": OK + HELLO}, cookies=wanted)


class Difference(Struct, frozen=True):
    """Shapes with which we mean to do something else than curl.

    Attributes:
        ours: what we make of each shape: a status, ``failed`` or ``unknown``.
        why: the standard that has it so, or the harm of doing as curl.
    """

    ours: Mapping[str, int | str]
    why: str


def _get_through(*names: str) -> dict[str, int | str]:
    return dict.fromkeys(names, 200)


CURL: Final = "7.88"
"""The version that the table is for: Debian 12's. Go is 1.19, Chromium 156."""

DIFFERENCES: Final = (
    Difference(
        {
            "status line 'HTTP/3 500 x'": 500,
            "status line 'HTTP/0.0 503 x'": 503,
            "status line 'HTTP/9.9 503 x'": 503,
            **_get_through(
                *("status line 'HTTP/1.2 200 OK'", "status line 'HTTP/2.1 200 x'"),
                *("status line 'HTTP/1.10 200 x'", "status line 'HTTP/1 200 OK'"),
            ),
        },
        "Go reads all versions with one digit, Chromium all.",
    ),
    Difference(
        _get_through("status line 'HTTP/1.1\\t200 OK'", "status line after an empty line"),
        "Chromium reads both.",
    ),
    Difference(
        _get_through(
            "header no colon", "header folded from nothing", "header a second status line"
        ),
        "Chromium skips such a line; it is mostly a warning of PHP.",
    ),
    Difference(_get_through("header nul"), "Go reads it."),
    Difference(
        _get_through("header a line of 200 kB", "header 400 kB"),
        "Go reads 10 MiB of header lines, Chromium 256 KiB; we read 1 MiB.",
    ),
    Difference(
        _get_through("length '-1'", "length 'abc'", "length ''", "length '\"5\"'"),
        "Chromium ignores a length that is none.",
    ),
    Difference(
        {"length '5, 6'": "failed", "length twice, different": "failed"},
        "RFC 9112, section 6.3: the body has no known end. Go and Chromium refuse it too.",
    ),
    Difference(
        _get_through("length folded", "location b'\\r\\n up'"),
        "RFC 9112, section 5.2: the value goes on in the next line. Go reads it.",
    ),
    Difference(_get_through("transfer coding unknown"), "Chromium ignores it."),
    Difference(
        {"interim 101": 101},
        "RFC 9110, section 15.2.2: it is final. Go reads it; the status is no success.",
    ),
    Difference(
        {
            f"coding {name}": "failed"
            for name in (
                *("gzip, cut", "gzip, cut in the checksum", "deflate, cut", "br, cut", "zstd, cut"),
            )
        },
        "An outage would be missed: what stood in the rest is not checked. Go fails as well.",
    ),
    Difference(
        _get_through(
            *("coding gzip, junk behind it", "coding gzip, zeros behind it"),
            "coding gzip, two members",
        ),
        "RFC 1952, section 2.2: members may follow. Chromium ignores what is none.",
    ),
    Difference(
        _get_through("location b'http:up'"),
        "URL standard, section 4.4: relative, if the scheme is the same. Browsers follow it.",
    ),
    Difference({"coding compress": "unknown"}, "Not to be able to decode it is our own limit."),
    Difference(
        _get_through("coding utf-8", "coding 7bit"),
        "Go and Chromium take what is no registered coding for none.",
    ),
    Difference(
        {f"redirect {status}": status for status in (304, 305, 309)},
        "Fetch standard, 2.2.6: these are no redirects. Go and browsers do not follow them.",
    ),
)

NOT_AS_GO: Final[Mapping[str, str]] = {
    "coding gzip six times": "Go decodes only one. More than five are a bomb, as for curl.",
    "coding br, plain": "Go decodes only gzip; a text cannot be searched in what is not decoded.",
}
"""Shapes that Go gets through, but neither we nor curl."""
