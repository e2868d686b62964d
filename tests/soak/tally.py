"""What happened in a scene, in figures."""

from __future__ import annotations

from collections import Counter

from msgspec import Struct, field


class Tally(Struct, kw_only=True):
    """What happened in a scene, or in several."""

    runs: int = 0
    overlapping: int = 0
    kills: int = 0
    alerts: int = 0
    messages: int = 0
    windows: int = 0
    repeats: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        for name in ("runs", "overlapping", "kills", "alerts", "messages", "windows", "repeats"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
