"""Publishes the page to a branch of a repository that GitHub Pages serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final
from uuid import uuid4

from msgspec import Meta
from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.errors import PublishError, StorageError
from checkup.interfaces import Clients, PageFile, PageVersion, PublisherSettings
from checkup.interfaces.kinds import Secret
from checkup.storage.github import GitHubSettings
from checkup.storage.github_repository import (
    NOT_FOUND,
    UNPROCESSABLE,
    BranchSnapshot,
    CommitDraft,
    GitHubError,
    GitHubRepository,
    blob_sha,
)
from checkup.times import SECOND
from checkup_page.publishers.manifest import INDEX, MANIFEST, Manifest, PublishPlan

_NO_JEKYLL: Final = ".nojekyll"
"""Makes GitHub serve the files as they are."""

_MARKER: Final = ".checkup"
"""Shows that the page is ours, even if the manifest is lost."""

_MIN_INTERVAL: Final = 600
"""Seconds between two commits without urgent content: GitHub builds a site at most ten times an
hour (https://docs.github.com/en/pages/getting-started-with-github-pages/github-pages-limits), and
some of them are urgent."""

_CACHE_SECONDS: Final = 600
"""Seconds for which GitHub lets files be cached."""


class GitHubPublisherSettings(PublisherSettings, frozen=True, kw_only=True):
    """A branch of a repository that GitHub Pages serves; each edition is one commit."""

    kind: ClassVar[str] = "github"
    needs_fields: ClassVar[tuple[str, ...]] = (
        "access_token",
        "repository_owner",
        "repository_name",
    )
    max_delay: ClassVar[int] = (_MIN_INTERVAL + _CACHE_SECONDS) * SECOND

    access_token: Annotated[Secret, Meta(description="A token that may write contents.")] = ""
    repository_owner: Annotated[str, Meta(description="The user or organisation.")] = ""
    repository_name: Annotated[str, Meta(description="The repository.")] = ""
    branch: Annotated[str, Meta(description="The branch; it is made if there is none.")] = (
        "gh-pages"
    )
    dir: Annotated[str, Meta(description="A folder of the branch; its root if empty.")] = ""
    committer_name: Annotated[
        str, Meta(description="Who the commits are by; the token's owner if empty.")
    ] = ""
    committer_email: Annotated[str, Meta(description="Their address.")] = ""
    api_url: Annotated[
        str, Meta(description="Of GitHub Enterprise, as https://HOST/api/v3; GitHub's if empty.")
    ] = ""

    @property
    def address(self) -> str:
        """The address, for people."""
        return f"github.com/{self.repository_owner}/{self.repository_name}, {self.branch}"

    def open(self, clients: Clients) -> GitHubPublisher:
        """Return the publisher; no request is sent yet."""
        settings = GitHubSettings(
            access_token=self.access_token,
            repository_owner=self.repository_owner,
            repository_name=self.repository_name,
            branch=self.branch,
            dir=self.dir,
            committer_name=self.committer_name,
            committer_email=self.committer_email,
            api_url=self.api_url,
        )
        return GitHubPublisher(settings.connect(clients, "publish"))


class GitHubPublisher:
    """A branch of a repository; other files on it are left alone.

    A version is one commit on top of the one that was read, and the branch is moved without force:
    the version is complete or not there at all, and GitHub decides races. Only changed files are
    sent, which git identifies by their content.
    """

    throttles_writes: ClassVar[bool] = True

    def __init__(self, repository: GitHubRepository) -> None:
        self._repository = repository

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        """Commit what changed and is due; see :meth:`checkup.interfaces.Publisher.publish`."""
        del deadline  # a version is one commit
        paced = {path: _with_min_interval(file) for path, file in files.items()}
        written: list[str] = []

        def decide(snapshot: BranchSnapshot) -> CommitDraft | None:
            written[:], change = self._decide(snapshot, paced, version)
            return change

        try:
            self._ensure_branch()
            self._repository.branch.commit(decide)
        except StorageError as error:
            raise PublishError(f"cannot publish to {self._repository.address}: {error}") from error
        return written

    def _ensure_branch(self) -> None:
        """Create the branch if it does not exist."""
        branch = self._repository.branch
        try:
            branch.snapshot()
        except GitHubError as error:
            if error.status != NOT_FOUND:
                raise
            try:
                branch.create(CommitDraft("[checkup] begin the status page", {_NO_JEKYLL: b""}))
            except GitHubError as conflict:
                if conflict.status != UNPROCESSABLE:
                    raise
                branch.snapshot()  # another publisher has just created it

    def _decide(
        self, snapshot: BranchSnapshot, files: Mapping[str, PageFile], version: PageVersion
    ) -> tuple[list[str], CommitDraft | None]:
        """Return the paths that change on the branch, and the commit that changes them."""
        trees = self._repository.trees
        published = Manifest.read(
            trees.read(snapshot.files[MANIFEST]) if MANIFEST in snapshot.files else b""
        )
        existing = next(
            (path for path in (INDEX, MANIFEST, *files) if path in snapshot.files), None
        )
        if existing is not None:
            address = f"{self._repository.address}{existing}"
            published.check_owner(address, marked=_MARKER in snapshot.files)
        published.check_newer(version, self._repository.api.server_time_ns())
        plan = PublishPlan.of(files, version, published, throttled=self.throttles_writes)
        changed_files = {
            path: files[path].body for path in plan.write if _differs(snapshot, path, files[path])
        }
        removed = dict.fromkeys(path for path in plan.manifest.removed if path in snapshot.files)
        if not changed_files and not removed:
            return [], None
        markers = {path: b"" for path in (_NO_JEKYLL, _MARKER) if path not in snapshot.files}
        changed = {**markers, **changed_files, **removed, MANIFEST: plan.manifest.encode()}
        # Two publishers of the same page must not make identical commits: then both would
        # have moved the branch.
        message = f"[checkup] publish the status page\n\nEdition: {uuid4().hex}"
        return list(changed_files), CommitDraft(message, changed)


def _differs(snapshot: BranchSnapshot, path: str, file: PageFile) -> bool:
    return snapshot.files.get(path) != blob_sha(file.body)


def _with_min_interval(file: PageFile) -> PageFile:
    return (
        replace(file, min_interval=max(file.min_interval, _MIN_INTERVAL))
        if file.min_interval
        else file
    )
