"""The ``http`` checker: one GET per attempt, judged by status and, if asked, by content."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar
from urllib.parse import unquote_to_bytes, urlsplit, urlunsplit

from msgspec import Meta, field
from requests import PreparedRequest, Response
from requests.exceptions import RequestException

from checkup import __version__
from checkup.checkers.address import web_address
from checkup.checkers.exchange import Exchange, Limits
from checkup.checkers.failures import Failed
from checkup.deadline import Deadline
from checkup.errors import CannotTell
from checkup.model import SECOND, Attempt
from checkup.options import Headers
from checkup.ports import Checker

_UP = range(200, 205)
_BODY_CAP = 1_048_576
_LONGEST_REASON = 80
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_NEVER = re.compile(r"[\r\n\x00]")


class HttpChecker(Checker, frozen=True, kw_only=True):
    """Asks for a URL over a new connection and never follows a redirect.

    The round trip time ends with the headers of the answer. The body is read only if a text
    is looked for in it and the status is the right one. Without ``timeout`` the limits are
    those of the Go program: 10 s to connect, 5 s for TLS, 5 s for the headers, 10 s in all.
    """

    kind: ClassVar[str] = "http"
    default_timeout: ClassVar[int] = 10 * SECOND

    up_status: Annotated[
        int, Meta(description="The status code that is up; 0 for any from 200 to 204.")
    ] = 0
    must_contain: Annotated[str, Meta(description="A text that the body has to contain.")] = ""
    must_not_contain: Annotated[str, Meta(description="A text that the body must not contain.")] = (
        ""
    )
    headers: Annotated[Headers, Meta(description="Request headers; Host is one of them.")] = field(
        default_factory=dict
    )

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.ports.Checker.attempt`."""
        try:
            request = _request(self.endpoint_url, self.headers)
        except Failed as failed:
            return Attempt(error=str(failed), failure=failed.failure)
        error = failure = ""
        with Exchange(self._limits(deadline)) as exchange:
            try:
                self._judge(exchange.send(request), exchange)
            except Failed as failed:
                error, failure = str(failed), failed.failure
        return Attempt(
            rtt=exchange.rtt,
            error=error,
            failure=failure,
            phases=exchange.watch.phases(),
            certificate_expiry=exchange.certificate_expiry,
        )

    def spacing_after(self, attempt: Attempt) -> int:
        """Pause only after an answer, as the Go program does."""
        judged = not attempt.error or attempt.failure.startswith("status_")
        answered = judged or bool(attempt.phases and attempt.phases.transfer)
        return self.attempt_spacing if answered else 0

    def _limits(self, deadline: Deadline) -> Limits:
        if self.timeout:
            return Limits(whole=deadline)
        return Limits(whole=deadline, connect=10.0, tls=5.0, headers=5.0)

    def _judge(self, response: Response, exchange: Exchange) -> None:
        status = response.status_code
        if not (status == self.up_status if self.up_status > 0 else status in _UP):
            raise Failed(
                f"status_{status}", f"response status {status} {_reason(response)}".strip()
            )
        if not self.must_contain and not self.must_not_contain:
            return
        body = exchange.body(response, _BODY_CAP)
        if self.must_contain and self.must_contain.encode() not in body:
            place = f" in its first {_BODY_CAP} bytes" if len(body) == _BODY_CAP else ""
            message = f"response does not contain '{self.must_contain}'{place}"
            raise Failed("body_mismatch", message)
        if self.must_not_contain and self.must_not_contain.encode() in body:
            raise Failed("body_mismatch", f"response contains '{self.must_not_contain}'")


def _request(url: str, headers: Mapping[str, tuple[str, ...]]) -> PreparedRequest:
    """Prepare the request: requests quotes the URL and encodes its host's name."""
    parts = web_address(url)
    userinfo, at, netloc = parts.netloc.rpartition("@")
    request = PreparedRequest()
    request.prepare_method("GET")
    request.prepare_headers({})
    try:
        request.prepare_url(urlunsplit(parts._replace(netloc=netloc)), None)
    except (RequestException, ValueError) as error:
        raise CannotTell("config", "the URL cannot be used as it is written") from error
    request.headers["Host"] = urlsplit(str(request.url)).netloc
    request.headers["User-Agent"] = f"checkup/{__version__}"
    request.headers["Connection"] = "close"
    if at:
        user, _, password = userinfo.partition(":")
        plain = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        request.headers["Authorization"] = "Basic " + base64.b64encode(plain).decode()
    request.headers.update(_configured(headers))
    return request


def _configured(headers: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for name, values in headers.items():
        spelling = "-".join(part.capitalize() for part in name.split("-"))  # as Go canonicalises
        used = values[:1] if spelling == "Host" else values
        if spelling == "Host" and not any(used):
            continue
        value = ", ".join(used)
        if not _HEADER_NAME.fullmatch(name) or _HEADER_NEVER.search(value):
            raise CannotTell("config", "a header has a name or value that cannot be sent")
        yield spelling, value.encode().decode("latin-1")  # goes over the wire as UTF-8


def _reason(response: Response) -> str:
    """Return the server's reason phrase, fit to be printed."""
    phrase = "".join(letter for letter in response.reason or "" if letter.isprintable())
    return phrase[:_LONGEST_REASON]
