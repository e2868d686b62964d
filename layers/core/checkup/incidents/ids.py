"""Ids of what nobody wrote: the same facts give the same twelve characters for ever. Pure.

They are in the addresses of pages and in feeds, so how they are made never changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

_LENGTH: Final = 12


def automatic_incident_id(start: int) -> str:
    """Return what stands for the outage that began at a moment."""
    return _id(f"outage {start}")


def automatic_update_id(outage: str, at: int) -> str:
    """Return what stands for what happened in an outage at a moment."""
    return _id(f"{outage} {at}")


def occurrence_id(start: int, checkers: Iterable[str], groups: Iterable[str]) -> str:
    """Return what stands for one time of configured maintenance, whatever it is called."""
    whom = "\0".join((*sorted(checkers), "", *sorted(groups)))
    return _id(f"maintenance {start} {whom}")


def _id(facts: str) -> str:
    return hashlib.sha256(facts.encode(errors="replace")).hexdigest()[:_LENGTH]
