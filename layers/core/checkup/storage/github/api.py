"""Requests to one repository: further tries, GitHub's limits and GitHub's time."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

from checkup.errors import DeliveryUnknownError, NotDeliveredError
from checkup.model import SECOND
from checkup.ports import Clients, HttpResponse
from checkup.storage.github.refusal import GitHubError, status_text

_JSON: Final = "application/vnd.github+json"
_RAW: Final = "application/vnd.github.raw+json"
_VERSION: Final = "2022-11-28"
_TIMEOUT: Final = 5.0
_PAUSES: Final = (0.1, 0.4)
_MINUTE: Final = 60


class GitHubApi:
    """The part of GitHub's REST interface that is about one repository.

    Every method raises GitHubError when GitHub does not do what is asked. All that is ever
    asked may be carried out twice without harm, so a lost answer is another try.

    Args:
        url: of the repository, such as ``https://api.github.com/repos/octocat/kit``.
        token: a personal access token, or the token of an app.
    """

    def __init__(self, clients: Clients, url: str, token: str) -> None:
        self._clients = clients
        self._url = url
        self._token = token
        self._answered_at = 0
        self._closed_until = 0

    def read(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the document at ``path``, which may have a query."""
        return _document(self._ask("GET", path))

    def read_if_changed(self, path: str, etag: str) -> tuple[Any, str]:
        """Return the document and its ETag, or None if it is still the one of ``etag``."""
        answer = self._ask("GET", path, condition=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None, etag
        return _document(answer), answer.headers.get("etag", "")

    def download(self, path: str) -> bytes:
        """Return the bytes of a file."""
        return self._ask("GET", path, accept=_RAW).body

    def write(self, method: str, path: str, document: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Send a document and return the answer."""
        return _document(self._ask(method, path, json.dumps(document).encode()))

    def now(self) -> int:
        """Return GitHub's own time at its last answer, in nanoseconds but to the second."""
        if not self._answered_at:
            self._ask("GET", "")
        return self._answered_at

    def _ask(
        self, method: str, path: str, body: bytes = b"", *, accept: str = _JSON, condition: str = ""
    ) -> HttpResponse:
        headers = {
            "Accept": accept,
            "Authorization": f"Bearer {self._token}",
            "User-Agent": "checkup",
            "X-GitHub-Api-Version": _VERSION,
            **({"Content-Type": "application/json"} if body else {}),
            **({"If-None-Match": condition} if condition else {}),
        }
        self._respect_limit()
        answer, retried = self._try(method, path, body, headers)
        self._keep_limit(answer)
        if answer.status >= HTTPStatus.MULTIPLE_CHOICES and answer.status != 304:  # noqa: PLR2004
            raise GitHubError(
                status_text(answer.status),
                status=answer.status,
                is_race=b"fast forward" in answer.body,
                retried=retried,
            )
        return answer

    def _try(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[HttpResponse, bool]:
        """Return the first answer that is not of a server in trouble, and whether it was late."""
        for number, pause in enumerate((*_PAUSES, None)):
            answer: HttpResponse | None = None
            try:
                url = self._url + path
                answer = self._clients.request(method, url, body, headers, timeout=_TIMEOUT)
                self._keep_time(answer)
            except (NotDeliveredError, DeliveryUnknownError) as error:
                problem = str(error)
            if answer is not None and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer, number > 0
            if pause is None:
                break
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - only to spread
        if answer is not None:
            return answer, True
        raise GitHubError(f"GitHub was not reached: {problem}")

    def _keep_time(self, answer: HttpResponse) -> None:
        date = answer.headers.get("date")
        if date:
            self._answered_at = int(parsedate_to_datetime(date).timestamp()) * SECOND

    def _respect_limit(self) -> None:
        """Send nothing while GitHub has asked for silence, as it shuts out who goes on."""
        if time.time_ns() < self._closed_until:
            raise GitHubError(_until(self._closed_until))

    def _keep_limit(self, answer: HttpResponse) -> None:
        """Find out until when GitHub wants no more requests.

        Raises:
            GitHubError: it wants none now.
        """
        wait = _seconds_to_wait(answer, self._answered_at // SECOND)
        if wait > 0:
            self._closed_until = time.time_ns() + wait * SECOND
            raise GitHubError(_until(self._closed_until), status=answer.status)


def _seconds_to_wait(answer: HttpResponse, now: int) -> int:
    """Return for how long the one who got this answer must not ask again."""
    if answer.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return 0
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        return int(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(1, int(reset) - now)
    is_limit = answer.status == HTTPStatus.TOO_MANY_REQUESTS or b"rate limit" in answer.body
    return _MINUTE if is_limit else 0


def _until(moment: int) -> str:
    end = time.strftime("%H:%M:%S UTC", time.gmtime(moment // SECOND + 1))
    return f"GitHub's limit of requests is used up until {end}"


def _document(answer: HttpResponse) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise GitHubError("the answer is not one of GitHub's; look at api_url") from None
