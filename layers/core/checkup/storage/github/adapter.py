"""The storage port over a branch of a repository."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from uuid import uuid4

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.ports import LockState, ProvisionStep, StoredDocument
from checkup.runfile import RUNS_PREFIX
from checkup.storage import goindex
from checkup.storage.github import provisioning
from checkup.storage.github.api import GitHubApi
from checkup.storage.github.branch import BranchSnapshot, CommitDraft, GitHubBranch
from checkup.storage.github.trees import GitObjects, blob_sha
from checkup.storage.goindex import INDEX_FILE
from checkup.storage.keys import is_key, run_file_name, valid_key, valid_prefix


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
            sha = self._branch.look().files.get(path)
            return None if sha is None else StoredDocument(self._trees.read(sha), sha)

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.ports.Storage.create`."""
        path = _path(key)

        def decide(view: BranchSnapshot) -> CommitDraft:
            if path in view.files:
                raise DocumentExistsError(f"{self._address}{path} is there already")
            return self._store(view, path, body)

        with self._told("write", path):
            self._branch.change(decide)
        return blob_sha(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.ports.Storage.replace`."""
        path = _path(key)

        def decide(view: BranchSnapshot) -> CommitDraft:
            if view.files.get(path) != version:
                raise DocumentChangedError(
                    f"{self._address}{path} is not the version that was read"
                )
            return self._store(view, path, body)

        with self._told("write", path):
            self._branch.change(decide)
        return blob_sha(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, as they are when the first is asked for."""
        valid_prefix(prefix)
        with self._told("list", prefix):
            files = self._branch.look().files
        keys = sorted(key for path in files if _is_after(key := _key(path), prefix, after))
        yield from (key for key in keys if is_key(key))

    def delete(self, key: str) -> None:
        """Remove the document; it is no error if there is none."""
        self.delete_all([key])

    def delete_all(self, keys: Iterable[str]) -> None:
        """Remove documents with one commit; see :class:`checkup.ports.BulkDelete`."""
        paths = [_path(key) for key in keys]

        def decide(view: BranchSnapshot) -> CommitDraft | None:
            present = [path for path in paths if path in view.files]
            return self._delete(view, present) if present else None

        if paths:
            with self._told("delete", paths[0]):
                self._branch.change(decide)

    def clock(self) -> int:
        """Return GitHub's own time as of its last answer, in whole seconds."""
        with self._told("reach", ""):
            return self._api.now()

    def hold(self, name: str) -> AbstractContextManager[LockState]:  # noqa: ARG002 - of no use here
        """Say that GitHub has no locks that end with their owner."""
        return nullcontext(LockState.UNSUPPORTED)

    def missing(self, check_expiry: int) -> Sequence[ProvisionStep]:  # noqa: ARG002 - needs no room for it
        """Return what :meth:`checkup.ports.Provisionable.missing` says: the branch and folder."""
        index = provisioning.empty_index(self._message("store", self._folder + INDEX_FILE))
        with self._told("look at", ""):
            return provisioning.missing(self._api, self._branch, self._address, index)

    def _store(self, view: BranchSnapshot, path: str, body: bytes) -> CommitDraft:
        """Return the commit of one document, with the index if it is a run.

        Two writers of the same bytes must not make the very same commit, for then both would
        have moved the branch. The index tells runs apart; other commits carry a number.
        """
        message = self._message("store", self._folder + path)
        if "/" in path:
            return CommitDraft(f"{message}\n\nWrite: {uuid4().hex}", {path: body})
        index = goindex.index_with_run(self._index(view), _names(view), path, time.time_ns())
        return CommitDraft(message, {path: body, INDEX_FILE: index})

    def _delete(self, view: BranchSnapshot, paths: Sequence[str]) -> CommitDraft:
        """Return the commit that removes files; the index forgets those that it knew."""
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        files: dict[str, bytes | None] = dict.fromkeys(paths)
        if INDEX_FILE in view.files and any("/" not in path for path in paths):
            left = set(_names(view)) - set(paths)
            files[INDEX_FILE] = goindex.index_of_files(self._index(view), left)
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
