"""Runs one program and prints on the last line, as JSON, what it took.

The launcher is a small process: the memory of a program's parent would count as the program's.

    launcher.py CORE SHARE PROGRAM [ARGUMENT...]

SHARE is "whole" for a core of its own where that is allowed, or the control group that gives it a
part of one; see ``cpu_share.py``.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress

import cpu_share


def main(core: str, share: str, *command: str) -> None:
    """Run the program to its end."""
    started = time.monotonic()
    process = os.fork()
    if not process:
        os.sched_setaffinity(0, {int(core)})
        if share == "whole":
            with suppress(PermissionError):
                os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        else:
            cpu_share.enter(share)
            cpu_share.throttle(share)
        os.execvp(command[0], command)
    _, status, used = os.wait4(process, 0)
    took = {
        "code": os.waitstatus_to_exitcode(status),
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss / 1024,
        "wall": time.monotonic() - started,
    }
    print(f"\n{json.dumps(took)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
