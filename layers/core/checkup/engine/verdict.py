"""From what was seen of one checker to its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from checkup.alerting.assessment import Assessment
from checkup.engine.secrets import CheckerSecrets
from checkup.errors import CheckUnknownError
from checkup.model import Attempt, Result, Status
from checkup.ports import Checker


class ResultBuilder(Struct, frozen=True, kw_only=True):
    """Writes the results of one run.

    Attributes:
        mask: makes an address or a sentence fit to be stored.
        secrets: those that the checkers used.
        region: where the run takes place.
        timestamp: nanoseconds that every result carries instead of its own; 0 for none.
    """

    mask: Callable[[str], str]
    secrets: CheckerSecrets
    region: str
    timestamp: int

    def of(
        self,
        checker: Checker,
        timestamp: int,
        attempts: Sequence[Attempt],
        given_up: CheckUnknownError | None,
    ) -> Result:
        """Return the verdict on the attempts that were made.

        A failed attempt decides, whatever the ones that were not made would have shown.

        Args:
            given_up: why not all attempts were made; None if they were.
        """
        if given_up and not any(attempt.error for attempt in attempts):
            unseen = Attempt(error=str(given_up), failure=given_up.failure)
            return self._result(checker, timestamp, [unseen], Assessment(Status.UNKNOWN))
        try:
            assessment = checker.assess(attempts)
        except Exception as error:  # noqa: BLE001 - one bad checker must not harm the others
            reason = CheckUnknownError("internal", f"the checker failed: {type(error).__name__}")
            return self.of(checker, timestamp, [], reason)
        return self._result(checker, timestamp, attempts, assessment)

    def _result(
        self,
        checker: Checker,
        timestamp: int,
        attempts: Sequence[Attempt],
        assessment: Assessment,
    ) -> Result:
        return Result(
            title=checker.title,
            endpoint=self._hide(checker.endpoint),
            timestamp=self.timestamp or timestamp,
            times=tuple(replace(attempt, error=self._hide(attempt.error)) for attempt in attempts),
            threshold=checker.threshold_rtt,
            healthy=assessment.status is Status.HEALTHY,
            degraded=assessment.status is Status.DEGRADED,
            down=assessment.status is Status.DOWN,
            notice=self._hide(assessment.notice),
            id=checker.id,
            kind=checker.kind,
            region=self.region,
        )

    def _hide(self, text: str) -> str:
        return self.mask(self.secrets.hide(text))
