"""The inside of :mod:`tests.machine`: runs the program while clock, names and chance stand still.

It imports nothing of the tests and knows nothing of the program but its console script and its
Lambda functions, so that it runs any version of it. Each line of stdin is a step, as JSON, and is
answered by a line on stdout. Every step runs in a fork of this process, which has all modules
imported: that is as separate as a new process and a hundred times as fast.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import random
import secrets
import socket
import sys
import tempfile
import time
import traceback
import uuid
import warnings
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any, Final

PACKAGES: Final = ("boto3", "checkup", "checkup_page")


class Moment:
    """What this machine takes for the present, and how often it was asked for something random."""

    now = 0
    drawn = 0


def hold_still(ports: dict[int, int], *, timed: bool) -> None:
    """Replace what the program asks the machine for; before anything of it is imported.

    Args:
        ports: where a connection to that port of any name leads, on this machine.
        timed: how long an attempt takes is measured; else it takes no time.
    """
    strftime, gmtime, getaddrinfo = time.strftime, time.gmtime, socket.getaddrinfo

    def moment(seconds: Any = None) -> time.struct_time:
        return gmtime(Moment.now // 10**9 if seconds is None else seconds)

    def written(form: str, at: Any = None) -> str:
        return strftime(form, at or moment())

    def draw(characters: int) -> str:
        Moment.drawn += 1
        return sha256(f"{Moment.now} {Moment.drawn}".encode()).hexdigest()[:characters]

    def lookup(host: Any, port: Any, family: int = 0, *more: Any, **named: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name == "localhost" or name.replace(".", "").isdigit() or ":" in name:
            return getaddrinfo(host, port, family, *more, **named)
        if family == socket.AF_INET6 or int(port or 0) not in ports:
            raise socket.gaierror(socket.EAI_NONAME, "no such name here")
        there = ("127.0.0.1", ports[int(port)])
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", there)]

    time.time = lambda: Moment.now / 10**9
    time.time_ns = lambda: Moment.now
    if not timed:
        time.perf_counter_ns = lambda: 0
    time.strftime, time.gmtime, time.localtime = written, moment, moment
    secrets.token_hex = lambda nbytes=None: draw(2 * (nbytes or 16))
    uuid.uuid4 = lambda: uuid.UUID(draw(32))
    socket.getaddrinfo = lookup


def import_everything() -> None:
    """Import all of the program, whatever its modules are called."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        if name.startswith("checkup"):
            for module in pkgutil.walk_packages(package.__path__, f"{name}."):
                if not module.name.endswith("__main__"):
                    importlib.import_module(module.name)


def console_script() -> Callable[[], Any]:
    """Return what the command ``checkup`` calls, as its script finds it: before anything else."""
    # The first on the path: 0.1.0 lies before the package of now, which has another name.
    script = next(iter(entry_points(group="console_scripts", name="checkup")))
    found: Callable[[], Any] = script.load()
    return found


def invoke(folder: str, function: str, events: list[tuple[int, Any]]) -> list[Any]:
    """Start a Lambda function and hand over events, each at its moment; return the answers."""
    sys.path.insert(0, folder)
    module = importlib.import_module(function)
    context = SimpleNamespace(
        function_name=function,
        memory_limit_in_mb=256,
        invoked_function_arn=f"arn:aws:lambda:eu-central-1:123456789012:function:{function}",
        aws_request_id="00000000-0000-0000-0000-000000000000",
        get_remaining_time_in_millis=lambda: 120_000,
    )
    answers = []
    for at, event in events:
        Moment.now = at
        try:
            answers.append({"answer": module.handler(event, context)})
        except Exception as error:  # noqa: BLE001 - as the runtime does
            answers.append({"error": type(error).__name__, "message": str(error)})
    return answers


def act(script: Callable[[], Any], step: dict[str, Any], result: int) -> int:
    """Take a step in the process that was forked for it, and return its exit code.

    Args:
        script: the console script.
        result: the file that the answers of a function are written to.
    """
    Moment.now, Moment.drawn = step["at"], 0
    random.seed(0)
    os.environ.clear()
    os.environ.update(step["environ"])
    os.chdir(step["folder"])
    if "command" in step:
        sys.argv = ["checkup", *step["command"]]
        return int(script() or 0)
    answers = invoke(step["functions"], step["function"], step["events"])
    os.write(result, json.dumps(answers).encode())
    return 0


def forked(work: Callable[[int], int]) -> dict[str, Any]:
    """Run something in a process of its own; return how it ended, what it printed and answered."""
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.TemporaryFile() as result,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, which there are none
            process = os.fork()
        if process == 0:
            code = 70
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                code = work(result.fileno())
            except SystemExit as leaving:
                code = int(leaving.code or 0)
            except BaseException:  # noqa: BLE001 - the step's failure, which its caller sees
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(process, 0)
        printed = [file.read().decode() for file in (out, err, result) if not file.seek(0)]
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": printed[0],
        "err": printed[1],
        "answers": json.loads(printed[2] or "[]"),
    }


def main() -> None:
    ports = {int(port): there for port, there in json.loads(sys.argv[1]).items()}
    hold_still(ports, timed=sys.argv[2] == "timed")
    script = console_script()
    import_everything()
    sys.stdout = os.fdopen(os.dup(1), "w")
    replies = os.fdopen(os.dup(1), "w")
    sys.stdout.close()
    sys.stdout = os.fdopen(1, "w", closefd=False)
    for line in sys.stdin:
        print(json.dumps(forked(partial(act, script, json.loads(line)))), file=replies)
        replies.flush()


if __name__ == "__main__":
    main()
