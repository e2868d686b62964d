"""Check files in a GitHub repository. This version reads the settings and cannot store yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import UnavailableError
from checkup.options import Secret
from checkup.ports import Clients, Storage, StorageSettings


class GitHubSettings(StorageSettings, frozen=True, kw_only=True):
    """Check files as commits on a branch."""

    kind: ClassVar[str] = "github"

    access_token: Annotated[Secret, Meta(description="A token that may write contents.")] = ""
    repository_owner: Annotated[str, Meta(description="The user or organisation.")] = ""
    repository_name: Annotated[str, Meta(description="The repository.")] = ""
    committer_name: Annotated[str, Meta(description="Who the commits are by.")] = ""
    committer_email: Annotated[str, Meta(description="Their address.")] = ""
    branch: Annotated[str, Meta(description="The branch to commit to.")] = ""
    dir: Annotated[str, Meta(description="A folder of the repository; its root if empty.")] = ""
    commit_message_suffix: Annotated[
        str, Meta(description="Ends each commit's message; [ci skip] if empty.")
    ] = ""

    def open(self, clients: Clients) -> Storage:  # noqa: ARG002 - of the port
        """Say that this cannot be done yet.

        Raises:
            UnavailableError: always.
        """
        raise UnavailableError("github: this version cannot store in a repository yet")
