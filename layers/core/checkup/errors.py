"""Every error that Checkup raises on purpose.

CheckupError
├── ConfigError                 the configuration is invalid; carries every problem
├── EventError                  a Lambda event that no trigger of the stack sends
├── UnavailableError            a kind cannot be used here; names the missing extra
├── CheckUnknownError           a checker could not run: its result is unknown, never down
├── StorageError                a storage could not be read or written
│   ├── ConflictError           another writer was faster; read again, then write
│   │   ├── DocumentExistsError   create: the key exists
│   │   └── DocumentChangedError  replace: the document is not the one that was read
│   ├── UnreadableDocumentError a stored document cannot be decoded
│   ├── NewerDocumentError      a newer version of the program wrote the document
│   └── RunNotStoredError       a run could not be stored or evaluated; carries the run
├── DeliveryError               a message was not delivered
│   ├── NotDeliveredError       certainly not accepted; retried
│   ├── DeliveryUnknownError    perhaps accepted: the response was lost
│   └── MessageRejectedError    never accepted as it is
└── PublishError                the page could not be written
    └── NewerPageError          a newer page is there

Texts are written here and never by a library: they contain no secret and no unmasked address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True):
    """One error or warning about a configuration.

    Attributes:
        file: the file's name as it was given.
        line, column: where, counted from 1; 0 where the file has no such place.
        key: the path of keys, such as ``checkers[2].timeout``; empty for the whole file.
        text: what is wrong, as a fragment in lower case.
        fix: what to do about it; may be empty.
    """

    file: str
    line: int = 0
    column: int = 0
    key: str = ""
    text: str
    fix: str = ""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        parts = [part for part in (place, self.key, self.text) if part]
        return ": ".join(parts) + (f"; {self.fix}" if self.fix else "")


class CheckupError(Exception):
    """The base class of all errors that Checkup raises."""


class ConfigError(CheckupError):
    """A configuration that cannot be used.

    Attributes:
        problems: all of them, in the order of the file.
        warnings: in the order of the file too.
        usable_config: a Config of the valid parts, in which checkers that have an error are
            always unknown; None if nothing can be used.
    """

    def __init__(
        self,
        problems: Sequence[Problem],
        warnings: Sequence[Problem] = (),
        partial: object = None,
    ) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        self.usable_config = partial


class EventError(CheckupError):
    """An event that no trigger of the stack sends; raised before anything is read or written."""


class UnavailableError(CheckupError):
    """A configured kind that cannot be used here."""


EXTRA_FIX: Final = "add it to the way you installed Checkup"


def missing_extra(what: str, extra: str) -> str:
    """Say that a library is missing, without naming a package to install.

    Nobody can know here how Checkup was installed, and a command for the wrong package would
    install somebody else's code.
    """
    return f"{what}: needs the extra '{extra}'; {EXTRA_FIX}"


class CheckUnknownError(CheckupError):
    """A checker could not run, which says nothing about its target; its result is unknown.

    Attributes:
        failure: the machine-readable class, such as ``config`` or ``unsupported``.
    """

    def __init__(self, failure: str, sentence: str) -> None:
        super().__init__(sentence)
        self.failure = failure


class StorageError(CheckupError):
    """A storage could not be read or written."""


class ConflictError(StorageError):
    """Another writer was faster; read again, then write."""


class DocumentExistsError(ConflictError):
    """The key to create exists."""


class DocumentChangedError(ConflictError):
    """The document to replace was deleted or changed since it was read."""


class UnreadableDocumentError(StorageError):
    """A stored document cannot be decoded; the sentence says why."""


class NewerDocumentError(StorageError):
    """A newer version of the program wrote the document; it is never overwritten."""


class DeliveryError(CheckupError):
    """A message was not delivered.

    Attributes:
        retry_after: seconds that the receiver asks to wait before the next message; 0 if it does
            not.
    """

    def __init__(self, sentence: str = "", retry_after: float = 0.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class NotDeliveredError(DeliveryError):
    """The receiver certainly did not accept the message: refused, busy, not found by name."""


class DeliveryUnknownError(DeliveryError):
    """The message was sent without a usable response: it may have been accepted."""


class MessageRejectedError(DeliveryError):
    """The receiver will never accept this message as it is."""


class PublishError(CheckupError):
    """The page could not be written."""


class NewerPageError(PublishError):
    """A newer page is there already, or is being put there; it is left as it is."""


class UnfinishedPageError(PublishError):
    """Time was up, or another publisher is at work: the next run continues."""
