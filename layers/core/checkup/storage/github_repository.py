"""Requests to one repository: further tries, GitHub's limits and GitHub's time."""

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
from checkup.times import SECOND

# What GitHub refuses, in sentences of ours.


UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
EMPTY: Final = 409
UNPROCESSABLE: Final = 422

_ALLOWED: Final = (
    "the access_token may not do this; it takes the permission to read and write the contents"
    " of the repository"
)

_SENTENCES: Final = {
    301: "the repository has moved; configure where it is now",
    UNAUTHORIZED: "the access_token is not valid",
    403: _ALLOWED,
    NOT_FOUND: "it is not there, or the access_token may not see it",
    EMPTY: "the repository is empty: run `checkup provision`",
    UNPROCESSABLE: "GitHub does not allow it; is the branch protected?",
}

_SENTENCES_LIKE: Final = {307: 301, 308: 301}


class GitHubError(StorageError):
    """A request to GitHub that came to nothing, told in a sentence.

    Attributes:
        status: of the answer; 0 if there was none.
        not_fast_forward: the branch could not be moved because it has been moved by somebody else.
        retried: it had been sent before, so it may already have been carried out.
    """

    def __init__(
        self, sentence: str, *, status: int = 0, is_race: bool = False, retried: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.not_fast_forward = is_race
        self.retried = retried


def status_text(status: int) -> str:
    """Return what a status means for the one who configured the storage."""
    known = _SENTENCES.get(_SENTENCES_LIKE.get(status, status))
    return known or f"GitHub answered {status}"


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

    def read(self, path: str) -> Any:
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

    def write(self, method: str, path: str, document: Mapping[str, Any]) -> Any:
        """Send a document and return the answer."""
        return _document(self._ask(method, path, json.dumps(document).encode()))

    def server_time_ns(self) -> int:
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


def _document(answer: HttpResponse) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise GitHubError("the answer is not one of GitHub's; look at api_url") from None


# Git's trees and files, as far as a storage needs them.


_REMEMBERED: Final = 8


class GitObjects:
    """What commits are made of. All of it is known by its hash and never changes.

    Args:
        folder: which alone is of interest; empty or ending in a slash.
    """

    def __init__(self, api: GitHubApi, folder: str) -> None:
        self._api = api
        self._folder = folder
        self._known: dict[str, bytes] = {}

    def read(self, sha: str) -> bytes:
        """Return a file's content.

        Raises:
            GitHubError: also if it is not what was asked for.
        """
        body = self._known.get(sha)
        if body is None:
            body = self._api.download(f"/git/blobs/{sha}")
            if blob_sha(body) != sha:
                raise GitHubError("the answer of GitHub was cut short")
            self._keep(sha, body)
        return body

    def files(self, tree: str) -> dict[str, str]:
        """Map the paths below the folder to the hashes of the files there."""
        start = len(self._folder)
        return {
            path[start:]: sha
            for path, sha in self._files(tree, "")
            if path.startswith(self._folder)
        }

    def write(self, base: str | None, files: Mapping[str, bytes | None]) -> str:
        """Return the hash of a tree that differs from ``base`` in these files.

        Args:
            base: the hash of a tree; None for an empty one.
            files: content by path below the folder, None for those to remove.
        """
        entries = [self._entry(self._folder + path, body) for path, body in files.items()]
        tree = {"tree": entries, **({"base_tree": base} if base else {})}
        sha = str(self._api.write("POST", "/git/trees", tree)["sha"])
        for body in files.values():
            if body is not None:
                self._keep(blob_sha(body), body)
        return sha

    def write_first(self, message: str, files: Mapping[str, bytes | None]) -> str:
        """Write files on the default branch of an empty repository; return the last commit."""
        commit = ""
        for path, body in files.items():
            content = base64.b64encode(body or b"").decode()
            document = {"message": message, "content": content}
            path_there = f"/contents/{quote(self._folder + path)}"
            commit = str(self._api.write("PUT", path_there, document)["commit"]["sha"])
        return commit

    def _keep(self, sha: str, body: bytes) -> None:
        """Remember a file, and forget the one that was remembered first if there are many."""
        for oldest in list(self._known)[: 1 - _REMEMBERED]:
            self._known.pop(oldest, None)
        self._known[sha] = body

    def _files(self, tree: str, path: str) -> Iterator[tuple[str, str]]:
        """Yield all files at once, or folder by folder if they are too many for one answer."""
        answer = self._api.read(f"/git/trees/{tree}?recursive=1")
        is_whole = not answer.get("truncated")
        if not is_whole:
            answer = self._api.read(f"/git/trees/{tree}")
            if answer.get("truncated"):
                raise GitHubError(
                    f"there are too many files in {path or 'the repository'} for GitHub to list;"
                    " move old runs to another folder, and set check_expiry"
                )
        for entry in answer["tree"]:
            name = path + str(entry["path"])
            if entry["type"] == "blob":
                yield name, str(entry["sha"])
            elif entry["type"] == "tree" and not is_whole and self._concerns(f"{name}/"):
                yield from self._files(str(entry["sha"]), f"{name}/")

    def _concerns(self, path: str) -> bool:
        """Say whether a folder lies on the way to ours, or within it."""
        return path.startswith(self._folder) or self._folder.startswith(path)

    def _entry(self, path: str, body: bytes | None) -> dict[str, Any]:
        """Return an entry of a tree. Text is a part of it, anything else is a request more."""
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
    """Return the hash under which git keeps a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


# One branch: what is on it now, and adding a commit if nobody else has.


_COMMIT_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 0.8, 0.8, 0.8, 0.8)


class BranchSnapshot(Struct, frozen=True):
    """What was on the branch at some moment.

    Attributes:
        commit, tree: their hashes.
        files: hashes by path below the folder.
    """

    commit: str
    tree: str
    files: Mapping[str, str]


class CommitDraft(Struct, frozen=True):
    """What is to be committed.

    Attributes:
        message: of the commit.
        files: content by path below the folder, None for those to remove.
    """

    message: str
    files: Mapping[str, bytes | None]


class Committer(Struct, frozen=True):
    """Whose commits these are; the owner of the token if empty."""

    name: str
    email: str


class GitHubBranch:
    """The last commit of a branch, for one who may not be the only one to add to it.

    Attributes:
        name: as in ``main``.
    """

    def __init__(self, api: GitHubApi, trees: GitObjects, name: str, committer: Committer) -> None:
        self._api = api
        self._trees = trees
        self.name = name
        self._path = quote(name)
        self._committer = committer
        self._seen: tuple[BranchSnapshot | None, str] = (None, "")

    def snapshot(self) -> BranchSnapshot:
        """Return what is on the branch now; it costs nothing if that is known already."""
        known, etag = self._seen
        answer, etag = self._ask(etag)
        if answer is not None:
            commit = str(answer["commit"]["sha"])
            if known is None or known.commit != commit:
                tree = str(answer["commit"]["commit"]["tree"]["sha"])
                known = BranchSnapshot(commit, tree, self._trees.files(tree))
            self._seen = known, etag
        assert known is not None  # noqa: S101 - without an ETag there is an answer
        return known

    def commit(self, build: Callable[[BranchSnapshot], CommitDraft | None]) -> None:
        """Add a commit.

        Args:
            build: says what to commit on top of what is there, or None for nothing. It is
                asked again when somebody else was faster.

        Raises:
            StorageError: the branch could not be moved, or perhaps was.
        """
        for pause in (*_COMMIT_PAUSES, None):
            view = self.snapshot()
            change = build(view)
            if change is None or self._add(view, change):
                return
            if pause is not None:
                time.sleep(random.uniform(0.2, 1) * pause)  # noqa: S311 - only to spread
        raise StorageError("others commit to the branch all the time")

    def create(self, change: CommitDraft) -> None:
        """Make the branch, with nothing on it but this."""
        try:
            tree = self._trees.write(None, change.files)
        except GitHubError as no:
            if no.status != EMPTY:
                raise
            # In a repository without any commit only the files themselves can be written.
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
        except GitHubError as no:
            if no.status == NOT_FOUND:
                raise GitHubError(
                    f"the branch {self.name} is not there, or the access_token may not see it:"
                    " run `checkup provision`",
                    status=no.status,
                ) from None
            raise

    def _add(self, view: BranchSnapshot, change: CommitDraft) -> bool:
        """Say whether the branch was moved from what was seen to a commit of this change."""
        tree = self._trees.write(view.tree, change.files)
        commit = self._commit(tree, change.message, parents=[view.commit])
        try:
            target = {"sha": commit, "force": False}
            self._api.write("PATCH", f"/git/refs/heads/{self._path}", target)
        except GitHubError as no:
            if no.status != UNPROCESSABLE:
                raise
            if not no.not_fast_forward and self.snapshot().commit == view.commit:
                raise
            return no.retried and self._has(commit)
        self._seen = BranchSnapshot(commit, tree, _changed(view.files, change.files)), ""
        return True

    def _commit(self, tree: str, message: str, *, parents: list[str]) -> str:
        commit: dict[str, Any] = {"message": message, "tree": tree, "parents": parents}
        if self._committer.name and self._committer.email:
            person = {"name": self._committer.name, "email": self._committer.email}
            commit |= {"author": person, "committer": person}
        return str(self._api.write("POST", "/git/commits", commit)["sha"])

    def _has(self, commit: str) -> bool:
        """Say whether the branch has come past a commit, after the answer to moving it was lost."""
        try:
            found = self._api.read(f"/compare/{commit}...{self._path}?per_page=1")
        except GitHubError as no:
            if no.status == NOT_FOUND:
                return False
            raise
        return found["status"] in {"ahead", "identical"}


def _changed(files: Mapping[str, str], by: Mapping[str, bytes | None]) -> dict[str, str]:
    new = {path: blob_sha(body) for path, body in by.items() if body is not None}
    return {path: sha for path, sha in {**files, **new}.items() if by.get(path, b"") is not None}


class GitHubRepository(NamedTuple):
    """A branch of a repository, ready to be read and added to.

    Attributes:
        address: how people know it, such as ``github.com/octocat/kit/``.
        folder: where in it everything is; empty or ending in a slash.
    """

    api: GitHubApi
    trees: GitObjects
    branch: GitHubBranch
    address: str
    folder: str
