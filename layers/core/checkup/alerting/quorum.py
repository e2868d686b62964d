"""What several regions agree on. Pure.

Regions that could not tell do not vote, and too few votes are no verdict. With one region its own
status is the verdict.

Votes that belong together are about the same thing. While regions have different configurations,
those count that most of them have in common, checker by checker, and the others are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from checkup.model import Result, Status

MAJORITY: Final = "majority"


class QuorumResult(NamedTuple):
    """What counts.

    Attributes:
        result: the one that speaks for it.
        partial: the regions that see a failure which does not count, because too few do.
        excluded: the regions that look at something else.
    """

    status: Status
    result: Result
    partial: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


def apply_quorum(results: Sequence[Result], regions: int, quorum: str = MAJORITY) -> QuorumResult:
    """Return the status that enough regions agree on.

    Args:
        results: at least one.
        regions: how many regions are configured.
        quorum: how many have to see a failure: ``majority`` of those that could tell, ``all`` of
            them, ``any``, or a number.
    """
    excluded = _excluded(results)
    if not excluded:
        return _agreed(results, regions, quorum)
    found = _agreed([it for it in results if it.region not in excluded], regions, quorum)
    everybody = _agreed(results, regions, quorum)
    if found.status is Status.UNKNOWN and everybody.status is not Status.UNKNOWN:
        # Whatever is left saw, this is why nothing is known.
        reason = replace(found.result, times=(), notice=_in_words(excluded))
        found = found._replace(result=reason)
    return found._replace(excluded=excluded)


def is_valid_quorum(text: str) -> bool:
    """Say whether a text names one."""
    return text in {MAJORITY, "all", "any"} or (text.isdecimal() and int(text) > 0)


def _excluded(results: Sequence[Result]) -> tuple[str, ...]:
    """Return the regions whose results are about something else than those of most others.

    Of as many, those count whose first region comes first by its name. A result that does not say
    what it is about is of an older version, and is taken for what the others are.
    """
    regions: dict[str, list[str]] = {}
    for result in results:
        if result.definition:
            regions.setdefault(result.definition, []).append(result.region)
    if len(regions) < 2:  # noqa: PLR2004 - they cannot differ
        return ()
    kept = min(regions.values(), key=lambda names: (-len(names), min(names)))
    return tuple(
        result.region for result in results if result.definition and result.region not in kept
    )


def _in_words(excluded: Sequence[str]) -> str:
    does = "looks" if len(excluded) == 1 else "look"
    return f"{', '.join(excluded)} {does} at something else: deploy the same configuration there"


def _agreed(results: Sequence[Result], regions: int, quorum: str) -> QuorumResult:
    votes = [result for result in results if result.status is not Status.UNKNOWN]
    if len(votes) < _needed_to_tell(quorum, regions):
        return QuorumResult(Status.UNKNOWN, results[0])
    enough = _needed_to_fail(quorum, len(votes), regions)
    down = [vote for vote in votes if vote.status is Status.DOWN]
    bad = [vote for vote in votes if vote.status is not Status.HEALTHY]
    if len(down) >= enough:
        return QuorumResult(Status.DOWN, down[0])
    if len(bad) >= enough:
        return QuorumResult(Status.DEGRADED, (down or bad)[0])
    well = next(vote for vote in votes if vote.status is Status.HEALTHY)
    return QuorumResult(Status.HEALTHY, well, tuple(vote.region for vote in down))


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
