"""One answer of a web server: a file, and what the protocol needs to know of it."""

from __future__ import annotations

import gzip
import hashlib
import html
import re
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from msgspec import Struct

from checkup.ports import PageFile

_WORTH_IT: Final = 1_000
"""Bytes from which on a text is sent compressed."""

_TEXT: Final = re.compile(r"text/|image/svg|application/(json|openmetrics|[a-z]+\+xml)")
_NOTHING: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The policy of what is no page: nothing loads and nothing runs; pictures have colours."""

_OWN: Final = re.compile(rb'http-equiv="Content-Security-Policy" content="([^"]*)"')


class PageResponse(Struct, frozen=True, kw_only=True):
    """A status and a file."""

    status: int
    file: PageFile

    @property
    def etag(self) -> str:
        """A mark that changes with the content; weak, for there are two encodings of it."""
        return f'W/"{hashlib.sha256(self.file.body).hexdigest()[:20]}"'

    @property
    def policy(self) -> str:
        """The content security policy: that which a page itself has, and no frames around it."""
        found = _OWN.search(self.file.body) if self._is("text/html") else None
        own = html.unescape(found[1].decode()) if found else _NOTHING
        return f"{own}; frame-ancestors 'none'"

    def encoded(self, accepted: str) -> tuple[bytes, str]:
        """Return the body as it is sent, and the encoding that it is in; empty for none.

        Args:
            accepted: what the request says of encodings.
        """
        is_text = _TEXT.match(self.file.content_type) is not None
        if is_text and len(self.file.body) >= _WORTH_IT and _takes_gzip(accepted):
            return _compressed(self.file.body), "gzip"
        return self.file.body, ""

    def _is(self, kind: str) -> bool:
        return self.file.content_type.startswith(kind)


def text_response(status: int, words: str = "") -> PageResponse:
    """Return an answer of one line."""
    text = f"{status} {words or HTTPStatus(status).phrase}\n".encode()
    file = PageFile(body=text, content_type="text/plain; charset=utf-8", max_age=0)
    return PageResponse(status=status, file=file)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.partition(";")
        if coding.strip() in {"gzip", "*"}:
            return not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return False


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> bytes:
    return gzip.compress(body, 6, mtime=0)
