"""Publishes the page to a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from checkup.alerting.state import STATE_KEY
from checkup.deadline import Deadline
from checkup.errors import PublishError, StorageError
from checkup.interfaces import Clients, PageFile, PageVersion, PublisherSettings
from checkup.storage.files import file_lock, temporary_file, translate_os_errors
from checkup_page.publishers.manifest import INDEX, MANIFEST, Manifest, PublishPlan, index_last

_PRIVATE: Final = ".checkup"
"""The folder of the lock, and of files that are still being written."""


class FolderPublisherSettings(PublisherSettings, frozen=True, kw_only=True):
    """A folder of this machine, for any web server."""

    kind: ClassVar[str] = "fs"

    dir: Annotated[str, Meta(min_length=1, description="The folder; it is made if there is none.")]

    @property
    def address(self) -> str:
        """The address, for people."""
        return self.dir

    def open(self, clients: Clients) -> FolderPublisher:
        """Return the publisher."""
        del clients  # no client needed
        return FolderPublisher(self.dir)


class FolderPublisher:
    """A folder that a web server serves; other files in it are left alone.

    One publisher at a time writes: the lock is the kernel's and ends with its process. Each file
    is replaced as a whole, so that no incomplete one is served.
    """

    throttles_writes: ClassVar[bool] = False

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        """Write what changed; see :meth:`checkup.interfaces.Publisher.publish`.

        Writing costs nothing here, so no file waits for its ``min_interval``. Anybody can change
        the files, so they are read to see what differs.
        """
        del deadline  # files of a folder are written in no time
        try:
            self._check_owner(files)
            with (
                translate_os_errors("write", self._folder),
                file_lock(self._folder / _PRIVATE / "lock"),
            ):
                return self._publish(files, version)
        except StorageError as error:
            raise PublishError(str(error)) from error

    def _publish(self, files: Mapping[str, PageFile], version: PageVersion) -> list[str]:
        before = Manifest.read(self._read(MANIFEST) or b"")
        before.check_newer(version, time.time_ns())
        manifest = PublishPlan.of(files, version, before, throttled=self.throttles_writes).manifest
        for path in manifest.removed:
            with translate_os_errors("remove", self._folder / path):
                (self._folder / path).unlink(missing_ok=True)
        # Before the files: from now on an older publisher stops, and after a crash the next
        # version knows all files that may be here.
        self._write(MANIFEST, manifest.encode())
        return [path for path in index_last(files) if self._write(path, files[path].body)]

    def _check_owner(self, files: Iterable[str]) -> None:
        """Make sure that the folder contains neither another site nor a storage."""
        if (self._folder / STATE_KEY).exists():
            raise PublishError(f"{self._folder} contains stored runs: choose another folder")
        paths = (self._folder / path for path in (INDEX, MANIFEST, *files))
        found = next((path for path in paths if path.is_file()), None)
        if found is not None:
            manifest = Manifest.read(self._read(MANIFEST) or b"")
            manifest.check_owner(str(found), marked=(self._folder / _PRIVATE).exists())

    def _read(self, path: str) -> bytes | None:
        target = self._folder / path
        with translate_os_errors("read", target):
            return target.read_bytes() if target.is_file() else None

    def _write(self, path: str, body: bytes) -> bool:
        """Replace a file, and return whether it changed."""
        target = self._folder / path
        if self._read(path) == body:
            return False
        with (
            translate_os_errors("write", target),
            temporary_file(self._folder / _PRIVATE, body, durable=False) as draft,
        ):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft.replace(target)
        return True
