"""The manifest of what was published, and what is left to write. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from checkup.errors import NewerPageError, PublishError
from checkup.interfaces import PageFile, PageVersion
from checkup.times import SECOND

MANIFEST: Final = "manifest.json"
INDEX: Final = "index.html"
_SCHEMA: Final = 1
_SLOWEST: Final = 3600 * SECOND
"""No publisher is as slow as this: a lower position after that time is a storage begun anew."""

_AHEAD: Final = 300 * SECOND
"""An edition made later than this after the present was made by a clock that is wrong."""


class ManifestEntry(Struct, frozen=True, omit_defaults=True, rename={"urgent_content": "news"}):
    """One file as it was published.

    Attributes:
        hash: of its content.
        at: when the edition that last changed it was made.
        urgent_content: as in :class:`checkup.interfaces.PageFile`.
    """

    hash: str
    at: int
    urgent_content: str = ""


class Manifest(Struct, frozen=True, kw_only=True, rename={"version": "edition", "removed": "gone"}):
    """What lies in a place.

    Attributes:
        version: the newest one that was put there, or was begun to be.
        files: by path.
        removed: paths that this edition has removed.
    """

    schema: int = _SCHEMA
    version: PageVersion = PageVersion(0, 0)
    files: Mapping[str, ManifestEntry] = {}
    removed: tuple[str, ...] = ()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the manifest; one that cannot be read is as good as none: all is written anew."""
        try:
            found = msgspec.json.decode(body, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cls()
        if found.schema != _SCHEMA:
            return cls()
        files = {path: entry for path, entry in found.files.items() if _is_inside(path)}
        return replace(found, files=files, removed=tuple(filter(_is_inside, found.removed)))

    def encode(self) -> bytes:
        """Return the manifest as a file."""
        return msgspec.json.encode(self, order="deterministic")

    def check_owner(self, file: str, *, marked: bool) -> None:
        """Make sure that a file which is there is not that of somebody else's site.

        Args:
            file: where it is, for people.
            marked: there is another mark of ours than this manifest, which may be lost.

        Raises:
            PublishError: it is.
        """
        if not (marked or self.files):
            raise PublishError(f"{file} belongs to another site: remove it or publish elsewhere")

    def check_newer(self, edition: PageVersion, now: int) -> None:
        """Make sure that an edition is not older than the one that is there.

        Args:
            now: the present, by the clock of the place.

        Raises:
            NewerPageError: it is.
        """
        there = self.version
        is_newer = there > edition and there.made > edition.made - _SLOWEST
        if is_newer and there.made <= now + _AHEAD:
            raise NewerPageError("a newer page is already published")

    def distrust_unfinished(self) -> Manifest:
        """Return what is certain if nobody knows how far the last edition has come."""
        files = {
            path: ManifestEntry("", 0) if entry.at == self.version.made else entry
            for path, entry in self.files.items()
        }
        unsure = dict.fromkeys(self.removed, ManifestEntry("", 0))
        return Manifest(version=self.version, files={**unsure, **files})


class PublishPlan(Struct, frozen=True):
    """What an edition has to do.

    Attributes:
        write: paths to write, in order; ``index.html`` comes with every edition, for it says when
            the page was made.
        manifest: what is there afterwards; its ``gone`` are to be removed.
    """

    write: tuple[str, ...]
    manifest: Manifest

    @classmethod
    def of(
        cls, files: Mapping[str, PageFile], edition: PageVersion, before: Manifest, *, patient: bool
    ) -> Self:
        """Compare a page with what is there.

        Args:
            patient: writing costs, so that a file waits for its time.
        """
        entries = {path: _entry(file, edition) for path, file in files.items()}
        put = {
            path
            for path, entry in entries.items()
            if _is_due(files[path].min_interval if patient else 0, entry, before.files.get(path))
        }
        gone = tuple(sorted(before.files.keys() - entries.keys()))
        if put or gone:
            put.add(INDEX)
        kept = {path: before.files[path] for path in entries.keys() - put}
        manifest = Manifest(version=edition, files={**entries, **kept}, removed=gone)
        return cls(tuple(index_last(put)), manifest)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.write and not self.manifest.removed


def index_last(paths: Iterable[str]) -> list[str]:
    """Return the paths with ``index.html`` last, and those of other languages before it.

    All that it leads to is there before it.
    """
    return sorted(paths, key=lambda path: (path == INDEX, path.endswith(INDEX), path))


def _is_inside(path: str) -> bool:
    """Say whether a path stays in its place; what anybody may have written removes nothing else."""
    return "\0" not in path and not {"", ".", ".."} & {*path.split("/")}


def _entry(file: PageFile, edition: PageVersion) -> ManifestEntry:
    return ManifestEntry(hashlib.sha256(file.body).hexdigest(), edition.made, file.urgent_content)


def _is_due(every: int, entry: ManifestEntry, before: ManifestEntry | None) -> bool:
    """Say whether a file is to be written now.

    Time is cut into pieces that all publishers share, so that several of them, which are started
    by different events, write a file once in each piece.
    """
    if before is None or not before.hash:
        return True
    if before.hash == entry.hash:
        return False
    step = every * SECOND
    return (
        not step
        or before.urgent_content != entry.urgent_content
        or before.at // step != entry.at // step
    )
