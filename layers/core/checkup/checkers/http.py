"""The ``http`` checker: one request per attempt, evaluated by status, headers and body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from functools import lru_cache
from math import inf
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import SplitResult

from msgspec import Meta, field

from checkup.checkers import conditions
from checkup.checkers.addresses import http_url_problem
from checkup.checkers.conditions import BodyText, JsonCondition, TextSearch, parse_condition
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.http_client import (
    FROM_ENVIRONMENT,
    ConnectOptions,
    Timeouts,
    basic_auth,
    parse_proxy,
    proxy_for,
)
from checkup.checkers.http_parser import Head
from checkup.checkers.http_session import HttpSession, build_request, request_secrets
from checkup.checkers.tls_context import StreamChecker
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.interfaces import Network
from checkup.interfaces.kinds import (
    Headers,
    Ranges,
    Secret,
    SettingProblem,
    Strings,
    extra_not_installed,
    is_extra_installed,
)
from checkup.model import Attempt
from checkup.text import quote_untrusted
from checkup.times import SECOND

_DEFAULT_UP: Final = ((200, 204),)
_MEBIBYTE: Final = 1_048_576
_FIRST_STATUS: Final = 100
_LAST_STATUS: Final = 999
_SHORT: Final = 16_384
"""Bytes of a body that are searched and parsed at once; other attempts wait meanwhile."""


class HttpChecker(StreamChecker, frozen=True, kw_only=True):
    """Requests a URL over a new connection; redirects are followed only if configured.

    The round trip time ends with the headers of the response. The body is read only if something
    is expected of it and status and headers are right. Without ``timeout`` the limits are
    those of the Go program: 10 s to connect, 5 s for TLS, 5 s for the headers, 10 s in total.
    """

    kind: ClassVar[str] = "http"
    alpn: ClassVar[tuple[str, ...]] = ("http/1.1",)
    default_timeout: ClassVar[int] = 10 * SECOND

    up_status: Annotated[
        int, Meta(description="The expected status code; 0 for any from 200 to 204.")
    ] = 0
    up_statuses: Annotated[
        Ranges, Meta(description='Expected status codes and ranges, such as [404, "200-299"].')
    ] = ()
    must_have_headers: Annotated[
        Headers,
        Meta(description="Response headers and the text that each must contain, ignoring case."),
    ] = field(default_factory=dict)
    must_contain: Annotated[
        str, Meta(description="Text that the body must contain, whatever its charset.")
    ] = ""
    must_not_contain: Annotated[str, Meta(description="Text that the body must not contain.")] = ""
    must_match: Annotated[
        str, Meta(description="Regular expression (RE2) that must match in the body.")
    ] = ""
    must_not_match: Annotated[
        str, Meta(description="Regular expression (RE2) that must not match in the body.")
    ] = ""
    must_hold: Annotated[
        Strings,
        Meta(description="Conditions on a JSON body, such as 'jobs[0].state == \"done\"'."),
    ] = ()
    max_body: Annotated[
        int,
        Meta(
            ge=1,
            le=16 * _MEBIBYTE,
            description=(
                "Maximum number of bytes of the body to read; "
                "whether a longer one contains what it must not is unknown."
            ),
        ),
    ] = _MEBIBYTE
    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        Meta(description="The request method."),
    ] = "GET"
    headers: Annotated[Headers, Meta(description="Request headers, including Host.")] = field(
        default_factory=dict
    )
    body: Annotated[
        str,
        Meta(
            description="The request body; set its type in the header Content-Type.",
            extra={"private": True},
        ),
    ] = ""
    username: Annotated[str, Meta(description="The user for Basic authentication.")] = ""
    password: Annotated[Secret, Meta(description="The password for Basic authentication.")] = ""
    bearer_token: Annotated[Secret, Meta(description="A token for Bearer authentication.")] = ""
    follow_redirects: Annotated[
        int,
        Meta(
            ge=0,
            le=20,
            description="Redirects to follow at most; with 0 the redirect is evaluated.",
        ),
    ] = 0
    proxy: Annotated[
        str,
        Meta(description='URL of a proxy, or "env" for HTTP_PROXY, HTTPS_PROXY and NO_PROXY.'),
    ] = ""

    def find_errors(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_errors`."""
        yield from super().find_errors()
        if self.up_status > 0 and self.up_statuses:
            yield SettingProblem("up_statuses", "up_status and up_statuses cannot both be set")
        for condition in self.must_hold:
            try:
                _condition(condition)
            except ValueError as error:
                yield SettingProblem("must_hold", str(error))
        for name in ("must_match", "must_not_match"):
            try:
                conditions.validate_pattern(getattr(self, name))
            except ValueError as error:
                yield SettingProblem(name, str(error))
        if self.bearer_token and (self.username or self.password):
            yield SettingProblem("bearer_token", "bearer_token and username cannot both be set")
        if self.proxy not in {"", FROM_ENVIRONMENT}:
            try:
                parse_proxy(self.proxy)
            except CheckUnknownError as error:
                yield SettingProblem("proxy", str(error))

    def find_warnings(self) -> Iterator[SettingProblem]:
        """See :meth:`checkup.interfaces.kinds.Settings.find_warnings`."""
        yield from super().find_warnings()
        if problem := http_url_problem(self.endpoint_url, self.ip_version):
            yield problem
        yield from conditions.condition_flaws(self.must_hold)
        expected = ((self.up_status, self.up_status),) if self.up_status > 0 else self.up_statuses
        for first, last in expected:
            if last < _FIRST_STATUS or first > _LAST_STATUS:
                text = f"no response has the status {first}"
                is_only = len(expected) == 1
                name = "up_status" if self.up_status > 0 else "up_statuses"
                yield SettingProblem(name, text, "use 200 to 599", is_fatal=is_only)
        if self.must_not_contain and self.must_not_contain in self.must_contain:
            text = "must_contain contains it, so both can never hold"
            yield SettingProblem("must_not_contain", text, is_fatal=True)
        if self.must_match and self.must_match == self.must_not_match:
            text = "is the same as must_match, so both can never hold"
            yield SettingProblem("must_not_match", text, is_fatal=True)
        if (self.must_match or self.must_not_match) and not is_extra_installed("patterns"):
            name = "must_match" if self.must_match else "must_not_match"
            yield SettingProblem(name, *extra_not_installed("patterns"))
        if self.method == "HEAD" and (self.must_contain or self.must_match or self.must_hold):
            text = "the response to HEAD has no body, of which something is expected"
            yield SettingProblem("method", text, "use GET", is_fatal=True)
        if len(self.must_contain.encode()) > self.max_body:
            text = "must_contain is longer than that"
            yield SettingProblem("max_body", text, is_fatal=True)

    @property
    def uses_tls(self) -> bool:
        """Whether a context for TLS is needed."""
        return self.endpoint_url[:6].lower() == "https:"

    async def attempt_async(self, net: Network, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.interfaces.NetworkChecker.attempt_async`."""
        authorization = ""
        if self.bearer_token:
            authorization = f"Bearer {self.bearer_token}"
        elif self.username or self.password:
            authorization = basic_auth(self.username.encode(), self.password.encode())
        try:
            request = build_request(
                self.endpoint_url,
                self.headers,
                method=self.method,
                body=self.body,
                authorization=authorization,
            )
        except CheckFailedError as failed:
            return Attempt(error=str(failed), failure=failed.failure)
        if self.timeout:
            timeouts = Timeouts(total=deadline)
        else:
            timeouts = Timeouts(total=deadline, connect=10.0, tls=5.0, headers=5.0)
        error = failure = ""
        secrets = request_secrets(request, self.endpoint_url, self.proxy)

        async def connect_options(url: SplitResult, same_origin: bool) -> ConnectOptions:
            context = None
            if url.scheme == "https":
                context = await self.load_tls_context(net, same_origin=same_origin)
            return ConnectOptions(
                tls_context=context,
                address_family=self.address_family,
                server_name=self.server_name if same_origin else "",
                proxy=proxy_for(url.geturl(), self.proxy) if self.proxy else None,
            )

        with HttpSession(net, timeouts, connect_options, secrets) as session:
            try:
                head = await session.send(request, self.follow_redirects)
                self.check_head(head, secrets)
                if self.needs_body:
                    # One more byte shows whether something was left out that must not be there.
                    more = bool(self.must_not_contain or self.must_not_match)
                    await self.check_body(
                        net, head, session.iter_content(head, self.max_body + more)
                    )
            except CheckFailedError as failed:
                error, failure = str(failed), failed.failure
        return Attempt(
            rtt=session.rtt,
            error=error,
            failure=failure,
            phases=session.stopwatch.phases(),
            certificate_expiry=session.certificates.expiry_ns,
            certificate_renewal=session.certificates.renewal_ns,
            certificate_lifetime=session.certificates.lifetime_ns,
            tls_weakness=session.tls_weakness,
        )

    def pause_after(self, attempt: Attempt) -> int:
        """Pause only after a response, as the Go program does."""
        evaluated = not attempt.error or attempt.failure.startswith(("status_", "header_"))
        responded = evaluated or bool(attempt.phases and attempt.phases.transfer)
        return self.attempt_spacing if responded else 0

    def check_head(self, head: Head, secrets: Sequence[str]) -> None:
        """Check status and headers.

        Args:
            secrets: what must not be quoted from the response.

        Raises:
            CheckFailedError: they are not as expected.
        """
        expected = ((self.up_status, self.up_status),) if self.up_status > 0 else self.up_statuses
        status = head.status
        if not any(first <= status <= last for first, last in expected or _DEFAULT_UP):
            reason = quote_untrusted(head.reason, secrets)
            raise CheckFailedError(f"status_{status}", f"response status {status} {reason}".strip())
        for name, texts in self.must_have_headers.items():
            value = head.text(name)
            if value is None:
                raise CheckFailedError("header_mismatch", f"response has no header {name}")
            for text in texts:
                if text.casefold() not in value.casefold():
                    shown = quote_untrusted(value, secrets)
                    message = (
                        f"response header {name} is '{shown}', which does not contain '{text}'"
                    )
                    raise CheckFailedError("header_mismatch", message)

    @property
    def needs_body(self) -> bool:
        """Whether anything is expected of the body."""
        return bool(self.must_contain or self.must_not_contain or self._needs_whole_body)

    @property
    def _needs_whole_body(self) -> bool:
        return bool(self.must_match or self.must_not_match or self.must_hold)

    async def check_body(self, net: Network, head: Head, pieces: AsyncIterator[bytes]) -> None:
        """Read a body to its end, or to ``max_body``, and check it.

        A text is searched in the bytes as they are and, if they are not UTF-8, decoded from the
        charset that they are said to have, because servers are often wrong about it. The body is
        kept in memory only if a pattern or a condition needs all of it.

        Raises:
            CheckFailedError: it is not as expected.
            CheckUnknownError: patterns or a coding are not supported here, or the body is too long.
        """
        wanted, unwanted = TextSearch(self.must_contain), TextSearch(self.must_not_contain)
        body_text = BodyText(next(iter(head.values("Content-Type")), b""))
        body, text = bytearray(), bytearray()
        read = 0

        def take(piece: bytes, *, is_last: bool) -> None:
            decoded = body_text.feed(piece, is_last=is_last)
            wanted.feed(piece, decoded)
            unwanted.feed(piece, decoded)
            if self._needs_whole_body:
                body.extend(piece)
                text.extend(decoded)

        async for piece in pieces:
            take(piece[: self.max_body - read], is_last=False)
            read += len(piece)
        take(b"", is_last=True)
        place = f" in its first {self.max_body} bytes" if read >= self.max_body else ""
        if not wanted.found:
            raise _mismatch(f"response does not contain '{self.must_contain}'{place}")
        if self.must_not_contain and unwanted.found:
            raise _mismatch(f"response contains '{self.must_not_contain}'")
        if read > _SHORT and self._needs_whole_body:
            await net.in_thread(lambda: self._check_content(body, text, place), Deadline(inf))
        else:
            self._check_content(body, text, place)
        if read > self.max_body:
            sentence = f"the body is longer than max_body, {self.max_body} bytes; increase it"
            raise CheckUnknownError("client_limit", sentence)

    def _check_content(self, body: bytearray, text: bytearray, place: str) -> None:
        """Check what needs the whole body.

        Args:
            text: the body in UTF-8, if it is not.
            place: what to add to a message if the body may be longer.

        Raises:
            CheckFailedError: it is not as expected.
            CheckUnknownError: patterns are not supported here.
        """
        texts = [bytes(it) for it in (body, text) if it] or [b""]

        def matches(pattern: str) -> bool:
            return any(conditions.re2_search(pattern, text) for text in texts)

        if self.must_match and not matches(self.must_match):
            raise _mismatch(f"response does not match '{self.must_match}'{place}")
        if self.must_not_match and matches(self.must_not_match):
            raise _mismatch(f"response matches '{self.must_not_match}'")
        if not self.must_hold:
            return
        try:
            document = conditions.parse_json(bytes(body), bytes(text))
        except ValueError as error:
            raise CheckFailedError("body_not_json", f"response is not JSON{place}") from error
        for condition in self.must_hold:
            if not _condition(condition).is_met(document):
                raise _mismatch(f"condition not met: {condition}")


@lru_cache(maxsize=1024)
def _condition(text: str) -> JsonCondition:
    return parse_condition(text)


def _mismatch(message: str) -> CheckFailedError:
    return CheckFailedError("body_mismatch", message)
