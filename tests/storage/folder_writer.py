"""A process that works on a folder, to be killed: ``python -m tests.storage.folder_writer …``.

``append DIR NAME COUNT`` waits for a line of input, then adds COUNT lines to ``state/log`` by
compare-and-set and prints each once it is stored. ``create DIR N`` and ``replace DIR N`` do one
write and kill themselves just before the N-th call into the operating system that it makes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from checkup.errors import DocumentChangedError, DocumentExistsError
from checkup.storage.folder import FolderStorage
from tests.doom import FILES, die_before

LOG = "state/log"
RUN = "runs/1700000000000000000-check.json"
HEAD = "state/head.json"
OLD, NEW = b'[{"title":"old"}]', b'[{"title":"new"}]'


def append(folder: str, name: str, count: str) -> None:
    storage = FolderStorage(folder)
    sys.stdin.readline()
    for number in range(int(count)):
        line = f"{name}-{number}\n"
        _append(storage, line.encode())
        print(line, end="", flush=True)


def create(folder: str, fatal: str) -> None:
    die_before(int(fatal), FILES)
    FolderStorage(folder).create(RUN, NEW)


def replace(folder: str, fatal: str) -> None:
    storage = FolderStorage(folder)
    stored = storage.get(HEAD)
    assert stored is not None
    die_before(int(fatal), FILES)
    storage.replace(HEAD, NEW, stored.version)


def _append(storage: FolderStorage, line: bytes) -> None:
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


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {
        "append": append,
        "create": create,
        "replace": replace,
    }
    commands[sys.argv[1]](*sys.argv[2:])
