"""What every command that reads the configuration begins with."""

from __future__ import annotations

import os

from checkup import bootstrap
from checkup.cli import terminal
from checkup.config.settings import Config


def read(path: str | None) -> Config:
    """Read the configuration and say nothing.

    Raises:
        ConfigError: with every problem of the file.
    """
    return bootstrap.read_config(path, os.environ)


def begin(path: str | None, *, verbose: bool, quiet: bool = False) -> Config:
    """Read the configuration, say on stderr what it warns of, and open the log.

    Args:
        verbose: ``-v`` was given.
        quiet: keep the warnings for ``-v``, for a command that cron may run each minute.

    Raises:
        ConfigError: with every problem of the file.
    """
    terminal.prepare(verbose=verbose)
    config = read(path)
    if verbose or not quiet:
        for warning in config.warnings:
            terminal.say(f"warning: {warning}")
    return config
