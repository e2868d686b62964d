"""A process that works on a database, to be killed: ``python -m tests.storage.sql_writer …``.

``append KIND DSN NAME COUNT`` waits for a line of input, then adds COUNT lines to ``state/log`` by
compare-and-set and prints each once it is stored. ``hold KIND DSN`` takes a right, says whether it
has it, and keeps it. ``killed KIND DSN KILLS SEED`` starts writers and kills each after a moment.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable

from checkup.errors import DocumentChangedError, DocumentExistsError
from checkup.interfaces import Storage
from checkup.storage import STORAGES
from tests.storage.places import FakeClients

LOG = "state/log"


def open_storage(kind: str, dsn: str, *, create: bool = True) -> Storage:
    """Return a storage by the ``type`` and the ``dsn`` of its configuration."""
    settings = STORAGES[kind](dsn=dsn, create=create)  # type: ignore[call-arg]
    return settings.open(FakeClients(secrets={dsn: dsn}))


def append(kind: str, dsn: str, name: str, count: str) -> None:
    storage = open_storage(kind, dsn)
    sys.stdin.readline()
    for number in range(int(count)):
        line = f"{name}-{number}\n"
        append_line(storage, line.encode())
        print(line, end="", flush=True)


def hold(kind: str, dsn: str) -> None:
    with open_storage(kind, dsn).lock("deliver") as held:
        print(held.value, flush=True)
        time.sleep(600)


def killed(kind: str, dsn: str, kills: str, seed: str) -> None:
    """Print what the writers reported; they are forks, so that none has to import anything."""
    chance = random.Random(seed)
    open_storage(kind, dsn)  # imports, and connects to nothing yet
    for number in range(int(kills)):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            _write_until_killed(kind, dsn, number, writer)
        os.close(writer)
        with os.fdopen(reader) as reports:
            # One in four dies while it opens the storage, the others while they write.
            first = reports.readline() if chance.random() < 0.75 else ""
            _kill_later(child, chance.uniform(0, 0.02))
            print(first + reports.read(), end="", flush=True)


def append_line(storage: Storage, line: bytes) -> None:
    """Add a line to the log by compare-and-set."""
    while True:
        stored = storage.get(LOG)
        try:
            if stored is None:
                storage.create(LOG, line)
            else:
                storage.replace(LOG, stored.body + line, stored.version)
        except (DocumentExistsError, DocumentChangedError):
            continue
        return


def _kill_later(child: int, seconds: float) -> None:
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _write_until_killed(kind: str, dsn: str, number: int, reports: int) -> None:
    try:
        storage = open_storage(kind, dsn)
        for step in range(10**9):
            moment = 1_700_000_000_000_000_000 + number * 10**6 + step
            key = f"runs/{moment}-check.json"
            storage.create(key, b'[{"title":"%d"}]' % moment)
            os.write(reports, f"{key}\n".encode())
            append_line(storage, f"{number}-{step}\n".encode())
            os.write(reports, f"{number}-{step}\n".encode())
    finally:
        os._exit(1)


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"append": append, "hold": hold, "killed": killed}
    commands[sys.argv[1]](*sys.argv[2:])
