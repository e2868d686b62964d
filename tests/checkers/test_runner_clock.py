"""A clock on the wall that steps back while a run is going on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

COMPILER = shutil.which("cc")
STEPPING_BACK = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <time.h>

    int clock_gettime(clockid_t clock, struct timespec *now) {
        static long asked;
        int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
        int answer = real(clock, now);
        if (clock == CLOCK_REALTIME) now->tv_sec -= 3600 * ++asked;
        return answer;
    }
"""
LOOK = """
    import socket, time
    from checkup.checkers.tcp import TcpChecker
    from checkup.deadline import Deadline
    from checkup.checkers.runner import run_checks

    with socket.create_server(("127.0.0.1", 0)) as server:
        checker = TcpChecker(endpoint_url="127.0.0.1:%d" % server.getsockname()[1], attempts=3)
        before = time.time()
        (result,) = run_checks([checker], deadline=Deadline.after(20), concurrency=1)
        assert time.time() < before, "the clock did not step back"
    print(result.status.value, all(0 < attempt.rtt < 10**10 for attempt in result.attempts))
"""


@pytest.mark.row("17")
@pytest.mark.skipif(COMPILER is None or sys.platform != "linux", reason="a C compiler, on Linux")
def test_clock_that_steps_back_changes_no_round_trip_time(tmp_path: Path) -> None:
    """The whole process has this clock: each look at it is an hour before the last."""
    clock = tmp_path / "clock.so"
    (tmp_path / "clock.c").write_text(dedent(STEPPING_BACK))
    subprocess.run(
        [str(COMPILER), "-shared", "-fPIC", "-o", clock, f"{clock.with_suffix('.c')}"], check=True
    )

    ended = subprocess.run(
        [sys.executable, "-c", dedent(LOOK)],
        env=os.environ | {"LD_PRELOAD": str(clock)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.stdout, ended.stderr) == ("healthy True\n", "")
