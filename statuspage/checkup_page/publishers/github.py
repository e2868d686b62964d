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

_PLAIN: Final = ".nojekyll"
"""Tells GitHub to show the files as they are."""

_OURS: Final = ".checkup"
"""Says whose page it is, also when the manifest is lost."""

_PACE: Final = 600
"""Seconds between two commits without news: GitHub builds a site ten times an hour at most
(https://docs.github.com/en/pages/getting-started-with-github-pages/github-pages-limits), and
some of them are for news."""

_KEPT: Final = 600
"""Seconds for which GitHub lets every file be kept by whoever has it."""


class GitHubPublisherSettings(PublisherSettings, frozen=True, kw_only=True):
    """A branch of a repository that GitHub Pages shows; one commit for each version."""

    kind: ClassVar[str] = "github"
    needs_fields: ClassVar[tuple[str, ...]] = (
        "access_token",
        "repository_owner",
        "repository_name",
    )
    max_delay: ClassVar[int] = (_PACE + _KEPT) * SECOND

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
        """Where it is, for people."""
        return f"github.com/{self.repository_owner}/{self.repository_name}, {self.branch}"

    def open(self, clients: Clients) -> GitHubPublisher:
        """Return the place; nothing is sent before the first version."""
        there = GitHubSettings(
            access_token=self.access_token,
            repository_owner=self.repository_owner,
            repository_name=self.repository_name,
            branch=self.branch,
            dir=self.dir,
            committer_name=self.committer_name,
            committer_email=self.committer_email,
            api_url=self.api_url,
        )
        return GitHubPublisher(there.connect(clients, "publish"))


class GitHubPublisher:
    """A branch of a repository; files of others on it are left alone.

    An version is one commit on top of the one that was looked at, and the branch is moved
    without force: it is there as a whole or not at all, and GitHub itself decides races. Only
    files that changed are sent, for git knows them by their content.
    """

    throttles_writes: ClassVar[bool] = True

    def __init__(self, repository: GitHubRepository) -> None:
        self._repository = repository

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        """Commit what changed and is due; see :meth:`checkup.interfaces.Publisher.publish`."""
        del deadline  # a version is one commit
        paced = {path: _paced(file) for path, file in files.items()}
        written: list[str] = []

        def decide(view: BranchSnapshot) -> CommitDraft | None:
            written[:], change = self._decide(view, paced, version)
            return change

        try:
            self._make_sure()
            self._repository.branch.commit(decide)
        except StorageError as error:
            raise PublishError(f"cannot publish to {self._repository.address}: {error}") from error
        return written

    def _make_sure(self) -> None:
        """Make the branch if there is none."""
        branch = self._repository.branch
        try:
            branch.snapshot()
        except GitHubError as no:
            if no.status != NOT_FOUND:
                raise
            try:
                branch.create(CommitDraft("[checkup] begin the status page", {_PLAIN: b""}))
            except GitHubError as other:
                if other.status != UNPROCESSABLE:
                    raise
                branch.snapshot()  # somebody else has just made it

    def _decide(
        self, view: BranchSnapshot, files: Mapping[str, PageFile], version: PageVersion
    ) -> tuple[list[str], CommitDraft | None]:
        """Return the paths that change in what is there, and the commit that changes them."""
        trees = self._repository.trees
        before = Manifest.read(trees.read(view.files[MANIFEST]) if MANIFEST in view.files else b"")
        found = next((path for path in (INDEX, MANIFEST, *files) if path in view.files), None)
        if found is not None:
            address = f"{self._repository.address}{found}"
            before.check_owner(address, marked=_OURS in view.files)
        before.check_newer(version, self._repository.api.server_time_ns())
        plan = PublishPlan.of(files, version, before, throttled=self.throttles_writes)
        put = {path: files[path].body for path in plan.write if _differs(view, path, files[path])}
        gone = dict.fromkeys(path for path in plan.manifest.removed if path in view.files)
        if not put and not gone:
            return [], None
        marks = {path: b"" for path in (_PLAIN, _OURS) if path not in view.files}
        changed = {**marks, **put, **gone, MANIFEST: plan.manifest.encode()}
        # Two publishers of the same page must not make the very same commit: then both would
        # have moved the branch.
        message = f"[checkup] publish the status page\n\nEdition: {uuid4().hex}"
        return list(put), CommitDraft(message, changed)


def _differs(view: BranchSnapshot, path: str, file: PageFile) -> bool:
    return view.files.get(path) != blob_sha(file.body)


def _paced(file: PageFile) -> PageFile:
    return replace(file, min_interval=max(file.min_interval, _PACE)) if file.min_interval else file
