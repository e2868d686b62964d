"""Storage in a repository of GitHub, laid out as the Go program does.

Check files lie in ``dir`` as ``<19 digits>-check.json`` and ``index.json`` beside them; every
other key is the path of a file below ``dir``. A run and its entry in the index are one commit.

===========  ===================================================================
``adapter``  the five verbs
``branch``   what is on the branch, and how a commit is added to it
``trees``    reading and writing its trees and files
``api``      requests, tries, limits and the time
``refusal``  what GitHub refuses, in sentences
===========  ===================================================================

GitHub itself decides races: a commit names the one that it follows, and the branch is moved
without force, so it moves only where that one is still the last. What is on the branch is asked
with the ETag of the last answer, and objects, which never change, are remembered. So a run in
which nothing changes takes 4 to 8 requests of ``checkup every`` and 8 to 12 of ``checkup
--store``, and one that has something to tell some 15 more.

A token has 5,000 requests an hour, of which about 500 may create something
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api), as three or six
of each run do. A run a minute is therefore within both limits, and one every 30 seconds may not
be. Reading a run takes a request, once in the life of a process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated, ClassVar, Final
from urllib.parse import quote, urlsplit
from uuid import uuid4

from msgspec import Meta

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError, UnavailableError
from checkup.interfaces import Clients, LockState, ProvisionStep, StorageSettings, StoredDocument
from checkup.interfaces.kinds import Secret
from checkup.model import RUNS_PREFIX
from checkup.storage import layout
from checkup.storage.github_repository import (
    NOT_FOUND,
    BranchSnapshot,
    CommitDraft,
    Committer,
    GitHubApi,
    GitHubBranch,
    GitHubError,
    GitHubRepository,
    GitObjects,
    blob_sha,
)
from checkup.storage.layout import INDEX_FILE, is_key, run_file_name, valid_key, valid_prefix

# What a repository needs before it keeps runs: the branch, and the folder with an index.


_EMPTY = b"{}"


def missing(
    api: GitHubApi, branch: GitHubBranch, address: str, change: CommitDraft
) -> Sequence[ProvisionStep]:
    """Return what has to be done; making the repository itself is left to its owner.

    Args:
        address: of the folder, as people know it.
        change: the commit of an empty index.

    Raises:
        GitHubError: there is no repository, or it cannot be looked at.
    """
    try:
        view = branch.snapshot()
    except GitHubError as no:
        if no.status != NOT_FOUND:
            raise
        api.read("")
        made = f"make the branch {branch.name} with an empty {address}{INDEX_FILE}"
        return [ProvisionStep(made, lambda: branch.create(change))]
    if INDEX_FILE in view.files:
        return []

    def decide(seen: BranchSnapshot) -> CommitDraft | None:
        return None if INDEX_FILE in seen.files else change

    put = f"put an empty {address}{INDEX_FILE} on the branch {branch.name}"
    return [ProvisionStep(put, lambda: branch.commit(decide))]


def empty_index(message: str) -> CommitDraft:
    """Return the commit of an index without runs."""
    return CommitDraft(message, {INDEX_FILE: _EMPTY})


# The storage port over a branch of a repository.


class GitHubStorage:
    """Documents as files of a repository; safe for any number of writers.

    A StorageError from a write says that the outcome is unknown: it may have been carried out.

    Args:
        address: how people know the place, such as ``github.com/octocat/kit/``.
        folder: where in the repository; empty or ending in a slash.
        suffix: ends the messages of commits; empty for none.
    """

    def __init__(  # noqa: PLR0913 - what it is made of, by name
        self,
        *,
        api: GitHubApi,
        trees: GitObjects,
        branch: GitHubBranch,
        address: str,
        folder: str,
        suffix: str,
    ) -> None:
        self._api = api
        self._trees = trees
        self._branch = branch
        self._address = address
        self._folder = folder
        self._suffix = suffix

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        path = _path(key)
        with self._told("read", path):
            sha = self._branch.snapshot().files.get(path)
            return None if sha is None else StoredDocument(self._trees.read(sha), sha)

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        path = _path(key)

        def decide(view: BranchSnapshot) -> CommitDraft:
            if path in view.files:
                raise DocumentExistsError(f"{self._address}{path} is there already")
            return self._store(view, path, body)

        with self._told("write", path):
            self._branch.commit(decide)
        return blob_sha(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        path = _path(key)

        def decide(view: BranchSnapshot) -> CommitDraft:
            if view.files.get(path) != version:
                raise DocumentChangedError(
                    f"{self._address}{path} is not the version that was read"
                )
            return self._store(view, path, body)

        with self._told("write", path):
            self._branch.commit(decide)
        return blob_sha(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, as they are when the first is asked for."""
        valid_prefix(prefix)
        with self._told("list", prefix):
            files = self._branch.snapshot().files
        keys = sorted(key for path in files if _is_after(key := _key(path), prefix, after))
        yield from (key for key in keys if is_key(key))

    def delete(self, key: str) -> None:
        """Remove the document; it is no error if there is none."""
        self.delete_all([key])

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove documents with one commit; see :class:`checkup.interfaces.BulkDelete`."""
        paths = [_path(key) for key in keys]

        def decide(view: BranchSnapshot) -> CommitDraft | None:
            present = [path for path in paths if path in view.files]
            return self._delete(view, present) if present else None

        if paths:
            with self._told("delete", paths[0]):
                self._branch.commit(decide)

    def now_ns(self) -> int:
        """Return GitHub's own time as of its last answer, in whole seconds."""
        with self._told("reach", ""):
            return self._api.server_time_ns()

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        """Say that GitHub has no locks that end with their owner."""
        return nullcontext(LockState.UNSUPPORTED)

    def provision_steps(self, check_expiry: int) -> Sequence[ProvisionStep]:
        """Return the branch and the folder where they are missing."""
        index = empty_index(self._message("store", self._folder + INDEX_FILE))
        with self._told("look at", ""):
            return missing(self._api, self._branch, self._address, index)

    def _store(self, view: BranchSnapshot, path: str, body: bytes) -> CommitDraft:
        """Return the commit of one document, with the index if it is a run.

        Two writers of the same bytes must not make the very same commit, for then both would
        have moved the branch. The index tells runs apart; other commits carry a number.
        """
        message = self._message("store", self._folder + path)
        if "/" in path:
            return CommitDraft(f"{message}\n\nWrite: {uuid4().hex}", {path: body})
        index = layout.index_with_run(self._index(view), _names(view), path, time.time_ns())
        return CommitDraft(message, {path: body, INDEX_FILE: index})

    def _delete(self, view: BranchSnapshot, paths: Sequence[str]) -> CommitDraft:
        """Return the commit that removes files; the index forgets those that it knew."""
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        files: dict[str, bytes | None] = dict.fromkeys(paths)
        if INDEX_FILE in view.files and any("/" not in path for path in paths):
            left = set(_names(view)) - set(paths)
            files[INDEX_FILE] = layout.index_of_files(self._index(view), left)
        return CommitDraft(self._message("delete", self._folder + paths[0] + more), files)

    def _index(self, view: BranchSnapshot) -> bytes:
        sha = view.files.get(INDEX_FILE)
        return b"" if sha is None else self._trees.read(sha)

    def _message(self, action: str, what: str) -> str:
        return f"[checkup] {action} {what} {self._suffix}".rstrip()

    @contextmanager
    def _told(self, action: str, path: str) -> Iterator[None]:
        """Add to what went wrong what was tried."""
        try:
            yield
        except (DocumentExistsError, DocumentChangedError):
            raise
        except StorageError as error:
            what = f"{self._address}{path}"
            raise StorageError(f"cannot {action} {what}: {error}") from error


