"""The flags that several commands share, and the shape of their help."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from checkup.cli.moments import parse_month

VERBOSE = "checkup.verbose"
"""Key of the contexts' shared notes: whether ``-v`` was given."""

STACK = "checkup.stack"
"""Key of the contexts' shared notes: the stack that ``--stack`` named."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_config: Decorator = click.option(
    "-c",
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(),
    help="The configuration; else checkup.json, checkup.yaml or checkup.yml.",
)


def _remember_stack(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value == "":  # else a variable that is not set would mean the files of this machine
        raise click.BadParameter("the name of the stack is empty.")
    if value is not None:
        context.meta[STACK] = value


def _set_aws(context: click.Context, parameter: click.Parameter, value: str | None) -> None:  # noqa: ARG001
    """Choose credentials or region as everybody does: by the variable that AWS's own tools read."""
    if value:
        os.environ[f"AWS_{(parameter.name or '').upper()}"] = value


_stack: Decorator = click.option(
    "--stack",
    metavar="NAME",
    expose_value=False,
    callback=_remember_stack,
    help="Work on a deployed stack: its storage, its configuration.",
)
_region: Decorator = click.option(
    "--region", metavar="REGION", expose_value=False, callback=_set_aws, help="Where on AWS."
)
_profile: Decorator = click.option(
    "--profile",
    metavar="NAME",
    expose_value=False,
    callback=_set_aws,
    help="Whose AWS credentials.",
)


def config_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command be told which configuration to read: from a file, or that of a stack."""
    return _config(_stack(_region(_profile(command))))


def _note(context: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click
    context.meta[VERBOSE] = value
    return value


verbose_option: Decorator = click.option(
    "-v", "--verbose", is_flag=True, callback=_note, help="Say more, on stderr."
)


def examples_epilog(*lines: str) -> str:
    """Return the epilog of a command's help; click leaves its line breaks alone."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def month_flag(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--month``, for what began longer ago than what commands look through unasked."""
    return click.option(
        "--month",
        metavar="YYYY-MM",
        callback=lambda _context, _parameter, text: parse_month(text) if text else None,
        help="The month in which it began, if that is more than three months ago.",
    )(command)
