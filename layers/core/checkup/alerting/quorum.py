"""What several regions agree on. Pure.

Regions that could not tell do not vote, and too few votes are no verdict. With one region its own
status is the verdict.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from checkup.model import Result, Status

MAJORITY: Final = "majority"


class Verdict(NamedTuple):
    """What counts.

    Attributes:
        result: the one that speaks for it.
        partial: the regions that see a failure which does not count, because too few do.
    """

    status: Status
    result: Result
    partial: tuple[str, ...] = ()


def verdict(results: Sequence[Result], regions: int, quorum: str = MAJORITY) -> Verdict:
    """Return the status that enough regions agree on.

    Args:
        results: at least one.
        regions: how many regions are configured.
        quorum: how many have to see a failure: ``majority`` of those that could tell, ``all`` of
            them, ``any``, or a number.
    """
    votes = [result for result in results if result.status is not Status.UNKNOWN]
    if len(votes) < _needed_to_tell(quorum, regions):
        return Verdict(Status.UNKNOWN, results[0])
    enough = _needed_to_fail(quorum, len(votes), regions)
    down = [vote for vote in votes if vote.status is Status.DOWN]
    bad = [vote for vote in votes if vote.status is not Status.HEALTHY]
    if len(down) >= enough:
        return Verdict(Status.DOWN, down[0])
    if len(bad) >= enough:
        return Verdict(Status.DEGRADED, (down or bad)[0])
    well = next(vote for vote in votes if vote.status is Status.HEALTHY)
    return Verdict(Status.HEALTHY, well, tuple(vote.region for vote in down))


def is_quorum(text: str) -> bool:
    """Say whether a text names one."""
    return text in {MAJORITY, "all", "any"} or (text.isdecimal() and int(text) > 0)


def _needed_to_tell(quorum: str, regions: int) -> int:
    if quorum == "any":
        return 1
    return min(int(quorum), regions) if quorum.isdecimal() else regions // 2 + 1


def _needed_to_fail(quorum: str, votes: int, regions: int) -> int:
    if quorum == "any":
        return 1
    if quorum == "all":
        return votes
    return min(int(quorum), regions) if quorum.isdecimal() else votes // 2 + 1
