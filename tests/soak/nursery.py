"""Environments of the check function or of the command line, with a process for each event.

``python -m tests.soak.nursery SOCKET`` imports what they do and listens. Whoever connects gets an
environment: a fork that loads ``functions/check.py`` as Lambda does, or the command line, and forks
again for each event. So a run is a real process that can be killed, and costs milliseconds.

One JSON object per line. The first sets up the environment: ``{"door": function or command, "home":
folder, "environ": …, "detours": …, "first": event, "remaining": milliseconds}``. Its event is
served by the environment itself, as a cold start, so that the forks have what it loads. Each
further line is an event: ``{"event": …, "remaining": milliseconds, "seed": …, "fatal": number}``.
It is answered by ``{"pid": …}`` and, when the process is gone, ``{"ended": pid, "code": …}``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import random
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import aws_lambda_powertools  # noqa: F401 - what an environment imports is there already
import boto3  # noqa: F401
from botocore.config import Config

from checkup import http
from checkup.cli.commands import run_cli
from checkup.interfaces import HttpResponse
from checkup.notifiers import slack  # noqa: F401
from checkup.storage import (
    folder,  # noqa: F401
    s3,
)
from checkup.storage.sql import sqlite  # noqa: F401
from tests.doom import DATABASES, FILES, SOCKETS, die_before

FUNCTION: Final = Path(__file__).resolve().parents[2] / "functions" / "check.py"
HASTE: Final = 50
"""By how much the pauses between attempts are shorter than they would be."""

PATIENCE: Final = 15
"""By how much answers are waited for longer."""

Handler = Callable[[Any, object], int]


class Context:
    """What Lambda hands to a handler beside the event."""

    function_name = "check"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:check"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def __init__(self, remaining: int) -> None:
        self._end = time.monotonic() + remaining / 1000

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class Environment:
    """One environment, for as long as somebody is connected to it."""

    def __init__(self, connection: socket.socket) -> None:
        self._lines = connection.makefile("rw")
        self._connection = connection
        self._selector = selectors.DefaultSelector()

    def serve(self) -> None:
        order = json.loads(self._lines.readline())
        os.environ.update(order["environ"])
        os.chdir(order["home"])
        log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        lead_elsewhere(order["detours"])
        handler = DOORS[order["door"]]()
        if order["first"]:
            handler(order["first"], Context(order["remaining"]))
        self._say({"ready": os.getpid()})
        self._selector.register(self._connection, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.data is not None:
                    self._note_end(key.fd, key.data)
                elif not self._begin(handler):
                    return

    def _begin(self, handler: Handler) -> bool:
        line = self._lines.readline()
        if not line:
            return False
        order = json.loads(line)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            self._connection.close()
            run(handler, order)
        os.close(writer)  # now only the child has it, and its end can be seen
        self._selector.register(reader, selectors.EVENT_READ, child)
        self._say({"pid": child})
        return True

    def _note_end(self, reader: int, child: int) -> None:
        self._selector.unregister(reader)
        os.close(reader)
        _, status = os.waitpid(child, 0)
        self._say({"ended": child, "code": os.waitstatus_to_exitcode(status)})

    def _say(self, words: Mapping[str, int]) -> None:
        self._lines.write(json.dumps(words) + "\n")
        self._lines.flush()


def function() -> Handler:
    """Load the function as Lambda does."""
    wait_longer()
    spec = importlib.util.spec_from_file_location("check", FUNCTION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def serve(event: object, context: object) -> int:
        module.handler(event, context)
        return 0

    return serve


def command() -> Handler:
    """Return the command line; its event is what follows its name."""
    return lambda event, _: run_cli(event)


DOORS: Final = {"function": function, "command": command}


def lead_elsewhere(detours: Mapping[str, str]) -> None:
    """Let some addresses of messages lead to others; a message waits longer for its answer."""
    ask = http.post

    def post(
        url: str, body: bytes, headers: Mapping[str, str], timeout: float, method: str
    ) -> HttpResponse:
        for address, place in detours.items():
            url = url.replace(address, place, 1)
        return ask(url, body, headers, PATIENCE * timeout, method)

    setattr(http, "post", post)  # noqa: B010 - mypy is right, it is not meant to be set


def wait_longer() -> None:
    """Let requests to S3 wait longer; on a busy machine the gate may hold them for seconds."""
    make = s3.s3_client_config
    longer = Config(read_timeout=PATIENCE * make().read_timeout)
    setattr(s3, "s3_client_config", lambda: make().merge(longer))  # noqa: B010


def run(handler: Handler, order: Mapping[str, Any]) -> NoReturn:
    """Serve one event and end the process."""
    pause = time.sleep
    setattr(time, "sleep", lambda seconds: pause(seconds / HASTE))  # noqa: B010
    random.seed(order["seed"])
    code = 1
    if order["fatal"]:
        die_before(order["fatal"], FILES | DATABASES | SOCKETS)
    try:
        code = handler(order["event"], Context(order["remaining"]))
    except BaseException:  # noqa: BLE001 - as Lambda, which reports it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def main(place: str) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how environments end
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                Environment(connection).serve()
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
