"""The flags that several commands share, and the shape of their help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

VERBOSE = "checkup.verbose"
"""Key of the contexts' shared notes: whether ``-v`` was given."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

config_flag: Decorator = click.option(
    "-c",
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(),
    help="The configuration; else checkup.json, checkup.yaml or checkup.yml.",
)


def _note(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click
    context.meta[VERBOSE] = value
    return value


verbose_flag: Decorator = click.option(
    "-v", "--verbose", is_flag=True, callback=_note, help="Say more, on stderr."
)


def examples(*lines: str) -> str:
    """Return the epilog of a command's help; click leaves its line breaks alone."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
