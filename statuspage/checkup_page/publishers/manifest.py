"""The manifest of the published files, and what a new version changes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final, Self

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from checkup.errors import NewerPageError, PublishError
from checkup.interfaces import PageFile, PageVersion
from checkup.times import SECOND

MANIFEST: Final = "manifest.json"
INDEX: Final = "index.html"
_SCHEMA: Final = 1
_MAX_DELAY: Final = 3600 * SECOND
"""No publisher is slower than this: a lower position after that time is a storage that started
again."""

_MAX_CLOCK_SKEW: Final = 300 * SECOND
"""A version made later than this after the present was made by a wrong clock."""


class ManifestEntry(Struct, frozen=True, omit_defaults=True, rename={"urgent_content": "news"}):
    """One published file.

    Attributes:
        hash: of its content; empty if the file must be written again.
        at: the time of the version that last changed it.
        urgent_content: as in :class:`checkup.interfaces.PageFile`.
    """

    hash: str
    at: int
    urgent_content: str = ""


_OPEN: Final = ManifestEntry("", 0)
"""A file whose content is not known."""


class Manifest(Struct, frozen=True, kw_only=True, rename={"version": "edition", "removed": "gone"}):
    """The files in one place.

    Attributes:
        version: the newest one whose publication was started.
        files: by path.
        removed: paths that this version removes.
        released: the publisher stopped before the version was complete and recorded its progress,
            so that another one can continue at once; absent otherwise.
    """

    schema: int = _SCHEMA
    version: PageVersion = PageVersion(0, 0)
    files: Mapping[str, ManifestEntry] = {}
    removed: tuple[str, ...] = ()
    released: bool | UnsetType = UNSET

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Decode a manifest; a damaged one is empty, so that everything is written again."""
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
        """Make sure that an existing file is not part of another site.

        Args:
            file: its address, for people.
            marked: something else than this manifest, which may be lost, shows that it is ours.

        Raises:
            PublishError: it is.
        """
        if not (marked or self.files):
            raise PublishError(f"{file} belongs to another site: remove it or publish elsewhere")

    def check_newer(self, version: PageVersion, now: int) -> None:
        """Make sure that a version is not older than the published one.

        Args:
            version: the one to publish.
            now: the time by the clock of the place, in nanoseconds since the epoch.

        Raises:
            NewerPageError: it is.
        """
        there = self.version
        is_newer = there > version and there.made > version.made - _MAX_DELAY
        if is_newer and there.made <= now + _MAX_CLOCK_SKEW:
            raise NewerPageError("a newer page is already published")

    def distrust_unfinished(self) -> Manifest:
        """Return what is certain of an incomplete version: all that it did not touch.

        If the publisher has recorded its progress, that is all of the manifest except the index.
        """
        files = {
            path: _OPEN if entry.at == self.version.made and not self.released else entry
            for path, entry in self.files.items()
        }
        return Manifest(
            version=self.version, files={**dict.fromkeys((*self.removed, INDEX), _OPEN), **files}
        ).reopen([INDEX])

    def reopen(self, paths: Iterable[str]) -> Manifest:
        """Return the manifest with files that must be written again."""
        return replace(self, files={**self.files, **dict.fromkeys(paths, _OPEN)})


class PublishPlan(Struct, frozen=True):
    """What one version, or a part of it, changes.

    Attributes:
        write: paths to write, in order; ``index.html`` comes last, with every version that is
            complete.
        manifest: the files afterwards; its ``removed`` are to be deleted.
        is_complete: nothing new, removed or urgent is left for later, so ``index.html`` can be
            written.
        left: how many files are left for later.
    """

    write: tuple[str, ...]
    manifest: Manifest
    is_complete: bool = True
    left: int = 0

    @classmethod
    def of(
        cls,
        files: Mapping[str, PageFile],
        version: PageVersion,
        before: Manifest,
        *,
        throttled: bool,
        limit: int | None = None,
    ) -> Self:
        """Compare a page with the published files.

        Args:
            files: of the page.
            version: of the page.
            before: the published files.
            throttled: writing costs, so files wait for their ``min_interval``.
            limit: how many files to write at most; those that cannot wait come first.
        """
        entries = {path: _entry(file, version) for path, file in files.items()}
        due, urgent = set[str](), set[str]()
        for path, entry in entries.items():
            known, interval = before.files.get(path), files[path].min_interval
            if _is_due(interval if throttled else 0, entry, known):
                due.add(path)
                if (
                    known is None
                    or not (known.hash and interval)
                    or known.urgent_content != entry.urgent_content
                ):
                    urgent.add(path)
        removed = tuple(sorted(before.files.keys() - entries.keys()))
        if not due and not removed:
            return cls((), Manifest(version=version, files=before.files))
        ordered = [*index_last(urgent - {INDEX}), *index_last(due - urgent - {INDEX})]
        chosen = ordered[:limit]
        is_complete = len(chosen) >= len(urgent - {INDEX})
        written = {*chosen, INDEX} if is_complete else {*chosen}
        kept = {
            path: entry
            for path, entry in before.files.items()
            if path not in written and (path in entries or not is_complete)
        }
        manifest = Manifest(
            version=version,
            files={**kept, **{path: entries[path] for path in written}},
            removed=removed if is_complete else (),
        )
        write = (*chosen, INDEX) if is_complete else (*chosen,)
        return cls(write, manifest, is_complete, len(ordered) - len(chosen))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.write and not self.manifest.removed


def index_last(paths: Iterable[str]) -> list[str]:
    """Return the paths with ``index.html`` last, and those of other languages before it.

    So everything that it links to is there before it.
    """
    return sorted(paths, key=lambda path: (path == INDEX, path.endswith(INDEX), path))


def _is_inside(path: str) -> bool:
    """Whether a path stays in its folder: a forged manifest must not delete other files."""
    return "\0" not in path and not {"", ".", ".."} & {*path.split("/")}


def _entry(file: PageFile, version: PageVersion) -> ManifestEntry:
    return ManifestEntry(hashlib.sha256(file.body).hexdigest(), version.made, file.urgent_content)


def _is_due(interval: int, entry: ManifestEntry, before: ManifestEntry | None) -> bool:
    """Whether a file is to be written now.

    Time is divided into periods that all publishers share, so that several of them, which are
    started by different events, write a file once in each period.
    """
    if before is None or not before.hash:
        return True
    if before.hash == entry.hash:
        return False
    step = interval * SECOND
    return (
        not step
        or before.urgent_content != entry.urgent_content
        or before.at // step != entry.at // step
    )
