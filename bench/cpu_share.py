"""Gives a process the part of a core, and the memory, that a function of Lambda has.

Lambda gives a function of 1,769 MB one core and others their part of it, in periods of 20 ms. A
control group does the same, of either version. Where none can be made, a second process stops the
first one with SIGSTOP for the rest of each period in which it has used its part.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEGABYTES = 256
SHARE = MEGABYTES / 1769
PERIOD = 0.02

CGROUPS = Path("/sys/fs/cgroup")


@contextmanager
def group() -> Iterator[str]:
    """Make a control group while the block runs; yield its folders, or "" if there can be none."""
    is_v2 = (CGROUPS / "cgroup.controllers").exists()
    parents = [CGROUPS] if is_v2 else [CGROUPS / "cpu", CGROUPS / "memory"]
    folders = [parent / f"checkup-bench-{os.getpid()}" for parent in parents]
    memory = "memory.max" if is_v2 else "memory.limit_in_bytes"
    try:
        try:
            if is_v2:
                (CGROUPS / "cgroup.subtree_control").write_text("+cpu +memory")
            for folder in folders:
                folder.mkdir()
            (folders[-1] / memory).write_text(str(MEGABYTES << 20))
            _limit_core(folders[0], SHARE)
            _limit_core(folders[0], None)
        except OSError:
            yield ""
        else:
            yield ":".join(map(str, folders))
    finally:
        for folder in folders:
            _remove(folder)


def _limit_core(folder: Path, share: float | None) -> None:
    period = round(PERIOD * 1e6)
    if (folder / "cpu.max").exists():
        (folder / "cpu.max").write_text(f"{round(share * period) if share else 'max'} {period}")
    else:
        (folder / "cpu.cfs_period_us").write_text(str(period))
        (folder / "cpu.cfs_quota_us").write_text(str(round(share * period) if share else -1))


def _remove(folder: Path) -> None:
    for _ in range(100):  # the kernel lets go of the last process a moment after its end
        with suppress(OSError):
            if folder.exists():
                folder.rmdir()
            return
        time.sleep(0.02)


def describe(folders: str) -> str:
    """Return how processes are limited."""
    return "by a control group" if folders else "by SIGSTOP and SIGCONT, and memory is not"


def enter(folders: str) -> None:
    """Put this process into the group, where its memory is limited and its core is not yet."""
    for number, folder in enumerate(folders.split(":") if folders else ()):
        if number == 0:
            _limit_core(Path(folder), None)
        Path(folder, "cgroup.procs").write_text(str(os.getpid()))


def throttle(folders: str) -> None:
    """Give this process its part of a core from now on."""
    if folders:
        _limit_core(Path(folders.partition(":")[0]), SHARE)
    else:
        governor = [sys.executable, "-S", __file__, str(os.getpid())]
        subprocess.Popen(governor, stdout=subprocess.DEVNULL, start_new_session=True)


def govern(process: int) -> None:
    """Stop a process whenever it has used its part of a period, until it ends."""
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # beside the process, not before it
    clock = (~process << 3) | 2  # the kernel's number of the clock of another process's CPU time
    left = 0.0
    with suppress(OSError):
        while not Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].startswith("Z"):
            end = time.monotonic() + PERIOD
            left = min(left, 0.0) + SHARE * PERIOD
            limit = time.clock_gettime(clock) + left
            if left > 0:
                os.kill(process, signal.SIGCONT)
            while time.monotonic() < end:
                time.sleep(0.0005)
                if time.clock_gettime(clock) >= limit:
                    os.kill(process, signal.SIGSTOP)
                    break
            time.sleep(max(0.0, end - time.monotonic()))
            left = limit - time.clock_gettime(clock)


if __name__ == "__main__":
    govern(int(sys.argv[1]))
