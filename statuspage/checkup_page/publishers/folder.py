"""Puts the page into a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from checkup.errors import PublishError
from checkup.ports import PageFile
from checkup_page.publishers.order import index_last


class FolderPublisher:
    """A folder that some web server shows; files of others in it are left alone."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def publish(self, files: Mapping[str, PageFile]) -> Sequence[str]:
        """Write what changed; see :meth:`checkup.ports.Publisher.publish`.

        Each file is replaced as a whole, so that nobody is ever served half of one.
        """
        return [path for path in index_last(files) if self._write(path, files[path].body)]

    def _write(self, path: str, body: bytes) -> bool:
        target = self._folder / path
        try:
            if target.is_file() and target.read_bytes() == body:
                return False
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.{os.getpid()}")
            try:
                draft.write_bytes(body)
                draft.replace(target)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise PublishError(f"{target}: cannot be written: {error.strerror}") from error
        return True
