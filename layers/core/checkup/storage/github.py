"""Storage in a GitHub repository, in the layout of the Go program.

Check files are in ``dir`` as ``<19 digits>-check.json``, with ``index.json`` beside them; every
other key is a file path below ``dir``. A run and its index entry are one commit.

GitHub resolves races: a commit names its parent, and the branch is updated without force, so the
update succeeds only if the parent is still the last commit. The branch is read with the ETag of
the last response, and objects, which never change, are cached. A run without changes takes 4 to 8
requests with ``checkup every`` and 8 to 12 with ``checkup --store``; one with alerts about 15 more.

A token may send 5,000 requests an hour, about 500 of which may create content
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api); each run sends
three to six of those. One run a minute is therefore within both limits, one every 30 seconds may
not be. Reading a run takes one request per process.
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

_EMPTY = b"{}"


def missing(
    api: GitHubApi, branch: GitHubBranch, address: str, change: CommitDraft
) -> Sequence[ProvisionStep]:
    """Return the step that creates the branch or the index; creating the repository is manual.

    Args:
        address: of the folder, for messages.
        change: the commit of an empty index.

    Raises:
        GitHubError: the repository does not exist or cannot be read.
    """
    try:
        snapshot = branch.snapshot()
    except GitHubError as error:
        if error.status != NOT_FOUND:
            raise
        api.read("")
        step = f"create the branch {branch.name} with an empty {address}{INDEX_FILE}"
        return [ProvisionStep(step, lambda: branch.create(change))]
    if INDEX_FILE in snapshot.files:
        return []

    def build(snapshot: BranchSnapshot) -> CommitDraft | None:
        return None if INDEX_FILE in snapshot.files else change

    step = f"add an empty {address}{INDEX_FILE} to the branch {branch.name}"
    return [ProvisionStep(step, lambda: branch.commit(build))]


def empty_index(message: str) -> CommitDraft:
    """Return the commit of an empty index."""
    return CommitDraft(message, {INDEX_FILE: _EMPTY})


class GitHubStorage:
    """Documents as files of a repository; safe for any number of writers.

    After a StorageError from a write the outcome is unknown: the write may have succeeded.

    Args:
        address: of the folder, such as ``github.com/octocat/kit/``.
        folder: path in the repository; empty or ending in a slash.
        suffix: of commit messages; empty for none.
    """

    def __init__(  # noqa: PLR0913 - keyword-only dependencies
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
        with self._describe_errors("read", path):
            sha = self._branch.snapshot().files.get(path)
            return None if sha is None else StoredDocument(self._trees.read(sha), sha)

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        path = _path(key)

        def build(snapshot: BranchSnapshot) -> CommitDraft:
            if path in snapshot.files:
                raise DocumentExistsError(f"{self._address}{path} already exists")
            return self._store(snapshot, path, body)

        with self._describe_errors("write", path):
            self._branch.commit(build)
        return blob_sha(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        path = _path(key)

        def build(snapshot: BranchSnapshot) -> CommitDraft:
            if snapshot.files.get(path) != version:
                raise DocumentChangedError(f"{self._address}{path} has changed since it was read")
            return self._store(snapshot, path, body)

        with self._describe_errors("write", path):
            self._branch.commit(build)
        return blob_sha(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, from a snapshot taken at the first one."""
        valid_prefix(prefix)
        with self._describe_errors("list", prefix):
            files = self._branch.snapshot().files
        keys = sorted(key for path in files if _is_after(key := _key(path), prefix, after))
        yield from (key for key in keys if is_key(key))

    def delete(self, key: str) -> None:
        """Delete the document, if it exists."""
        self.delete_all([key])

    def delete_all(self, keys: Iterable[str]) -> None:
        """Delete documents in one commit; see :class:`checkup.interfaces.BulkDelete`."""
        paths = [_path(key) for key in keys]

        def build(snapshot: BranchSnapshot) -> CommitDraft | None:
            present = [path for path in paths if path in snapshot.files]
            return self._delete(snapshot, present) if present else None

        if paths:
            with self._describe_errors("delete", paths[0]):
                self._branch.commit(build)

    def now_ns(self) -> int:
        """Return GitHub's time at its last response, in nanoseconds (whole seconds)."""
        with self._describe_errors("reach", ""):
            return self._api.server_time_ns()

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        """GitHub has no locks that are released when their owner exits."""
        return nullcontext(LockState.UNSUPPORTED)

    def provision_steps(self, retention: int) -> Sequence[ProvisionStep]:
        """Return the step that creates the branch or the index, if it is missing."""
        index = empty_index(self._message("store", self._folder + INDEX_FILE))
        with self._describe_errors("read", ""):
            return missing(self._api, self._branch, self._address, index)

    def _store(self, snapshot: BranchSnapshot, path: str, body: bytes) -> CommitDraft:
        """Return the commit of one document, with the index if it is a run.

        Two writers of the same bytes must not create identical commits, because both would then
        succeed. The index makes commits of runs unique; other commits contain a random number.
        """
        message = self._message("store", self._folder + path)
        if "/" in path:
            return CommitDraft(f"{message}\n\nWrite: {uuid4().hex}", {path: body})
        index = layout.index_with_run(self._index(snapshot), _names(snapshot), path, time.time_ns())
        return CommitDraft(message, {path: body, INDEX_FILE: index})

    def _delete(self, snapshot: BranchSnapshot, paths: Sequence[str]) -> CommitDraft:
        """Return the commit that deletes files and their index entries."""
        others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        files: dict[str, bytes | None] = dict.fromkeys(paths)
        if INDEX_FILE in snapshot.files and any("/" not in path for path in paths):
            remaining = set(_names(snapshot)) - set(paths)
            files[INDEX_FILE] = layout.index_of_files(self._index(snapshot), remaining)
        return CommitDraft(self._message("delete", self._folder + paths[0] + others), files)

    def _index(self, snapshot: BranchSnapshot) -> bytes:
        sha = snapshot.files.get(INDEX_FILE)
        return b"" if sha is None else self._trees.read(sha)

    def _message(self, action: str, what: str) -> str:
        return f"[checkup] {action} {what} {self._suffix}".rstrip()

    @contextmanager
    def _describe_errors(self, action: str, path: str) -> Iterator[None]:
        """Add the action and the address to the message of an error."""
        try:
            yield
        except (DocumentExistsError, DocumentChangedError):
            raise
        except StorageError as error:
            what = f"{self._address}{path}"
            raise StorageError(f"cannot {action} {what}: {error}") from error


