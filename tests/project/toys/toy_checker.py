"""A checker in one file: is a word spelled with an even number of letters?"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.deadline import Deadline
from checkup.interfaces import Checker
from checkup.model import Attempt


class ToyChecker(Checker, frozen=True, kw_only=True):
    kind: ClassVar[str] = "toy"

    word: Annotated[str, Meta(description="The word to look at.")] = ""

    def attempt(self, deadline: Deadline) -> Attempt:
        if len(self.word) % 2 == 0:
            return Attempt(rtt=len(self.word))
        return Attempt(error=f"{self.word} is odd", failure="odd")
