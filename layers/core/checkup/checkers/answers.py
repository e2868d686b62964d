"""Reads what a server answers, and says what is wrong with it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http import HTTPStatus
from http.client import (
    BadStatusLine,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    RemoteDisconnected,
    parse_headers,
)

from urllib3 import HTTPHeaderDict
from urllib3 import HTTPResponse as DecodingResponse

from checkup.checkers.failures import CheckFailedError, from_os_error, from_ssl_error
from checkup.errors import CheckUnknownError

_MOST_INTERIM = 5
"""As in Go's net/http."""

_CHUNK = 65_536


class FinalResponse(HTTPResponse):
    """Passes over every interim answer (RFC 9110, 15.2); the base class knows only 100."""

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_MOST_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc] # not in typeshed
            if not _is_interim(status):
                return version, status, reason
            parse_headers(self.fp)
        raise CheckFailedError("protocol", "the server sends interim answers and no final one")


def _is_interim(status: int) -> bool:
    return 100 <= status < 200 and status != HTTPStatus.SWITCHING_PROTOCOLS  # noqa: PLR2004 - 1xx


def decoded_response(answer: HTTPResponse, method: str) -> DecodingResponse:
    """Return urllib3's view of the answer, which undoes the encodings of the body.

    Raises:
        urllib3.exceptions.HTTPError: it names two lengths.
    """
    return DecodingResponse(
        answer,
        headers=HTTPHeaderDict(answer.headers.items()),
        status=answer.status,
        reason=answer.reason,
        request_method=method,
        preload_content=False,
        original_response=answer,
    )


def iter_body(raw: DecodingResponse, cap: int) -> Iterator[bytes]:
    """Yield a decoded body, at most ``cap`` bytes of it: a bomb is not unpacked any further.

    Raises:
        urllib3.exceptions.HTTPError: the body is broken, or the socket is.
    """
    left = cap
    while left and (chunk := raw.read(min(_CHUNK, left), decode_content=True)):
        yield chunk
        left -= len(chunk)


def response_failure(error: BaseException, late: str) -> CheckFailedError:
    """Return what an error while an answer was awaited or read says of the target.

    Args:
        late: the sentence for an answer that was not complete in time.

    Raises:
        CheckUnknownError: it says something of this machine, or of the HTTP library's limits.
    """
    if isinstance(error, TimeoutError):
        return CheckFailedError("deadline", late)
    if isinstance(error, HTTPException):
        return _protocol_failure(error)
    if isinstance(error, ssl.SSLError):
        return from_ssl_error(error)
    if isinstance(error, OSError):
        return from_os_error(error)
    return CheckFailedError("protocol", "the body is not encoded as its headers say")


def _protocol_failure(error: HTTPException) -> CheckFailedError:
    if isinstance(error, RemoteDisconnected):
        return CheckFailedError("empty_reply", "the server closed the connection without an answer")
    if isinstance(error, BadStatusLine):
        return CheckFailedError("protocol", "the answer is not HTTP")
    if isinstance(error, IncompleteRead):
        return CheckFailedError("short_body", "the body ended early")
    # 100 header lines and 65,536 bytes in one of them; neither can be changed.
    raise CheckUnknownError("client_limit", "the answer has more header lines than can be read")
