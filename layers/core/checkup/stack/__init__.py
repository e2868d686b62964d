"""The door of the deployed stack: what its functions do for an event."""

from __future__ import annotations

from checkup.stack.checking import CheckFunction, run_deadline
from checkup.stack.lines import origin_fields
from checkup.stack.rebuilding import rebuild_history
from checkup.stack.settings import FunctionConfig
from checkup.stack.start import frozen_gc

__all__ = [
    "CheckFunction",
    "FunctionConfig",
    "frozen_gc",
    "origin_fields",
    "rebuild_history",
    "run_deadline",
]
