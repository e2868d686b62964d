"""The door of the deployed stack: what its functions do for an event."""

from __future__ import annotations

from checkup.stack.checking import CheckService, deadline_of
from checkup.stack.lines import origin_of
from checkup.stack.rebuilding import rebuild
from checkup.stack.settings import Settings
from checkup.stack.start import lasting

__all__ = ["CheckService", "Settings", "deadline_of", "lasting", "origin_of", "rebuild"]
