"""The command line.

The exit codes are those of docs/exit-codes.md.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from checkup import __version__

_INTERRUPTED = 130


def main() -> int:
    """Run the command line of this process and return its exit code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:  # before click is imported, which would take most of the time
        with suppress(OSError):  # what is wrong, the long way says
            print(f"checkup {__version__}", flush=True)
            return 0
    try:
        from checkup.cli.commands import run_cli  # Ctrl-C counts from here on

        return run_cli(arguments)
    except KeyboardInterrupt:
        return _INTERRUPTED
