"""What a repository needs before it keeps runs: the branch, and the folder with an index."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.ports import ProvisionStep
from checkup.storage.github.api import GitHubApi
from checkup.storage.github.branch import BranchSnapshot, CommitDraft, GitHubBranch
from checkup.storage.github.refusal import NOT_FOUND, GitHubError
from checkup.storage.goindex import INDEX_FILE

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
        view = branch.look()
    except GitHubError as no:
        if no.status != NOT_FOUND:
            raise
        api.read("")
        made = f"make the branch {branch.name} with an empty {address}{INDEX_FILE}"
        return [ProvisionStep(made, lambda: branch.start(change))]
    if INDEX_FILE in view.files:
        return []

    def decide(seen: BranchSnapshot) -> CommitDraft | None:
        return None if INDEX_FILE in seen.files else change

    put = f"put an empty {address}{INDEX_FILE} on the branch {branch.name}"
    return [ProvisionStep(put, lambda: branch.change(decide))]


def empty_index(message: str) -> CommitDraft:
    """Return the commit of an index without runs."""
    return CommitDraft(message, {INDEX_FILE: _EMPTY})
