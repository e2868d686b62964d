"""Work under a deadline that is kept from outside, with an honest account of how far it came.

A socket's timeout bounds a single wait, and looking up a name has none at all. So the work is
done on a thread of its own, and the caller's clock decides. What matters then is whether the
message may have been handed over: until the work has said that it hands over, it certainly has
not, and once it was called off it never will.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from threading import Lock, Thread

from checkup.errors import DeliveryError, DeliveryUnknownError, NotDeliveredError

ErrorText = Callable[[Exception], str]
"""Names the kind of a failure; never the library's own words, which may contain a secret."""


class _SendPhase(Enum):
    BEFORE = "before"
    HANDED_OVER = "handed over"
    OVER = "over"


class SendCancelledError(Exception):
    """The caller has given up, so nothing may be handed over any more."""


class SendAttempt:
    """One try to hand a message over."""

    def __init__(self, work: Callable[[SendAttempt], None], reason: ErrorText) -> None:
        self._work = work
        self._reason = reason
        self._phase = _SendPhase.BEFORE
        self._lock = Lock()
        self._is_done = False
        self._error: DeliveryError | None = None
        self._problem = ""

    def hand_over(self) -> None:
        """Say, from within the work, that from now on the message may be accepted.

        Raises:
            SendCancelledError: it is too late for that.
        """
        if not self._advance(_SendPhase.BEFORE, _SendPhase.HANDED_OVER):
            raise SendCancelledError

    def within(self, seconds: float, cut: Callable[[], object] = bool) -> None:
        """Do the work; returning means that it ended well.

        Args:
            cut: wakes the work up when nobody waits for it any more; may fail.

        Raises:
            Refused: the message was certainly not handed over.
            DeliveryUnknownError: it was, and no answer came.
            DeliveryError: what the work itself raised.
        """
        worker = Thread(target=self._run, name="attempt", daemon=True)
        worker.start()
        worker.join(seconds)
        unsent = self._advance(_SendPhase.BEFORE, _SendPhase.OVER)
        if self._is_done:
            return
        if self._error is not None:
            raise self._error
        problem = self._problem or f"no answer within {seconds:g} s"
        with suppress(Exception):
            cut()
        raise (
            NotDeliveredError(f"not sent: {problem}")
            if unsent
            else DeliveryUnknownError(f"sent, but {problem}")
        )

    def _run(self) -> None:
        try:
            self._work(self)
            self._is_done = True
        except DeliveryError as error:
            # Without what it came from, which may contain a secret.
            self._error = error.with_traceback(None)
            self._error.__context__ = self._error.__cause__ = None
        except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to
            self._problem = self._reason(error)

    def _advance(self, before: _SendPhase, after: _SendPhase) -> bool:
        with self._lock:
            if self._phase is not before:
                return False
            self._phase = after
            return True
