"""A machine whose clock is set by hand, on which the program runs as its users start it.

Its commands and its Lambda functions are driven from outside: by arguments, events and files. So
what is found out here does not depend on how the program is cut into modules, and any version of
it can be run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
INSIDE = Path(__file__).with_name("machine_inside.py")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class Invoked(NamedTuple):
    """What a Lambda function answered to each event, and the lines of its log."""

    answers: Sequence[Any]
    log: Sequence[Mapping[str, Any]]


class Machine:
    """Runs commands and functions in one folder, each in a process of its own.

    Attributes:
        environ: what each process finds in its environment.
        tick: is told the moment of each step before it is taken, for servers with a clock.
    """

    def __init__(
        self, process: subprocess.Popen[str], folder: Path, functions: Path, environ: dict[str, str]
    ) -> None:
        self.folder = folder
        self.environ = {
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "HOME": str(folder),
            "CHECKUP_REGION": "here",
            **environ,
        }
        self.tick: Callable[[int], object] = lambda _: None
        self._process = process
        self._functions = functions

    def elsewhere(self, folder: Path, environ: Mapping[str, str]) -> Machine:
        """Return this machine in another folder."""
        return Machine(self._process, folder, self._functions, dict(environ))

    def run(self, at: int, *arguments: str) -> Ended:
        """Run ``checkup`` at a moment, in nanoseconds since the epoch."""
        ended = self._step(at=at, command=arguments)
        return Ended(ended["code"], ended["out"], ended["err"])

    def expect(self, at: int, *arguments: str, code: int = 0) -> str:
        """Run ``checkup`` and return what it printed; it has to end as expected."""
        ended = self.run(at, *arguments)
        undelivered = 3 if "--store" in arguments else code  # the channels of a test may be dead
        assert ended.code in {code, undelivered}, (arguments, ended)
        return ended.out

    def invoke(
        self, function: str, *events: tuple[int, Any], environ: Mapping[str, str] | None = None
    ) -> Invoked:
        """Start a Lambda function and hand over events, each at its moment."""
        ended = self._step(at=events[0][0], function=function, events=events, environ=environ or {})
        assert ended["code"] == 0, ended
        return Invoked(ended["answers"], [json.loads(line) for line in ended["out"].splitlines()])

    def _step(self, environ: Mapping[str, str] | None = None, **step: Any) -> Any:
        self.tick(step["at"])
        given = {
            **step,
            "folder": str(self.folder),
            "functions": str(self._functions),
            "environ": {**self.environ, **(environ or {})},
        }
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(given), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


@contextmanager
def machine(
    folder: Path,
    ports: Mapping[int, int],
    *,
    code: Path | None = None,
    timed: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Machine]:
    """Keep a machine while the block runs.

    Args:
        folder: where commands run.
        ports: the port of the loopback to which a connection to that port of any name leads;
            other ports of names lead nowhere.
        code: a folder with another version of the program, as in the repository's root.
        timed: how long an attempt takes is measured; else it takes no time.
        environ: what each process finds in its environment.
    """
    root = code or ROOT
    packages = os.pathsep.join(map(str, (root / "layers" / "core", root / "statuspage")))
    command = [sys.executable, "-P", str(INSIDE), json.dumps(ports), "timed" if timed else ""]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": packages, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    ) as process:
        try:
            yield Machine(process, folder, root / "functions", dict(environ or {}))
        finally:
            assert process.stdin
            process.stdin.close()
