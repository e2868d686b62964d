"""A storing run in a process of its own, to be killed at one of its steps.

``python -m tests.pipeline.doomed_run PLACE WEBHOOK SLOT LETTERS STEP``: the place is a folder, or
``http://host:port/bucket`` for a server that speaks S3. Every call of the storage and of the
channel is two steps, one before and one after it. Without dying (a step beyond the last) the
process prints how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from msgspec.structs import replace

from checkup.deadline import Deadline
from checkup.interfaces import LockState, Notification, Notifier, Storage, StoredDocument
from checkup.model import Run
from checkup.notifiers.slack import SlackSettings
from checkup.pipeline import RunContext, store_run
from checkup.storage.folder import FolderStorage
from checkup.storage.s3 import S3Storage, s3_client_config
from tests.alerting.worlds import run, toy
from tests.notifiers.clients import DirectClients

CHECKERS = (toy("a"), toy("b"))


def open_place(place: str, until: ExitStack) -> Storage:
    """Open the storage at a place, and close it with ``until``."""
    if not place.startswith("http"):
        return FolderStorage(place)
    server, _, bucket = place.rpartition("/")
    client = s3_client(server)
    until.callback(client.close)
    return S3Storage(client, bucket)


def s3_client(server: str) -> Any:
    """Return a client as the program makes one."""
    import boto3  # slow, and of no use with a folder

    session: Any = boto3.session.Session(
        aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    return session.client("s3", endpoint_url=server, config=s3_client_config())


def slack(webhook: str) -> Notifier:
    return SlackSettings(webhook=webhook).open(DirectClients())


def seen(at: int, letters: str) -> Run:
    return replace(run(0, dict(zip("ab", letters, strict=True))), slot=at)


class Doom:
    """Counts steps and ends the process at the chosen one, as no signal handler can prevent."""

    def __init__(self, step: int) -> None:
        self.steps = 0
        self._last = step

    def step(self) -> None:
        if self.steps == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        self.steps += 1


class DoomedStorage:
    """A storage whose every call is two steps."""

    def __init__(self, storage: Storage, doom: Doom) -> None:
        self._storage = storage
        self._doom = doom

    def get(self, key: str) -> StoredDocument | None:
        self._doom.step()
        stored = self._storage.get(key)
        self._doom.step()
        return stored

    def create(self, key: str, body: bytes) -> str:
        self._doom.step()
        version = self._storage.create(key, body)
        self._doom.step()
        return version

    def replace(self, key: str, body: bytes, version: str) -> str:
        self._doom.step()
        after = self._storage.replace(key, body, version)
        self._doom.step()
        return after

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        self._doom.step()
        return self._storage.list(prefix, after)

    def delete(self, key: str) -> None:
        self._storage.delete(key)

    def now_ns(self) -> int:
        return self._storage.now_ns()

    def lock(self, name: str) -> AbstractContextManager[LockState]:
        return self._storage.lock(name)


class DoomedChannel:
    """A channel whose every message is two steps."""

    def __init__(self, notifier: Notifier, doom: Doom) -> None:
        self._notifier = notifier
        self._doom = doom

    def send(self, notification: Notification) -> None:
        self._doom.step()
        self._notifier.send(notification)
        self._doom.step()


def main(place: str, webhook: str, at: str, letters: str, step: str) -> None:
    doom = Doom(int(step))
    with ExitStack() as until:
        monitor = RunContext(
            checkers=CHECKERS,
            storage=DoomedStorage(open_place(place, until), doom),
            channels={"slack": DoomedChannel(slack(webhook), doom)},
        )
        store_run(monitor, seen(int(at), letters), Deadline.after(5))
    print(doom.steps)


if __name__ == "__main__":
    main(*sys.argv[1:])
