"""Publishing: find out whether anything is due, build the page, put it in its place."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from checkup.config.settings import Config
from checkup.errors import NewerPageError
from checkup.interfaces import PageVersion, Publisher, Storage
from checkup.times import SECOND
from checkup_page.build import PageCache, build_page
from checkup_page.load import HeadDocuments
from checkup_page.view import EVERY_FIVE_MINUTES

_log = logging.getLogger(__name__)
_TURN: Final = EVERY_FIVE_MINUTES * SECOND


class PagePublisher(Struct):
    """Publishes one page again and again.

    Attributes:
        cache: what need not be read again.
        last_inputs: what there was to tell when it was last published, and in which five minutes.
        write_all: no file waits for its time, because the past is no longer what it was.
    """

    storage: Storage
    publisher: Publisher
    cache: PageCache = field(default_factory=PageCache)
    last_inputs: tuple[object, ...] = ()
    write_all: bool = False

    def force(self) -> None:
        """Read everything next time, for whoever asks may know of what the state does not tell."""
        self.last_inputs = ()

    def reset(self) -> None:
        """Take nothing for known any more: somebody has counted the past again."""
        self.cache, self.last_inputs, self.write_all = PageCache(), (), True

    def publish_if_due(self, config: Config, now: int) -> Sequence[str]:
        """Publish what is due, and return the paths that changed; a newer page is left alone.

        Where writing costs, nothing is even read for a page of which no file is due: a run
        that changes nothing moves the state every few minutes and so starts a publisher.

        Raises:
            StorageError: the runs could not be read; the page stays as it is.
            PublishError: the page could not be written.
        """
        told = HeadDocuments.of(self.storage)
        present = (config, _essence(told), now // _TURN)
        if self.publisher.throttles_writes and present == self.last_inputs:
            return ()
        try:
            written = self._publish(config, told, now)
        except NewerPageError as no:
            _log.info("%s", no)
            return ()
        self.last_inputs = present
        return written

    def publish(self, config: Config, now: int) -> Sequence[str]:
        """Publish as :func:`publish_once` does."""
        return self._publish(config, HeadDocuments.of(self.storage), now)

    def _publish(self, config: Config, told: HeadDocuments, now: int) -> Sequence[str]:
        files = build_page(config, self.storage, now, memory=self.cache, heads=told)
        if self.write_all:
            files = {path: replace(file, min_interval=0) for path, file in files.items()}
        edition = PageVersion(position=self.cache.recent_runs.newest_slot, made=now)
        written = self.publisher.publish(files, edition)
        self.write_all = False
        return written


def publish_once(
    config: Config, storage: Storage, publisher: Publisher, now_ns: int
) -> Sequence[str]:
    """Build the page, put it in its place and return the paths that changed.

    Raises:
        StorageError: the runs could not be read; the page stays as it is.
        NewerPageError: a newer page is there.
        PublishError: the page could not be written.
    """
    return PagePublisher(storage=storage, publisher=publisher).publish(config, now_ns)


def _essence(told: HeadDocuments) -> HeadDocuments:
    """Return what is told without what every run moves."""
    return told._replace(
        alert_state=replace(told.alert_state, revision=0, cursor="", applied_runs=())
    )
