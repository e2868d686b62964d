"""Storage in a folder, in the layout of the Go program.

Check files are at the top level as ``<19 digits>-check.json``, with the final newline that Go
writes (the document itself has none), and ``index.json`` beside them for Go's page. Every other
key is a file path below the folder. ``.checkup/`` contains locks and temporary files. Other files
in the folder are left alone.

Writes are atomic: ``link`` creates a document and fails if the name is taken; ``rename`` replaces
one under a kernel lock, after its content was compared. A process that is killed at any point
leaves the old document or the new one, and the kernel releases its locks.

On a network file system, which several machines may share, a server can take a lock away from a
machine that it no longer hears of, while that one still runs. So there a lock does not prove that
its last owner is gone, and a write that took too long under its lock is given up.
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
    network_file_system,
    temporary_file,
    translate_os_errors,
    try_file_lock,
)
from checkup.storage.layout import is_key, run_file_name, valid_key, valid_lock_name, valid_prefix

_PRIVATE = ".checkup"
_LEASE_SECONDS = 5.0
"""How long a lock of a network file system is relied on; servers keep it for 30 s at least."""


class FolderSettings(StorageSettings, frozen=True, kw_only=True):
    """Check files in a local folder."""

    kind: ClassVar[str] = "fs"

    dir: Annotated[
        str,
        Meta(
            description="Path of the folder; created if missing. Default: the working directory.",
            extra={"if_empty": "the working directory is used"},
        ),
    ] = ""
    url: Annotated[str, Meta(description="Ignored; for compatibility.")] = ""

    def open(self, clients: Clients) -> FolderStorage:
        """Return the storage; writing the first document creates the folder."""
        return FolderStorage(self.dir)


class FolderStorage:
    """Documents as files below one folder; safe for threads and processes, also of machines.

    Args:
        is_network: whether the folder is on a network file system; by default that is found out.
    """

    def __init__(self, folder: str | Path, *, is_network: bool | None = None) -> None:
        self._root = Path(folder).absolute()
        self._private = self._root / _PRIVATE
        self._is_network = (
            bool(network_file_system(self._root)) if is_network is None else is_network
        )

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
        with translate_os_errors("write", path), self._temporary(key, body) as temporary:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(temporary, path)
            except FileExistsError:
                raise DocumentExistsError(f"{path} already exists") from None
            fsync_folder(path.parent)
        if run_file_name(key):
            self._add_to_index(path.name)
        return _version(body)

    def replace(self, key: str, body: bytes, version: str) -> str:
        """Replace what was read; see :meth:`checkup.interfaces.Storage.replace`."""
        path = self._path(key)
        with (
            translate_os_errors("write", path),
            self._temporary(key, body) as temporary,
            self._write_lock(),
        ):
            begun = time.monotonic()
            current = self.get(key)
            if current is None or current.version != version:
                raise DocumentChangedError(f"{path} has changed since it was read")
            if self._is_network and time.monotonic() - begun > _LEASE_SECONDS:
                raise StorageError(
                    f"cannot write {path}: it took so long that the lock may be lost"
                )
            temporary.replace(path)
            fsync_folder(path.parent)
        return _version(body)

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys in order, from a snapshot taken at the first one."""
        valid_prefix(prefix)
        with translate_os_errors("list", self._root):
            found = (
                self._top_level_keys()
                if prefix.startswith(RUNS_PREFIX)
                else self._keys_below(prefix)
            )
            keys = sorted(key for key in found if key.startswith(prefix) and key > after)
        yield from (key for key in keys if is_key(key))

    def delete(self, key: str) -> None:
        """Delete the document; the next run removes a check file from the index."""
        path = self._path(key)
        with translate_os_errors("delete", path), self._write_lock():
            path.unlink(missing_ok=True)

    def now_ns(self) -> int:
        """Return the time of this machine; those that share a folder keep their clocks together."""
        return time.time_ns()

    @contextmanager
    def lock(self, name: str) -> Iterator[LockState]:
        """Try to take a kernel lock, which is released when its owner exits.

        On a network file system it proves nothing, so claims end by their time there.
        """
        if self._is_network:
            yield LockState.UNSUPPORTED
            return
        path = self._private / f"hold-{valid_lock_name(name)}.lock"
        with ExitStack() as stack:
            with translate_os_errors("lock", path):
                state = stack.enter_context(try_file_lock(path))
            yield state

    def provision_steps(self, retention: int) -> Sequence[ProvisionStep]:
        """Return the step that creates the folder, if it does not exist."""
        return (
            []
            if self._root.is_dir()
            else [ProvisionStep(f"create the folder {self._root}", self._create_folder)]
        )

    def _create_folder(self) -> None:
        with translate_os_errors("create", self._root):
            self._root.mkdir(parents=True, exist_ok=True)

    def _path(self, key: str) -> Path:
        return self._root / (run_file_name(valid_key(key)) or key)

    def _temporary(self, key: str, body: bytes) -> AbstractContextManager[Path]:
        return temporary_file(self._private, body + b"\n" if run_file_name(key) else body)

    def _write_lock(self) -> AbstractContextManager[None]:
        return file_lock(self._private / "write.lock")

    def _add_to_index(self, name: str) -> None:
        # The run itself is stored; the next run repairs the index if this fails.
        with suppress(OSError, StorageError), self._write_lock():
            layout.update_index_file(self._root, name, self._private)

    def _top_level_keys(self) -> Iterator[str]:
        """Yield a key for every file at the top level, as if all were check files."""
        with suppress(FileNotFoundError):
            names = os.listdir(self._root)  # noqa: PTH208 - half a million paths would be slow
            yield from (RUNS_PREFIX + name for name in names)

    def _keys_below(self, prefix: str) -> Iterator[str]:
        """Yield a key for every file below the folder part of ``prefix``."""
        top = self._root / prefix[: prefix.rindex("/")]
        for folder, _, names in os.walk(top, onerror=_raise_unless_missing):
            relative = Path(folder).relative_to(self._root).as_posix()
            yield from (f"{relative}/{name}" for name in names)


def _version(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _raise_unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
