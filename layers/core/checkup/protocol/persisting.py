"""Writes by compare-and-set that do not give up at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError

_log = logging.getLogger(__name__)

MAX_TRIES: Final = 50
"""Attempts to write; one of several competing writers always succeeds."""

FAILURES: Final = 3
"""Attempts in which the storage may fail before that is reported."""

Written = TypeVar("Written")


def compare_and_set(write: Callable[[], Written], what: str) -> Written:
    """Return what a write returns, which reads first and may be tried several times.

    Args:
        write: harmless where an earlier try was done and only its answer was lost.
        what: what is written, such as ``the silence``.

    Raises:
        StorageError: it could not be written down.
    """
    failures = 0
    for _ in range(MAX_TRIES):
        try:
            return write()
        except (DocumentChangedError, DocumentExistsError):
            _log.info("%s: somebody else was faster", what)
        except StorageError as error:
            failures += 1
            if failures == FAILURES:
                raise
            _log.info("writing %s again: %s", what, error)
    raise StorageError(f"{what}: others were faster {MAX_TRIES} times; try again")
