"""Where stored results come from: which configuration, and which version of the program."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from checkup import __version__
from checkup.model import Result
from checkup.protocol.monitor import RunContext


def with_origin(results: Sequence[Result], monitor: RunContext) -> tuple[Result, ...]:
    """Return results that are to be stored, and say so in them.

    What is the same for the whole run stands in its first result only.
    """
    defined = [_defined(result, monitor) for result in results]
    if defined:
        defined[0] = replace(defined[0], config=monitor.digest, version=__version__)
    return tuple(defined)


def _defined(result: Result, monitor: RunContext) -> Result:
    definition = monitor.definitions.get(result.id, "")
    return replace(result, definition=definition) if definition else result
