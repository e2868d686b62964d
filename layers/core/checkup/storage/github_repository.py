"""One GitHub repository: requests with retries and rate limits, git objects, and one branch.

:class:`GitHubApi` sends requests and translates errors, :class:`GitObjects` reads and writes trees
and files, and :class:`GitHubBranch` adds commits to a branch that others may also commit to.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from msgspec import Struct

from checkup.errors import DeliveryUnknownError, NotDeliveredError, StorageError
from checkup.interfaces import Clients, HttpResponse
from checkup.times import MINUTE, SECOND

UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
EMPTY: Final = 409
UNPROCESSABLE: Final = 422

_FORBIDDEN: Final = (
    "access denied; the access_token needs permission to read and write the contents of the"
    " repository"
)

_MESSAGES: Final = {
    301: "the repository has moved; configure its new location",
    UNAUTHORIZED: "the access_token is invalid",
    403: _FORBIDDEN,
    NOT_FOUND: "not found, or the access_token has no access",
    EMPTY: "the repository is empty: run `checkup provision`",
    UNPROCESSABLE: "GitHub rejected the change; is the branch protected?",
}

_SAME_MESSAGE: Final = {307: 301, 308: 301}


class GitHubError(StorageError):
    """A failed request to GitHub.

    Attributes:
        status: HTTP status of the response; 0 if there was none.
        not_fast_forward: another writer has updated the branch.
        retried: the request had been sent before, so it may have been processed.
    """

    def __init__(
        self, message: str, *, status: int = 0, is_race: bool = False, retried: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.not_fast_forward = is_race
        self.retried = retried


def status_text(status: int) -> str:
    """Return the error message of an HTTP status."""
    known = _MESSAGES.get(_SAME_MESSAGE.get(status, status))
    return known or f"GitHub answered {status}"


_JSON: Final = "application/vnd.github+json"
_RAW: Final = "application/vnd.github.raw+json"
_VERSION: Final = "2022-11-28"
_TIMEOUT: Final = 5.0
_PAUSES: Final = (0.1, 0.4)
_DEFAULT_WAIT_SECONDS: Final = MINUTE // SECOND


class GitHubApi:
    """GitHub's REST API for one repository.

    Every method raises GitHubError if a request fails. All requests are idempotent, so they are
    retried after a lost response.

    Args:
        url: of the repository, such as ``https://api.github.com/repos/octocat/kit``.
        token: a personal access token or an app's token.
    """

    def __init__(self, clients: Clients, url: str, token: str) -> None:
        self._clients = clients
        self._url = url
        self._token = token
        self._last_response_ns = 0
        self._limited_until_ns = 0

    def read(self, path: str) -> Any:
        """Return the JSON document at ``path``, which may contain a query."""
        return _document(self._ask("GET", path))

    def read_if_changed(self, path: str, etag: str) -> tuple[Any, str]:
        """Return the document and its ETag, or None if the ETag is still ``etag``."""
        answer = self._ask("GET", path, condition=etag)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return None, etag
        return _document(answer), answer.headers.get("etag", "")

    def download(self, path: str) -> bytes:
        """Return the raw response body."""
        return self._ask("GET", path, accept=_RAW).body

    def write(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        """Send a JSON document and return the response."""
        return _document(self._ask(method, path, json.dumps(document).encode()))

    def server_time_ns(self) -> int:
        """Return GitHub's time at its last response, in nanoseconds (whole seconds)."""
        if not self._last_response_ns:
            self._ask("GET", "")
        return self._last_response_ns

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
        self._raise_if_limited()
        answer, retried = self._try(method, path, body, headers)
        self._remember_limit(answer)
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
        """Return the first response that is not a server error, and whether it took a retry."""
        for number, pause in enumerate((*_PAUSES, None)):
            answer: HttpResponse | None = None
            try:
                url = self._url + path
                answer = self._clients.request(method, url, body, headers, timeout=_TIMEOUT)
                self._remember_time(answer)
            except (NotDeliveredError, DeliveryUnknownError) as error:
                problem = str(error)
            if answer is not None and answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return answer, number > 0
            if pause is None:
                break
            time.sleep(random.uniform(0.5, 1) * pause)  # noqa: S311 - only to spread
        if answer is not None:
            return answer, True
        raise GitHubError(f"cannot reach GitHub: {problem}")

    def _remember_time(self, answer: HttpResponse) -> None:
        date = answer.headers.get("date")
        if date:
            self._last_response_ns = int(parsedate_to_datetime(date).timestamp()) * SECOND

    def _raise_if_limited(self) -> None:
        """Send nothing until the rate limit ends, because GitHub bans clients that continue."""
        if time.time_ns() < self._limited_until_ns:
            raise GitHubError(_until(self._limited_until_ns))

    def _remember_limit(self, answer: HttpResponse) -> None:
        """Remember until when the rate limit applies.

        Raises:
            GitHubError: the response says that the limit is exceeded.
        """
        wait = _seconds_to_wait(answer, self._last_response_ns // SECOND)
        if wait > 0:
            self._limited_until_ns = time.time_ns() + wait * SECOND
            raise GitHubError(_until(self._limited_until_ns), status=answer.status)


def _seconds_to_wait(answer: HttpResponse, now: int) -> int:
    """Return how many seconds to wait after this response; 0 if there is no rate limit."""
    if answer.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}:
        return 0
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        return int(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
        return max(1, int(reset) - now)
    is_limit = answer.status == HTTPStatus.TOO_MANY_REQUESTS or b"rate limit" in answer.body
    return _DEFAULT_WAIT_SECONDS if is_limit else 0


def _until(time_ns: int) -> str:
    end = time.strftime("%H:%M:%S UTC", time.gmtime(time_ns // SECOND + 1))
    return f"GitHub's rate limit is exceeded until {end}"


def _document(answer: HttpResponse) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise GitHubError("the response is not from GitHub's API; check api_url") from None


_CACHED_FILES: Final = 8


class GitObjects:
    """Trees and files, by hash; they never change.

    Args:
        folder: of the storage; empty or ending in a slash.
    """

    def __init__(self, api: GitHubApi, folder: str) -> None:
        self._api = api
        self._folder = folder
        self._cache: dict[str, bytes] = {}

    def read(self, sha: str) -> bytes:
        """Return the content of a file.

        Raises:
            GitHubError: the request failed, or the content does not match the hash.
        """
        body = self._cache.get(sha)
        if body is None:
            body = self._api.download(f"/git/blobs/{sha}")
            if blob_sha(body) != sha:
                raise GitHubError("incomplete response from GitHub")
            self._cache_file(sha, body)
        return body

    def files(self, tree: str) -> dict[str, str]:
        """Return the hashes of all files by path below the folder."""
        start = len(self._folder)
        return {
            path[start:]: sha
            for path, sha in self._files(tree, "")
            if path.startswith(self._folder)
        }

    def write(self, base: str | None, files: Mapping[str, bytes | None]) -> str:
        """Write a tree that differs from ``base`` in these files, and return its hash.

        Args:
            base: hash of a tree; None for an empty one.
            files: content by path below the folder; None deletes a file.
        """
        entries = [self._entry(self._folder + path, body) for path, body in files.items()]
        tree = {"tree": entries, **({"base_tree": base} if base else {})}
        sha = str(self._api.write("POST", "/git/trees", tree)["sha"])
        for body in files.values():
            if body is not None:
                self._cache_file(blob_sha(body), body)
        return sha

    def write_first(self, message: str, files: Mapping[str, bytes | None]) -> str:
        """Write files to the default branch of an empty repository; return the last commit."""
        commit = ""
        for path, body in files.items():
            content = base64.b64encode(body or b"").decode()
            document = {"message": message, "content": content}
            url_path = f"/contents/{quote(self._folder + path)}"
            commit = str(self._api.write("PUT", url_path, document)["commit"]["sha"])
        return commit

    def _cache_file(self, sha: str, body: bytes) -> None:
        """Cache a file, and evict the oldest if there are too many."""
        for oldest in list(self._cache)[: 1 - _CACHED_FILES]:
            self._cache.pop(oldest, None)
        self._cache[sha] = body

    def _files(self, tree: str, path: str) -> Iterator[tuple[str, str]]:
        """Yield all files, folder by folder if there are too many for one response."""
        answer = self._api.read(f"/git/trees/{tree}?recursive=1")
        is_whole = not answer.get("truncated")
        if not is_whole:
            answer = self._api.read(f"/git/trees/{tree}")
            if answer.get("truncated"):
                raise GitHubError(
                    f"too many files in {path or 'the repository'} for GitHub to list;"
                    " move old runs to another folder, and set check_expiry"
                )
        for entry in answer["tree"]:
            name = path + str(entry["path"])
            if entry["type"] == "blob":
                yield name, str(entry["sha"])
            elif entry["type"] == "tree" and not is_whole and self._is_relevant(f"{name}/"):
                yield from self._files(str(entry["sha"]), f"{name}/")

    def _is_relevant(self, path: str) -> bool:
        """Whether a folder contains ours, or is inside it."""
        return path.startswith(self._folder) or self._folder.startswith(path)

    def _entry(self, path: str, body: bytes | None) -> dict[str, Any]:
        """Return a tree entry; text is part of it, other content takes one more request."""
        entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob"}
        if body is None:
            return {**entry, "sha": None}
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = ""
        if text:
            return {**entry, "content": text}
        blob = {"content": base64.b64encode(body).decode(), "encoding": "base64"}
        return {**entry, "sha": self._api.write("POST", "/git/blobs", blob)["sha"]}


def blob_sha(body: bytes) -> str:
    """Return the git hash of a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


_COMMIT_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 0.8, 0.8, 0.8, 0.8)


class BranchSnapshot(Struct, frozen=True):
    """The content of the branch at one time.

    Attributes:
        commit, tree: hashes.
        files: hashes by path below the folder.
    """

    commit: str
    tree: str
    files: Mapping[str, str]


class CommitDraft(Struct, frozen=True):
    """A commit to be created.

    Attributes:
        message: of the commit.
        files: content by path below the folder; None deletes a file.
    """

    message: str
    files: Mapping[str, bytes | None]


class Committer(Struct, frozen=True):
    """Author of the commits; the token's owner if empty."""

    name: str
    email: str


class GitHubBranch:
    """A branch with any number of writers.

    Attributes:
        name: such as ``main``.
    """

    def __init__(self, api: GitHubApi, trees: GitObjects, name: str, committer: Committer) -> None:
        self._api = api
        self._trees = trees
        self.name = name
        self._path = quote(name)
        self._committer = committer
        self._seen: tuple[BranchSnapshot | None, str] = (None, "")

    def snapshot(self) -> BranchSnapshot:
        """Return the current content; an unchanged branch does not count against the rate limit."""
        known, etag = self._seen
        answer, etag = self._ask(etag)
        if answer is not None:
            commit = str(answer["commit"]["sha"])
            if known is None or known.commit != commit:
                tree = str(answer["commit"]["commit"]["tree"]["sha"])
                known = BranchSnapshot(commit, tree, self._trees.files(tree))
            self._seen = known, etag
        assert known is not None  # noqa: S101 - without an ETag there is a document
        return known

    def commit(self, build: Callable[[BranchSnapshot], CommitDraft | None]) -> None:
        """Add a commit.

        Args:
            build: returns the commit for a snapshot, or None for nothing to do. It is called
                again if another writer was faster.

        Raises:
            StorageError: the branch was not updated, or it is unknown whether it was.
        """
        for pause in (*_COMMIT_PAUSES, None):
            snapshot = self.snapshot()
            change = build(snapshot)
            if change is None or self._add(snapshot, change):
                return
            if pause is not None:
                time.sleep(random.uniform(0.2, 1) * pause)  # noqa: S311 - only to spread
        raise StorageError("too many concurrent commits to the branch")

    def create(self, change: CommitDraft) -> None:
        """Create the branch with this as its only commit."""
        try:
            tree = self._trees.write(None, change.files)
        except GitHubError as error:
            if error.status != EMPTY:
                raise
            # GitHub cannot create trees in an empty repository.
            commit = self._trees.write_first(change.message, change.files)
            if self._api.read("")["default_branch"] == self.name:
                return
        else:
            commit = self._commit(tree, change.message, parents=[])
        ref = {"ref": f"refs/heads/{self.name}", "sha": commit}
        self._api.write("POST", "/git/refs", ref)

    def _ask(self, etag: str) -> tuple[Any, str]:
        try:
            return self._api.read_if_changed(f"/branches/{self._path}", etag)
        except GitHubError as error:
            if error.status == NOT_FOUND:
                raise GitHubError(
                    f"branch {self.name} not found, or the access_token has no access:"
                    " run `checkup provision`",
                    status=error.status,
                ) from None
            raise

    def _add(self, snapshot: BranchSnapshot, change: CommitDraft) -> bool:
        """Commit a change; return False if another writer has updated the branch."""
        tree = self._trees.write(snapshot.tree, change.files)
        commit = self._commit(tree, change.message, parents=[snapshot.commit])
        try:
            target = {"sha": commit, "force": False}
            self._api.write("PATCH", f"/git/refs/heads/{self._path}", target)
        except GitHubError as error:
            if error.status != UNPROCESSABLE:
                raise
            if not error.not_fast_forward and self.snapshot().commit == snapshot.commit:
                raise
            return error.retried and self._has(commit)
        self._seen = BranchSnapshot(commit, tree, _changed(snapshot.files, change.files)), ""
        return True

    def _commit(self, tree: str, message: str, *, parents: list[str]) -> str:
        commit: dict[str, Any] = {"message": message, "tree": tree, "parents": parents}
        if self._committer.name and self._committer.email:
            person = {"name": self._committer.name, "email": self._committer.email}
            commit |= {"author": person, "committer": person}
        return str(self._api.write("POST", "/git/commits", commit)["sha"])

    def _has(self, commit: str) -> bool:
        """Whether the branch contains a commit, after the response to updating it was lost."""
        try:
            found = self._api.read(f"/compare/{commit}...{self._path}?per_page=1")
        except GitHubError as error:
            if error.status == NOT_FOUND:
                return False
            raise
        return found["status"] in {"ahead", "identical"}


def _changed(files: Mapping[str, str], by: Mapping[str, bytes | None]) -> dict[str, str]:
    new = {path: blob_sha(body) for path, body in by.items() if body is not None}
    return {path: sha for path, sha in {**files, **new}.items() if by.get(path, b"") is not None}


class GitHubRepository(NamedTuple):
    """A branch of a repository with its API.

    Attributes:
        address: for messages, such as ``github.com/octocat/kit/``.
        folder: path in the repository; empty or ending in a slash.
    """

    api: GitHubApi
    trees: GitObjects
    branch: GitHubBranch
    address: str
    folder: str