def _path(key: str) -> str:
    """Return the path of a document below the folder."""
    return run_file_name(valid_key(key)) or key


def _key(path: str) -> str:
    """Return the key of the file at ``path``; it may be invalid."""
    return path if "/" in path else RUNS_PREFIX + path


def _is_after(key: str, prefix: str, after: str) -> bool:
    return key.startswith(prefix) and key > after


def _names(snapshot: BranchSnapshot) -> Iterator[str]:
    """Yield the names of the files in the folder itself."""
    return (path for path in snapshot.files if "/" not in path)


_API: Final = "https://api.github.com"
_SUFFIX: Final = "[ci skip]"
_REQUIRED: Final = ("access_token", "repository_owner", "repository_name", "branch")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class GitHubSettings(StorageSettings, frozen=True, kw_only=True):
    """Check files as commits on a branch of a GitHub repository."""

    kind: ClassVar[str] = "github"
    needs_fields: ClassVar[tuple[str, ...]] = _REQUIRED

    access_token: Annotated[
        Secret, Meta(description="Token with write permission for contents.")
    ] = ""
    repository_owner: Annotated[
        str, Meta(description="User or organization that owns the repository.")
    ] = ""
    repository_name: Annotated[str, Meta(description="Repository name.")] = ""
    committer_name: Annotated[
        str, Meta(description="Name of the committer; default: the token's owner.")
    ] = ""
    committer_email: Annotated[str, Meta(description="Email address of the committer.")] = ""
    branch: Annotated[str, Meta(description="Branch to commit to.")] = ""
    dir: Annotated[str, Meta(description="Folder in the repository; default: the root.")] = ""
    commit_message_suffix: Annotated[
        str, Meta(description="Suffix of commit messages; default: [ci skip]; a space for none.")
    ] = ""
    api_url: Annotated[
        str,
        Meta(
            description="API of GitHub Enterprise, such as https://HOST/api/v3.",
            extra={"url": True},
        ),
    ] = ""

    def open(self, clients: Clients) -> GitHubStorage:
        """Return the storage; it connects on first use.

        Raises:
            UnavailableError: a required setting or the token is missing.
        """
        repository = self.connect(clients)
        return GitHubStorage(
            api=repository.api,
            trees=repository.trees,
            branch=repository.branch,
            address=repository.address,
            folder=repository.folder,
            suffix=(self.commit_message_suffix or _SUFFIX).strip(),
        )

    def connect(self, clients: Clients, section: str = "storage") -> GitHubRepository:
        """Return the repository; it connects on first use.

        Args:
            section: of the configuration, for messages.

        Raises:
            UnavailableError: a required setting or the token is missing.
        """
        self._require_settings(section)
        owner, name = self.repository_owner, self.repository_name
        url = f"{self._api()}/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
        folder = self._folder()
        api = GitHubApi(clients, url, clients.secret(self.access_token))
        trees = GitObjects(api, folder)
        committer = Committer(self.committer_name, self.committer_email)
        branch = GitHubBranch(api, trees, self.branch, committer)
        return GitHubRepository(api, trees, branch, f"github.com/{owner}/{name}/{folder}", folder)

    def _folder(self) -> str:
        """Return ``dir`` normalized: empty or ending in a slash."""
        parts = [part for part in self.dir.split("/") if part not in {"", "."}]
        return "".join(f"{part}/" for part in parts)

    def _api(self) -> str:
        url = (self.api_url or _API).rstrip("/")
        address = urlsplit(url)
        if address.scheme != "https" and address.hostname not in _LOOPBACK:
            raise UnavailableError(
                "github: api_url must start with https, because the access_token is sent to it"
            )
        return url

    def _require_settings(self, section: str) -> None:
        for key in _REQUIRED:
            if not getattr(self, key):
                raise UnavailableError(f"Please specify {key} in {section} configuration")


__all__ = ["GitHubSettings"]
