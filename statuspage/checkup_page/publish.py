"""Publishing: check whether anything is due, build the page, and write what changed."""

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
_INTERVAL: Final = EVERY_FIVE_MINUTES * SECOND


class PagePublisher(Struct):
    """Publishes one edition of the page after another.

    Attributes:
        cache: of earlier editions.
        last_inputs: configuration, documents and five minutes of the last edition.
        write_all: write every changed file, due or not, because the history was rebuilt.
    """

    storage: Storage
    publisher: Publisher
    cache: PageCache = field(default_factory=PageCache)
    last_inputs: tuple[object, ...] = ()
    write_all: bool = False

    def force(self) -> None:
        """Publish next time even if nothing seems to have changed."""
        self.last_inputs = ()

    def reset(self) -> None:
        """Drop the caches: the history was rebuilt."""
        self.cache, self.last_inputs, self.write_all = PageCache(), (), True

    def publish_if_due(self, config: Config, now: int) -> Sequence[str]:
        """Publish what is due, and return the paths that changed; a newer page is left alone.

        Where writing costs, nothing more is read if nothing changed: a run without news writes
        the state every few minutes, which starts a publisher.

        Raises:
            StorageError: the runs could not be read; the page stays as it is.
            PublishError: the page could not be written.
        """
        heads = HeadDocuments.of(self.storage)
        inputs = (config, _without_cursor(heads), now // _INTERVAL)
        if self.publisher.throttles_writes and inputs == self.last_inputs:
            return ()
        try:
            written = self._publish(config, heads, now)
        except NewerPageError as error:
            _log.info("%s", error)
            return ()
        self.last_inputs = inputs
        return written

    def publish(self, config: Config, now: int) -> Sequence[str]:
        """Publish as :func:`publish_once` does."""
        return self._publish(config, HeadDocuments.of(self.storage), now)

    def _publish(self, config: Config, heads: HeadDocuments, now: int) -> Sequence[str]:
        files = build_page(config, self.storage, now, cache=self.cache, heads=heads)
        if self.write_all:
            files = {path: replace(file, min_interval=0) for path, file in files.items()}
        edition = PageVersion(position=self.cache.recent_runs.newest_slot, made=now)
        written = self.publisher.publish(files, edition)
        self.write_all = False
        return written


def publish_once(
    config: Config, storage: Storage, publisher: Publisher, now_ns: int
) -> Sequence[str]:
    """Build and publish the page, and return the paths that changed.

    Raises:
        StorageError: the runs could not be read; the page stays as it is.
        NewerPageError: a newer page is there.
        PublishError: the page could not be written.
    """
    return PagePublisher(storage=storage, publisher=publisher).publish(config, now_ns)


def _without_cursor(heads: HeadDocuments) -> HeadDocuments:
    """Return the documents without what every run changes."""
    return heads._replace(
        alert_state=replace(heads.alert_state, revision=0, cursor="", applied_runs=())
    )
