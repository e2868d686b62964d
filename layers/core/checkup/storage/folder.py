"""Storage in a folder, laid out as the Go program does.

Check files lie at the top as ``<19 digits>-check.json``, with the final newline that Go writes
there (the port's bytes are without it), and ``index.json`` beside them for Go's page. Every
other key is the path of a file below the folder. ``.checkup/`` holds locks, and files while
they are written. Whatever else is in the folder belongs to somebody else and is left alone.

A document appears whole by ``link``, which fails if the name is taken, or by ``rename`` under a
lock of the kernel after the old content was compared. So a kill at any point leaves the old
document or the new one, and a killed owner of a lock leaves nothing to wait for.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError
from checkup.interfaces import Clients, LockState, ProvisionStep, StorageSettings, StoredDocument
from checkup.model import RUNS_PREFIX
from checkup.storage import layout
from checkup.storage.files import (
    file_lock,
    fsync_folder,
    temporary_file,
    translate_os_errors,
    try_file_lock,
)
from checkup.storage.layout import is_key, run_file_name, valid_key, valid_lock_name, valid_prefix

_PRIVATE = ".checkup"


class FolderSettings(StorageSettings, frozen=True, kw_only=True):
    """Check files in a folder of this machine."""

    kind: ClassVar[str] = "fs"

    dir: Annotated[
        str,
        Meta(
            description="The folder; the working directory if empty. Made when needed.",
            extra={"if_empty": "the working directory is used"},
        ),
    ] = ""
    url: Annotated[str, Meta(description="Not used; old files have it.")] = ""

    def open(self, clients: Clients) -> FolderStorage:
        """Return the storage; the folder is made by the first document."""
        return FolderStorage(self.dir)


class FolderStorage:
    """Documents as files below one folder; safe for threads and processes of one machine."""

    def __init__(self, folder: str | Path) -> None:
        self._root = Path(folder).absolute()
        self._private = self._root / _PRIVATE

    def get(self, key: str) -> StoredDocument | None:
        """Return the document, or None if there is none."""
        path = self._path(key)
        with translate_os_errors("read", path):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        body = content.removesuffix(b"\n") if run_file_name(key) else content
        return StoredDocument(body, _version(body))

    def create(self, key: str, body: bytes) -> str:
        """Write a new document; see :meth:`checkup.interfaces.Storage.create`."""
        path = self._path(key)
        with translate_os_errors("write", path), self._written(key, body) as temporary:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise DocumentExistsError(f"{path} is there already") from None
            fsync_folder(path.parent)
        if run_file_name(key):
            self._add_to_index(path.name)
        return _version(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        path = self._path(key)
        with (
            translate_os_errors("write", path),
            self._written(key, body) as temporary,
            self._locked(),
        ):
            current = self.get(key)
            if current is None or current.version != version:
                raise DocumentChangedError(f"{path} is not the version that was read")
            temporary.replace(path)
            fsync_folder(path.parent)
        return _version(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, as they are when the first is asked for."""
        valid_prefix(prefix)
        with translate_os_errors("list", self._root):
            found = self._names() if prefix.startswith(RUNS_PREFIX) else self._paths(prefix)
            keys = sorted(key for key in found if key.startswith(prefix) and key > after)
        yield from (key for key in keys if is_key(key))

    def delete(self, key: str) -> None:
        """Remove the document; the index forgets a check file with the next run."""
        path = self._path(key)
        with translate_os_errors("delete", path), self._locked():
            path.unlink(missing_ok=True)

    def now_ns(self) -> int:
        """Return the time of this machine, which all users of the folder share."""
        return time.time_ns()

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        """Take a lock of the kernel, which ends with its owner."""
        path = self._private / f"hold-{valid_lock_name(name)}.lock"
        with ExitStack() as stack:
            with translate_os_errors("lock", path):
                hold = stack.enter_context(try_file_lock(path))
            yield hold

    def provision_steps(self, check_expiry: int) -> Sequence[ProvisionStep]:
        """Return what :meth:`checkup.interfaces.Provisionable.missing` says: the folder."""
        return (
            []
            if self._root.is_dir()
            else [ProvisionStep(f"make the folder {self._root}", self._make)]
        )

    def _make(self) -> None:
        with translate_os_errors("make", self._root):
            self._root.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / (run_file_name(valid_key(key)) or key)

    def _written(self, key: str, body: bytes) -> AbstractContextManager[Path]:
        return temporary_file(self._private, body + b"\n" if run_file_name(key) else body)

    def _locked(self) -> AbstractContextManager[None]:
        return file_lock(self._private / "write.lock")

    def _add_to_index(self, name: str) -> None:
        # The run is stored, and that is what counts. What fails here, the next run mends.
        with suppress(OSError, StorageError), self._locked():
            layout.update_index_file(self._root, name, self._private)

    def _names(self) -> Iterator[str]:
        """Yield what would be the keys of all files at the top, were they check files."""
        with suppress(FileNotFoundError):
            names = os.listdir(self._root)  # noqa: PTH208 - half a million paths would be slow
            yield from (RUNS_PREFIX + name for name in names)

    def _paths(self, prefix: str) -> Iterator[str]:
        """Yield what would be the keys of all files below the folder that ``prefix`` names."""
        top = self._root / prefix[: prefix.rindex("/")]
        for folder, _, names in os.walk(top, onerror=_unless_missing):
            relative = Path(folder).relative_to(self._root).as_posix()
            yield from (f"{relative}/{name}" for name in names)


def _version(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
