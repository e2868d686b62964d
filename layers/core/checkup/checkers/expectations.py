"""What an answer has to be like: its status, its headers, its body."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated

import msgspec
from msgspec import Meta, field
from requests import Response

from checkup.checkers import patterns
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.quoting import quote_untrusted
from checkup.checkers.secured import NetworkChecker
from checkup.checkers.statements import JsonCondition, parse_condition
from checkup.options import Headers, Ranges, Strings

_UP = ((200, 204),)
_MEBIBYTE = 1_048_576


class ExpectantChecker(NetworkChecker, frozen=True, kw_only=True):
    """A checker that judges answers of HTTP."""

    up_status: Annotated[
        int, Meta(description="The status code that is up; 0 for any from 200 to 204.")
    ] = 0
    up_statuses: Annotated[
        Ranges, Meta(description='Status codes that are up, and ranges: [404, "200-299"].')
    ] = ()
    must_have_headers: Annotated[
        Headers,
        Meta(description="Headers of the answer with a text that each has to contain, in any case"),
    ] = field(default_factory=dict)
    must_contain: Annotated[str, Meta(description="A text that the body has to contain.")] = ""
    must_not_contain: Annotated[str, Meta(description="A text that the body must not contain.")] = (
        ""
    )
    must_match: Annotated[
        str, Meta(description="A regular expression (RE2's) that has to match in the body.")
    ] = ""
    must_not_match: Annotated[
        str, Meta(description="A regular expression (RE2's) that must not match in the body.")
    ] = ""
    must_hold: Annotated[
        Strings,
        Meta(description="Statements about a JSON body, such as 'jobs[0].state == \"done\"'."),
    ] = ()
    max_body: Annotated[
        int, Meta(ge=1, le=16 * _MEBIBYTE, description="Bytes of the body that are read at most.")
    ] = _MEBIBYTE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.up_status > 0 and self.up_statuses:
            raise ValueError("up_status and up_statuses exclude each other")
        for statement in self.must_hold:
            _statement(statement)
        patterns.validate_pattern(self.must_match)
        patterns.validate_pattern(self.must_not_match)

    def judge_head(self, response: Response, secrets: Sequence[str]) -> None:
        """Judge status and headers.

        Args:
            secrets: what must not be quoted from the answer.

        Raises:
            CheckFailedError: they are not as expected.
        """
        wanted = ((self.up_status, self.up_status),) if self.up_status > 0 else self.up_statuses
        status = response.status_code
        if not any(first <= status <= last for first, last in wanted or _UP):
            reason = quote_untrusted(response.reason or "", secrets)
            raise CheckFailedError(f"status_{status}", f"response status {status} {reason}".strip())
        for name, texts in self.must_have_headers.items():
            value = response.headers.get(name)
            if value is None:
                raise CheckFailedError("header_mismatch", f"response has no header {name}")
            for text in texts:
                if text.casefold() not in value.casefold():
                    shown = quote_untrusted(value, secrets)
                    sentence = f"response header {name} is '{shown}', without '{text}'"
                    raise CheckFailedError("header_mismatch", sentence)

    @property
    def looks_at_body(self) -> bool:
        """Whether anything is expected of the body."""
        return bool(self.must_contain or self.must_not_contain or self._needs_all)

    def judge_body(self, pieces: Iterable[bytes]) -> None:
        """Read a body to its end and judge it.

        Raises:
            CheckFailedError: it is not as expected.
            CheckUnknownError: it cannot be judged here.
        """
        wanted, unwanted = _Search(self.must_contain), _Search(self.must_not_contain)
        body = bytearray()
        read = 0
        for piece in pieces:
            read += len(piece)
            wanted.feed(piece)
            unwanted.feed(piece)
            if self._needs_all:
                body += piece
        place = f" in its first {read} bytes" if read >= self.max_body else ""
        if not wanted.found:
            raise _mismatch(f"response does not contain '{self.must_contain}'{place}")
        if self.must_not_contain and unwanted.found:
            raise _mismatch(f"response contains '{self.must_not_contain}'")
        if self._needs_all:
            self._judge_all(bytes(body), place)

    @property
    def _needs_all(self) -> bool:
        return bool(self.must_match or self.must_not_match or self.must_hold)

    def _judge_all(self, body: bytes, place: str) -> None:
        if self.must_match and not patterns.re2_search(self.must_match, body):
            raise _mismatch(f"response does not match '{self.must_match}'{place}")
        if self.must_not_match and patterns.re2_search(self.must_not_match, body):
            raise _mismatch(f"response matches '{self.must_not_match}'")
        if not self.must_hold:
            return
        try:
            document = msgspec.json.decode(body)
        except (ValueError, RecursionError) as error:
            raise CheckFailedError("body_not_json", f"response is not JSON{place}") from error
        for text in self.must_hold:
            if not _statement(text).holds(document):
                raise _mismatch(f"response does not hold: {text}")


class _Search:
    """Looks for a text in a stream without keeping it."""

    def __init__(self, text: str) -> None:
        self._needle = text.encode()
        self._tail = b""
        self.found = not self._needle

    def feed(self, piece: bytes) -> None:
        """Look at the next piece, and at where it meets the one before."""
        if self.found:
            return
        joined = self._tail + piece
        self.found = self._needle in joined
        self._tail = joined[-(len(self._needle) - 1) :] if len(self._needle) > 1 else b""


@lru_cache(maxsize=1024)
def _statement(text: str) -> JsonCondition:
    return parse_condition(text)


def _mismatch(sentence: str) -> CheckFailedError:
    return CheckFailedError("body_mismatch", sentence)
