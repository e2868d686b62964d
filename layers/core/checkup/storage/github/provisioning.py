"""What a repository needs before it keeps runs: the branch, and the folder with an index."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.ports import Step
from checkup.storage.github.api import Api
from checkup.storage.github.branch import Branch, Change, View
from checkup.storage.github.refusal import NOT_FOUND, GitHubRefusal
from checkup.storage.goindex import INDEX

_EMPTY = b"{}"


def missing(api: Api, branch: Branch, address: str, change: Change) -> Sequence[Step]:
    """Return what has to be done; making the repository itself is left to its owner.

    Args:
        address: of the folder, as people know it.
        change: the commit of an empty index.

    Raises:
        GitHubRefusal: there is no repository, or it cannot be looked at.
    """
    try:
        view = branch.look()
    except GitHubRefusal as no:
        if no.status != NOT_FOUND:
            raise
        api.read("")
        made = f"make the branch {branch.name} with an empty {address}{INDEX}"
        return [Step(made, lambda: branch.start(change))]
    if INDEX in view.files:
        return []

    def decide(seen: View) -> Change | None:
        return None if INDEX in seen.files else change

    put = f"put an empty {address}{INDEX} on the branch {branch.name}"
    return [Step(put, lambda: branch.change(decide))]


def empty_index(message: str) -> Change:
    """Return the commit of an index without runs."""
    return Change(message, {INDEX: _EMPTY})