def _path(key: str) -> str:
    """Return where a document lies below the folder."""
    return run_file_name(valid_key(key)) or key


def _key(path: str) -> str:
    """Return the key of what lies there, if it is a document at all."""
    return path if "/" in path else RUNS_PREFIX + path


def _is_after(key: str, prefix: str, after: str) -> bool:
    return key.startswith(prefix) and key > after


def _names(view: BranchSnapshot) -> Iterator[str]:
    """Yield the names of the files beside the index."""
    return (path for path in view.files if "/" not in path)


# What checkup.json says of a repository.


_API: Final = "https://api.github.com"
_SUFFIX: Final = "[ci skip]"
_NEEDED: Final = ("access_token", "repository_owner", "repository_name", "branch")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class GitHubSettings(StorageSettings, frozen=True, kw_only=True):
    """Check files as commits on a branch."""

    kind: ClassVar[str] = "github"

    access_token: Annotated[Secret, Meta(description="A token that may write contents.")] = ""
    repository_owner: Annotated[str, Meta(description="The user or organisation.")] = ""
    repository_name: Annotated[str, Meta(description="The repository.")] = ""
    committer_name: Annotated[
        str, Meta(description="Who the commits are by; the token's owner if empty.")
    ] = ""
    committer_email: Annotated[str, Meta(description="Their address.")] = ""
    branch: Annotated[str, Meta(description="The branch to commit to.")] = ""
    dir: Annotated[str, Meta(description="A folder of the repository; its root if empty.")] = ""
    commit_message_suffix: Annotated[
        str, Meta(description="Ends each commit's message; [ci skip] if empty, none if a space.")
    ] = ""
    api_url: Annotated[
        str, Meta(description="Of GitHub Enterprise, as https://HOST/api/v3; GitHub's if empty.")
    ] = ""

    def open(self, clients: Clients) -> GitHubStorage:
        """Return the storage; nothing is sent before the first document.

        Raises:
            UnavailableError: it is not said where it is, or the token leads nowhere.
        """
        there = self.connect(clients)
        return GitHubStorage(
            api=there.api,
            trees=there.trees,
            branch=there.branch,
            address=there.address,
            folder=there.folder,
            suffix=(self.commit_message_suffix or _SUFFIX).strip(),
        )

    def connect(self, clients: Clients, section: str = "storage") -> GitHubRepository:
        """Return the repository; nothing is sent before it is used.

        Args:
            section: of the configuration in which it is described.

        Raises:
            UnavailableError: it is not said where it is, or the token leads nowhere.
        """
        self._refuse_incomplete(section)
        owner, name = self.repository_owner, self.repository_name
        url = f"{self._api()}/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        folder = self._folder()
        api = GitHubApi(clients, url, clients.secret(self.access_token))
        trees = GitObjects(api, folder)
        committer = Committer(self.committer_name, self.committer_email)
        branch = GitHubBranch(api, trees, self.branch, committer)
        return GitHubRepository(api, trees, branch, f"github.com/{owner}/{name}/{folder}", folder)

    def _folder(self) -> str:
        """Return the folder with a slash, or nothing for the root, however it is written."""
        parts = [part for part in self.dir.split("/") if part not in {"", "."}]
        return "".join(f"{part}/" for part in parts)

    def _api(self) -> str:
        url = (self.api_url or _API).rstrip("/")
        address = urlsplit(url)
        if address.scheme != "https" and address.hostname not in _HERE:
            raise UnavailableError(
                "github: api_url has to begin with https, for the access_token goes there"
            )
        return url

    def _refuse_incomplete(self, section: str) -> None:
        for key in _NEEDED:
            if not getattr(self, key):
                raise UnavailableError(f"Please specify {key} in {section} configuration")


__all__ = ["GitHubSettings"]
