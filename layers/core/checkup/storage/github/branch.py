"""One branch: what is on it now, and adding a commit if nobody else has."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from msgspec import Struct

from checkup.errors import StorageError
from checkup.storage.github.api import GitHubApi
from checkup.storage.github.refusal import EMPTY, NOT_FOUND, UNPROCESSABLE, GitHubError
from checkup.storage.github.trees import GitObjects, blob_sha

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

    def look(self) -> BranchSnapshot:
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

    def change(self, decide: Callable[[BranchSnapshot], CommitDraft | None]) -> None:
        """Add a commit.

        Args:
            decide: says what to commit on top of what is there, or None for nothing. It is
                asked again when somebody else was faster.

        Raises:
            StorageError: the branch could not be moved, or perhaps was.
        """
        for pause in (*_COMMIT_PAUSES, None):
            view = self.look()
            change = decide(view)
            if change is None or self._add(view, change):
                return
            if pause is not None:
                time.sleep(random.uniform(0.2, 1) * pause)  # noqa: S311 - only to spread
        raise StorageError("others commit to the branch all the time")

    def start(self, change: CommitDraft) -> None:
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
            if not no.is_race and self.look().commit == view.commit:
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
