"""The configuration of a deployed stack, which stays in use when a newer version is broken.

It is the file that was deployed with the functions or, where the stack names one (CONFIG_BUCKET,
CONFIG_KEY), an object that is read before each run if it has changed. When that is invalid, its
last valid version is used, whose id is in the AlertState. Without one, the valid checkers of the
invalid file are run, and the others are unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from checkup import config as configuration
from checkup.app import (
    Environment,
    LiveClients,
    adapt_config,
    open_stack_storage,
    registered_kinds,
    s3_client,
)
from checkup.config import source
from checkup.config.settings import Config
from checkup.errors import ConfigError, Problem, StorageError
from checkup.pipeline import read_state
from checkup.storage.s3_bucket import ObjectNotFoundError, S3Object

_log = logging.getLogger(__name__)


class ActiveConfig(Struct, frozen=True, kw_only=True):
    """The configuration in use.

    Attributes:
        version: the object's version that it was read from; empty if it is only a part, or was
            read from no object or from one without versions.
        error: why the newest one cannot be used; None if it is this one.
    """

    config: Config
    version: str = ""
    error: ConfigError | None = None


class DeployedConfigReader:
    """Reads the configuration of the stack whose functions have this environment.

    Args:
        bundled: name and bytes of the file that was deployed with the functions; None where it
            lies in the working directory.
    """

    def __init__(
        self, environ: Mapping[str, str], bundled: tuple[str, bytes] | None = None
    ) -> None:
        self._environ = environ
        self._place = Environment.of(environ)
        self._clients = LiveClients(environ)
        self._bundled = bundled
        self._etag = ""
        self._active: ActiveConfig | None = None

    def current(self) -> ActiveConfig:
        """Return the configuration to use now.

        Raises:
            ConfigError: there is none.
            StorageError: S3 could not be read.
        """
        if self._place.config_bucket:
            self._active = self._from_object(self._active)
        elif self._active is None:
            self._active = self._from_bundle()
        return self._active

    def _from_bundle(self) -> ActiveConfig:
        try:
            name = self._bundled[0] if self._bundled else source.find_config_file(None)
            body = self._bundled[1] if self._bundled else source.read_config_file(name)
            return ActiveConfig(config=self._read(name, body))
        except ConfigError as error:
            return self._part(error)

    def _from_object(self, before: ActiveConfig | None) -> ActiveConfig:
        source = self._source
        try:
            found = source.get_if_changed(self._etag if before else "")
        except ObjectNotFoundError as error:
            self._etag = ""
            return self._last_valid(source, ConfigError([Problem(file="", text=str(error))]))
        if found is None:
            assert before is not None  # noqa: S101 - else it would have been read
            return before
        try:
            active = ActiveConfig(config=self._read(source.address, found.body), version=found.id)
        except ConfigError as error:
            active = self._last_valid(source, error)
        self._etag = found.etag
        return active

    @cached_property
    def _source(self) -> S3Object:
        client = s3_client(self._clients)
        return S3Object(client, self._place.config_bucket, self._place.config_key)

    def _last_valid(self, source: S3Object, problem: ConfigError) -> ActiveConfig:
        """Return the last valid version or, without one, the valid checkers of this one."""
        version = self._last_valid_version()
        if version:
            try:
                config = self._read(source.address, source.get_version(version).body)
                return ActiveConfig(config=config, version=version, error=problem)
            except (ConfigError, StorageError) as error:
                _log.warning("%s, version %s: %s", source.address, version, error)
        return self._part(problem)

    def _last_valid_version(self) -> str:
        """Return the id of the last valid version; empty if it is not known."""
        storage = open_stack_storage(self._clients, self._environ)
        try:
            return read_state(storage).config_version
        except StorageError as error:
            _log.warning("which configuration was good last is not known: %s", error)
            return ""

    def _part(self, problem: ConfigError) -> ActiveConfig:
        if not isinstance(problem.usable_config, Config):
            raise problem
        return ActiveConfig(config=self._here(problem.usable_config), error=problem)

    def _read(self, name: str, body: bytes) -> Config:
        return self._here(configuration.read(name, body, registered_kinds(), self._environ))

    def _here(self, config: Config) -> Config:
        # A negative number has been warned of; on one machine it stops whoever checks.
        usable = replace(config, concurrent_checks=max(0, config.concurrent_checks))
        return adapt_config(usable, self._environ)
