"""Publishing: check whether anything is due, build the page, and write it to each place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import NewerPageError, PublishError, UnfinishedPageError
from checkup.interfaces import PageFile, PageVersion, Publisher, Storage
from checkup.times import SECOND
from checkup_page.build import PageCache, build_page
from checkup_page.load import HeadDocuments
from checkup_page.view import EVERY_FIVE_MINUTES

_INTERVAL: Final = EVERY_FIVE_MINUTES * SECOND


class TargetResult(Struct, frozen=True, kw_only=True):
    """What became of an edition in one place.

    Attributes:
        address: of the place.
        written: the paths that changed.
        error: why the edition is not there, or not completely; None if it is.
        age_ns: how long ago this process last published there; None if it has not.
    """

    address: str
    written: Sequence[str] = ()
    error: PublishError | None = None
    age_ns: int | None = None

    @property
    def is_failed(self) -> bool:
        """Whether writing failed: neither is a newer page there, nor is it being written."""
        return self.error is not None and not isinstance(
            self.error, NewerPageError | UnfinishedPageError
        )


class _Target(Struct):
    """One place, and what is known of it.

    Attributes:
        last_inputs: configuration, documents and five minutes of its last edition.
        published_ns: when that was made; None if there is none yet.
        write_all: write every changed file, due or not, because the history was rebuilt.
    """

    address: str
    publisher: Publisher
    last_inputs: tuple[object, ...] = ()
    published_ns: int | None = None
    write_all: bool = False

    def is_due(self, inputs: tuple[object, ...]) -> bool:
        return not self.publisher.throttles_writes or inputs != self.last_inputs

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None
    ) -> Sequence[str]:
        if self.write_all:
            files = {path: replace(file, min_interval=0) for path, file in files.items()}
        written = self.publisher.publish(files, version, deadline)
        self.write_all, self.published_ns = False, version.made
        return written


class PagePublisher:
    """Publishes one edition of the page after another, each to every place.

    Args:
        storage: where runs, state and history are.
        publishers: by the addresses of their places.
    """

    def __init__(self, storage: Storage, publishers: Mapping[str, Publisher]) -> None:
        self.storage = storage
        self.cache = PageCache()
        self._targets = [_Target(address, publisher) for address, publisher in publishers.items()]

    def force(self) -> None:
        """Publish next time even if nothing seems to have changed."""
        for target in self._targets:
            target.last_inputs = ()

    def reset(self) -> None:
        """Drop the caches: the history was rebuilt."""
        self.cache = PageCache()
        for target in self._targets:
            target.last_inputs, target.write_all = (), True

    def publish_if_due(
        self, config: Config, now: int, deadline: Deadline | None = None
    ) -> Sequence[TargetResult]:
        """Publish what is due; a newer page is left alone.

        Where writing costs, nothing more is read if nothing changed: a run without news writes
        the state every few minutes, which starts a publisher. All places are written at once, so
        that one that fails or is slow does not hold up the others.

        Args:
            config: the checkers and the page's settings.
            now: the time, in nanoseconds since the epoch.
            deadline: when to stop; the next call continues.

        Raises:
            StorageError: the runs could not be read; the page stays as it is.
        """
        heads = HeadDocuments.of(self.storage)
        inputs = (config, _without_cursor(heads), now // _INTERVAL)
        due = [target for target in self._targets if target.is_due(inputs)]
        if not due:
            return ()
        files = build_page(config, self.storage, now, cache=self.cache, heads=heads)
        version = PageVersion(position=self.cache.recent_runs.newest_slot, made=now)

        def publish(target: _Target) -> TargetResult:
            try:
                written = target.publish(files, version, deadline)
            except PublishError as error:
                return _failure(target, error, now)
            target.last_inputs = inputs
            return TargetResult(address=target.address, written=written, age_ns=0)

        with ThreadPoolExecutor(len(due)) as pool:
            return [*pool.map(publish, due)]


def publish_once(
    config: Config, storage: Storage, publisher: Publisher, now_ns: int
) -> Sequence[str]:
    """Build and publish the page, and return the paths that changed.

    Raises:
        StorageError: the runs could not be read; the page stays as it is.
        NewerPageError: a newer page is there.
        PublishError: the page could not be written.
    """
    cache = PageCache()
    files = build_page(config, storage, now_ns, cache=cache)
    return publisher.publish(files, PageVersion(cache.recent_runs.newest_slot, now_ns))


def describe_results(results: Sequence[TargetResult]) -> tuple[str, dict[str, object]]:
    """Return the message and the fields of the function's log line.

    The alarm for a stale page counts the lines with the message ``page published``. A place that
    fails once is no error of the function, because the next event or the schedule tries again.
    """
    fields: dict[str, object] = {"changed": [path for it in results for path in it.written]}
    errors = {it.address: str(it.error) for it in results if it.error}
    if not errors:
        return "page published", fields
    is_current = any(it.error is None or isinstance(it.error, NewerPageError) for it in results)
    if is_current:
        message = "page published"
    elif any(result.is_failed for result in results):
        message = "page not published"
    else:
        message = "page not complete yet"
    return message, {**fields, "not_published": errors}


def _failure(target: _Target, error: PublishError, now: int) -> TargetResult:
    age = None if target.published_ns is None else now - target.published_ns
    return TargetResult(address=target.address, error=error, age_ns=age)


def _without_cursor(heads: HeadDocuments) -> HeadDocuments:
    """Return the documents without what every run changes."""
    return heads._replace(
        alert_state=replace(heads.alert_state, revision=0, cursor="", applied_runs=())
    )
