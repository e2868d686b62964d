"""What GitHub refuses, in sentences of ours."""

from __future__ import annotations

from typing import Final

from checkup.errors import StorageError

UNAUTHORIZED: Final = 401
NOT_FOUND: Final = 404
EMPTY: Final = 409
UNPROCESSABLE: Final = 422

_ALLOWED: Final = (
    "the access_token may not do this; it takes the permission to read and write the contents"
    " of the repository"
)
_SENTENCES: Final = {
    301: "the repository has moved; configure where it is now",
    UNAUTHORIZED: "the access_token is not valid",
    403: _ALLOWED,
    NOT_FOUND: "it is not there, or the access_token may not see it",
    EMPTY: "the repository is empty: run `checkup provision`",
    UNPROCESSABLE: "GitHub does not allow it; is the branch protected?",
}
_SENTENCES_LIKE: Final = {307: 301, 308: 301}


class GitHubError(StorageError):
    """A request to GitHub that came to nothing, told in a sentence.

    Attributes:
        status: of the answer; 0 if there was none.
        is_race: the branch could not be moved because it has been moved by somebody else.
        retried: it had been sent before, so it may already have been carried out.
    """

    def __init__(
        self, sentence: str, *, status: int = 0, is_race: bool = False, retried: bool = False
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.is_race = is_race
        self.retried = retried


def status_text(status: int) -> str:
    """Return what a status means for the one who configured the storage."""
    known = _SENTENCES.get(_SENTENCES_LIKE.get(status, status))
    return known or f"GitHub answered {status}"
