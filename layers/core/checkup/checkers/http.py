"""The ``http`` checker: one request per attempt, judged by status, headers and content."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from urllib.parse import SplitResult

from msgspec import Meta, field
from requests import PreparedRequest

from checkup.checkers.exchange import ConnectOptions, Timeouts
from checkup.checkers.expectations import ExpectantChecker
from checkup.checkers.failures import CheckFailedError
from checkup.checkers.proxies import FROM_ENVIRONMENT, basic_auth, parse_proxy, proxy_for
from checkup.checkers.request import build_request, request_secrets
from checkup.checkers.visit import HttpSession
from checkup.deadline import Deadline
from checkup.errors import CheckUnknownError
from checkup.model import SECOND, Attempt
from checkup.options import Headers, Secret


class HttpChecker(ExpectantChecker, frozen=True, kw_only=True):
    """Asks for a URL over a new connection, and follows redirects only if told to.

    The round trip time ends with the headers of the answer. The body is read only if something
    is expected of it and status and headers are right. Without ``timeout`` the limits are
    those of the Go program: 10 s to connect, 5 s for TLS, 5 s for the headers, 10 s in all.
    """

    kind: ClassVar[str] = "http"
    default_timeout: ClassVar[int] = 10 * SECOND

    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        Meta(description="The method of the request."),
    ] = "GET"
    headers: Annotated[Headers, Meta(description="Request headers; Host is one of them.")] = field(
        default_factory=dict
    )
    body: Annotated[
        str,
        Meta(
            description="The body of the request; name its type in the header Content-Type.",
            extra={"private": True},
        ),
    ] = ""
    username: Annotated[str, Meta(description="The user for Basic authentication.")] = ""
    password: Annotated[Secret, Meta(description="The password for Basic authentication.")] = ""
    bearer_token: Annotated[Secret, Meta(description="A token for Bearer authentication.")] = ""
    follow_redirects: Annotated[
        int,
        Meta(ge=0, le=20, description="Redirects to follow at most; 0 judges the redirect itself."),
    ] = 0
    proxy: Annotated[
        str,
        Meta(description='A proxy\'s URL, or "env" for HTTP_PROXY, HTTPS_PROXY and NO_PROXY.'),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bearer_token and (self.username or self.password):
            raise ValueError("bearer_token and username exclude each other")
        if self.proxy not in {"", FROM_ENVIRONMENT}:
            try:
                parse_proxy(self.proxy)
            except CheckUnknownError as error:
                raise ValueError(str(error)) from None

    def attempt(self, deadline: Deadline) -> Attempt:
        """See :meth:`checkup.ports.Checker.attempt`."""
        try:
            request = build_request(
                self.endpoint_url,
                self.headers,
                method=self.method,
                body=self.body,
                authorization=self._authorization(),
            )
        except CheckFailedError as failed:
            return Attempt(error=str(failed), failure=failed.failure)
        error = failure = ""
        secrets = request_secrets(request, self.endpoint_url, self.proxy)
        with HttpSession(self._limits(deadline), self._way_to, secrets) as visit:
            try:
                self._look(visit, request, secrets)
            except CheckFailedError as failed:
                error, failure = str(failed), failed.failure
        return Attempt(
            rtt=visit.rtt,
            error=error,
            failure=failure,
            phases=visit.watch.phases(),
            certificate_expiry=visit.certificate_expiry,
        )

    def spacing_after(self, attempt: Attempt) -> int:
        """Pause only after an answer, as the Go program does."""
        judged = not attempt.error or attempt.failure.startswith(("status_", "header_"))
        answered = judged or bool(attempt.phases and attempt.phases.transfer)
        return self.attempt_spacing if answered else 0

    def _look(self, visit: HttpSession, request: PreparedRequest, secrets: tuple[str, ...]) -> None:
        response = visit.send(request, self.follow_redirects)
        self.judge_head(response, secrets)
        if self.looks_at_body:
            self.judge_body(visit.body(response, self.max_body))

    def _limits(self, deadline: Deadline) -> Timeouts:
        if self.timeout:
            return Timeouts(whole=deadline)
        return Timeouts(whole=deadline, connect=10.0, tls=5.0, headers=5.0)

    def _way_to(self, url: SplitResult, is_home: bool) -> ConnectOptions:  # noqa: FBT001 - of Visit
        return ConnectOptions(
            context=self.tls_context(at_home=is_home) if url.scheme == "https" else None,
            family=self.family,
            server_name=self.server_name if is_home else "",
            proxy=proxy_for(url.geturl(), self.proxy) if self.proxy else None,
        )

    def _authorization(self) -> str:
        if self.bearer_token:
            return f"Bearer {self.bearer_token}"
        if self.username or self.password:
            return basic_auth(self.username.encode(), self.password.encode())
        return ""
