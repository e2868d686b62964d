"""The configuration of the stack, and a word in the log where it is not as it should be."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from checkup.bootstrap import ActiveConfig, DeployedConfigReader
from checkup.errors import CheckupError, ConfigError

_log = logging.getLogger(__name__)


class FunctionConfig:
    """What counts at the moment, for functions that serve event after event.

    Attributes:
        first: what counted when the function started; None if that could not be found out.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._deployed = DeployedConfigReader(environ)
        self._warned: ActiveConfig | None = None
        self.first = self._read_ahead()

    def current(self) -> ActiveConfig:
        """Return what counts; complain with each event for which that is not what it should be.

        The stack's alarm for an unreadable configuration counts these complaints.

        Raises:
            ConfigError: nothing counts.
            StorageError: S3 could not be asked.
        """
        try:
            counted = self._deployed.current()
        except ConfigError as error:
            _complain(error, "nothing is checked")
            raise
        if counted.problem is not None:
            _complain(counted.problem, _instead(counted))
        elif counted is not self._warned:
            for warning in counted.config.warnings:
                _log.warning(str(warning))
        self._warned = counted
        return counted

    def _read_ahead(self) -> ActiveConfig | None:
        """Do what takes processor time while the function starts, when it has most of it."""
        try:
            return self._deployed.current()
        except CheckupError:
            return None  # said with each event


def _complain(problem: ConfigError, instead: str) -> None:
    extra = {"unreadable_config": 1, "problems": str(problem).splitlines(), "instead": instead}
    _log.error("the configuration cannot be used", extra=extra)


def _instead(counted: ActiveConfig) -> str:
    if counted.version:
        return f"its version {counted.version} counts"
    return "the checkers that are right are run, and the others are unknown"
