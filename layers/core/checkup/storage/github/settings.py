"""What checkup.json says of a repository."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, NamedTuple
from urllib.parse import quote, urlsplit

from msgspec import Meta

from checkup.errors import UnavailableError
from checkup.options import Secret
from checkup.ports import Clients, StorageSettings
from checkup.storage.github.adapter import GitHubStorage
from checkup.storage.github.api import GitHubApi
from checkup.storage.github.branch import Committer, GitHubBranch
from checkup.storage.github.trees import GitObjects

_API: Final = "https://api.github.com"
_SUFFIX: Final = "[ci skip]"
_NEEDED: Final = ("access_token", "repository_owner", "repository_name", "branch")
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


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
