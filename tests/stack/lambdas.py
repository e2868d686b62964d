"""Run functions under AWS's own runtime emulator, in a sandbox where the machine allows it.

As on AWS an environment serves one event at a time and is kept for the next one; two at once
get an environment each. The emulator would crash on the second.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.emulators import REGION, TOOLS, free_port, require
from tests.stack.sandbox import (
    INSIDE,
    LANGUAGE,
    Places,
    forget_memory_group,
    sandboxed,
    why_not_sandboxed,
)

RUNTIME = TOOLS / "runtime"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_INVOKE = "2015-03-31/functions/function/invocations"
_START_SECONDS = 20.0


@dataclass(frozen=True)
class Function:
    """What AWS knows of a function.

    Attributes:
        task, layers: the unpacked code and the unpacked layers on top of each other.
        memory: megabytes.
        timeout: seconds.
        environ: its variables and its credentials.
        authority: the certificate that its AWS client is to trust.
    """

    name: str
    handler: str
    task: Path
    layers: Path
    memory: int = 256
    timeout: int = 60
    environ: Mapping[str, str] = field(default_factory=dict)
    authority: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one event.

    Attributes:
        payload: what the handler returned, or the error as AWS describes it.
        error: the error's type; empty when the handler returned.
        cold: whether the environment was started for this event.
        seconds: how long it took, start included.
    """

    payload: Any
    error: str
    cold: bool
    seconds: float


class Environment:
    """One execution environment of a function, alive until it is stopped.

    Attributes:
        is_at_work: whether it is serving an event.
        began: when it was given its last event, in seconds of the monotonic clock.
    """

    def __init__(self, function: Function, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.function = function
        self.log = folder / "log"
        self.is_at_work = False
        self.began = 0.0
        self._folder = folder
        self._used = False
        self._port = free_port()
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                _command(function, folder, self._port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a process group that can be ended as a whole
            )
        self._await_start()

    def invoke(self, event: object) -> Answer:
        """Hand over one event and wait for the answer."""
        cold, self._used = not self._used, True
        self.began = time.monotonic()
        request = Request(f"http://127.0.0.1:{self._port}/{_INVOKE}", json.dumps(event).encode())
        self.is_at_work = True
        try:
            with urlopen(request, timeout=900) as response:
                body = response.read()
        except HTTPError as refusal:
            with refusal:
                body = refusal.read()
        finally:
            self.is_at_work = False
        payload = _parsed(body)
        return Answer(payload, _error(payload), cold, time.monotonic() - self.began)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the function's own process, not to the runtime emulator."""
        os.kill(_last_descendant(self._process.pid), number)

    def stop(self) -> None:
        """End every process of the environment."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        forget_memory_group(self._folder)

    def _await_start(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.01)
        self.stop()
        raise RuntimeError(f"the runtime emulator does not start:\n{self.log.read_text()}")


@contextmanager
def running(function: Function, folder: Path) -> Iterator[Environment]:
    """Keep an environment of a function while the block runs; the folder is absent as yet."""
    environment = Environment(function, folder)
    try:
        yield environment
    finally:
        environment.stop()


def _command(function: Function, folder: Path, port: int) -> list[str]:
    require(RUNTIME / "aws-lambda-rie")
    lent = folder / "lent"
    lent.mkdir()
    if function.authority:
        shutil.copy(function.authority, lent / "authority.pem")
    places = Places(function.task, function.layers, LANGUAGE, RUNTIME, lent)
    if why_not_sandboxed():
        return _started_in(places, function, port)
    return sandboxed(folder, function.memory, places, _started_in(INSIDE, function, port))


def _started_in(places: Places, function: Function, port: int) -> list[str]:
    variables = {
        **_variables(places, function),
        **function.environ,
        **({"AWS_CA_BUNDLE": str(places.lent / "authority.pem")} if function.authority else {}),
    }
    # Without -S the packages of this machine's own Python would stand in for forgotten ones.
    python = [str(places.language / "bin" / PYTHON), "-S", "-m", "awslambdaric", function.handler]
    return [
        *("/usr/bin/env", "-i", f"--chdir={places.task}"),
        *(f"{name}={value}" for name, value in variables.items()),
        str(places.runtime / "aws-lambda-rie"),
        *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
        *python,
    ]


def _variables(places: Places, function: Function) -> dict[str, str]:
    packages = (places.layers / "python", places.runtime)
    return {
        "PATH": f"{places.language}/bin:/usr/bin:/bin",
        "LD_LIBRARY_PATH": f"{places.language}/lib",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "LAMBDA_TASK_ROOT": str(places.task),
        "LAMBDA_RUNTIME_DIR": str(places.runtime),
        "PYTHONPATH": ":".join(map(str, packages)),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
    }


def _last_descendant(process: int) -> int:
    """Return the child of the child of … a process, each of which has one at most."""
    lists = Path(f"/proc/{process}/task").glob("*/children")  # one for each thread
    children = " ".join(file.read_text() for file in lists).split()
    return _last_descendant(int(children[0])) if children else process


def _parsed(body: bytes) -> Any:
    """Return what a function returned, or its error as AWS describes it."""
    text = body.decode(errors="replace")
    if text.startswith("Task timed out"):  # the runtime emulator's own words, and no JSON
        return {"errorType": "Sandbox.Timedout", "errorMessage": text}
    try:
        return json.loads(text)
    except ValueError:
        return text


def _error(payload: Any) -> str:
    """Tell an error from a result: the emulator answers 200 to most of them."""
    if isinstance(payload, dict) and {"errorType", "errorMessage"} <= payload.keys():
        return str(payload["errorType"])
    return ""
