"""What every command that reads the configuration begins with."""

from __future__ import annotations

import os

import click

from checkup import bootstrap
from checkup.cli import terminal
from checkup.cli.flags import STACK
from checkup.config.settings import Config


def read_config(path: str | None) -> Config:
    """Read the configuration: the file's, or that of the stack which ``--stack`` names.

    From then on this process works on the storage of that stack.

    Raises:
        ConfigError: with every problem of the file.
        CheckupError: there is no such stack, or it may not be looked at.
    """
    context = click.get_current_context(silent=True)
    stack = context.meta.get(STACK) if context else None
    if stack is None:
        return bootstrap.read_config(path, os.environ)
    from checkup.cli.deployed import open_stack  # noqa: PLC0415 - few look at stacks

    return open_stack(stack, path)


def load_config(path: str | None, *, verbose: bool, quiet: bool = False) -> Config:
    """Read the configuration, say on stderr what it warns of, and open the log.

    Args:
        verbose: ``-v`` was given.
        quiet: keep the warnings for ``-v``, for a command that cron may run each minute.

    Raises:
        ConfigError: with every problem of the file.
    """
    terminal.configure_logging(verbose=verbose)
    config = read_config(path)
    if verbose or not quiet:
        for warning in config.warnings:
            terminal.log_line(f"warning: {warning}")
    return config
