"""Text and JSON are read like glibc's iconv and jq read them, except where we mean to differ."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from checkup.checkers import conditions
from checkup.checkers.http import HttpChecker
from tests.checkers.answers import RawServer
from tests.checkers.results import attempt_of

WORDS = {
    "störung größe": """utf-8 UTF8 iso-8859-1 latin1 l1 cp819 ISO_8859-1 windows-1252 cp1252
        iso-8859-15 iso-8859-2 windows-1250 iso-8859-9 windows-1254 iso-8859-4 windows-1257
        iso-8859-10 iso-8859-14 iso-8859-16 macintosh utf-16 utf-16le utf-16be""",
    "ошибка": """windows-1251 cp1251 koi8-r koi8-u iso-8859-5 ibm866 cp866 mac-cyrillic utf-16
        utf-8 gb18030 shift_jis euc-jp euc-kr""",
    "σφάλμα": "iso-8859-7 windows-1253 greek utf-8",
    "שגיאה": "iso-8859-8 windows-1255 hebrew",
    "خطأ": "iso-8859-6 windows-1256 arabic",
    "ข้อผิดพลาด": "tis-620 windows-874 iso-8859-11",
    "đâu lưu": "windows-1258 utf-8",
    "系统错误": "gbk gb2312 gb18030 cp936 euc-cn",
    "錯誤": "big5 big5-hkscs",
    "障害エラー": "shift_jis sjis cp932 windows-31j ms_kanji euc-jp iso-2022-jp",
    "오류": "euc-kr cp949 uhc",
    "klaida ąžuolas": "iso-8859-13 windows-1257 iso-8859-4",
}
"""What is to be found, and the charsets in which it is sent."""


def iconv(text: str, charset: str) -> bytes:
    """Return the text in a charset, as glibc has it."""
    command = ["iconv", "-f", "utf-8", "-t", charset]
    ended = subprocess.run(command, input=text.encode(), capture_output=True, check=True)
    return ended.stdout


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        yield server


CASES = [(word, charset) for word, names in WORDS.items() for charset in names.split()]


@pytest.mark.parametrize(("word", "charset"), CASES)
def test_text_in_a_charset(raw: RawServer, word: str, charset: str) -> None:
    body = iconv(f"{'.' * 2_000} {word} {'.' * 2_000}", charset)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset={charset}\r\n\r\n"
    raw.answer = head.encode() + body

    attempt = attempt_of(HttpChecker(endpoint_url=f"{raw.url}/", must_contain=word))

    assert attempt.error == ""


DOCUMENTS: dict[str, tuple[bytes, bool]] = {
    "plain": (b'{"a": [1, -2.5e3, true, false, null, "x"]}', True),
    "a scalar": (b"5", True),
    "a string": (b'"x"', True),
    "white space": (b' \t\r\n{"a" : 1 }\r\n ', True),
    "utf-8": ('{"ä": "ö"}'.encode(), True),
    "byte order mark": (b"\xef\xbb\xbf" + b'{"a": 1}', True),
    "invalid utf-8": (b'{"a": "\xff\xfe"}', True),
    "escapes": (b'"\\u00e4\\n\\/\\ud83d\\ude00"', True),
    "lone surrogate": (b'{"a": "\\ud800"}', True),
    "lone low surrogate": (b'{"a": "\\udc00x"}', True),
    "surrogate and something else": (b'{"a": "\\ud800\\u0041"}', True),
    "nul as an escape": (b'{"a": "\\u0000"}', True),
    "large integer": (b"123456789012345678901234567890", True),
    "very large integer": (b"9" * 400, True),
    "large number": (b"1e999", True),
    "small number": (b"1e-999", True),
    "many digits": (b"3.14159265358979323846264338327950288419716939937510", True),
    "minus zero": (b"-0", True),
    "a member twice": (b'{"a": 1, "a": 2}', True),
    "nested 200": (b"[" * 200 + b"]" * 200, True),
    "an empty key": (b'{"": 1}', True),
    "comma at the end": (b'{"a": 1,}', False),
    "comma at the end of a list": (b"[1,]", False),
    "single quotes": (b"{'a': 1}", False),
    "key without quotes": (b"{a: 1}", False),
    "cut": (b'{"a": 1', False),
    "cut in a string": (b'{"a": "x', False),
    "html": (b"<html>", False),
    "something behind it": (b'{"a": 1} x', False),
    "a comment": (b'{"a": 1} // x', False),
    "plus": (b"+1", False),
    "hexadecimal": (b"0x1F", False),
    "python": (b"{'a': None}", False),
    "undefined": (b"undefined", False),
    "nested without an end": (b"[" * 100_000, False),
    "an unknown escape": (b'"\\x41"', False),
    "infinity": (b"[Infinity]", False),
}
"""Documents, and whether they are JSON."""


JQ = "jq-1.6"
"""The version that the differences are for."""

NOT_AS_JQ = {
    "plus": "RFC 8259 has none; jq 1.6 reads it.",
    "infinity": "RFC 8259 has none; jq 1.6 reads it.",
    "lone surrogate": "Browsers and Go read it (RFC 8259, section 8.2), jq 1.6 does not.",
    "surrogate and something else": "Browsers and Go read it, jq 1.6 does not.",
}
ROUNDED = {
    *("large integer", "very large integer", "large number", "many digits"),
    *("lone low surrogate", "invalid utf-8"),
}
"""Values for which jq has others in their place."""


@cache
def jq_version() -> str:
    return subprocess.run(
        ["jq", "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_as_jq(name: str) -> None:
    if not shutil.which("jq"):
        pytest.skip("needs jq: apt-get install --no-install-recommends jq")
    document, is_json = DOCUMENTS[name]
    command = ["jq", "--compact-output", "."]
    ended = subprocess.run(command, input=document, capture_output=True, check=False)

    found: Any = None
    try:
        found = conditions.parse_json(document, b"")
        is_read = True
    except ValueError:
        is_read = False

    assert is_read is is_json
    if jq_version() != JQ:
        return
    assert (ended.returncode == 0) is (is_json if name not in NOT_AS_JQ else not is_json)
    if is_json and name not in {*ROUNDED, *NOT_AS_JQ}:
        assert found == json.loads(ended.stdout)
