"""Whom an announcement is about: components and groups by their names, or an advice."""

from __future__ import annotations

from collections.abc import Sequence

import click

from checkup import selection
from checkup.cli.choosing import complete_checkers
from checkup.cli.flags import Decorator
from checkup.config.nearest import Nearest
from checkup.config.settings import Config
from checkup.errors import CheckupError

component_option: Decorator = click.option(
    "--component",
    "components",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_checkers,
    help="The title or id of a checker that it is about; as often as needed.",
)

group_option: Decorator = click.option(
    "--group", "groups", multiple=True, metavar="NAME", help="A whole group, likewise."
)


def checker_ids(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids of the checkers that are named; none without names.

    Raises:
        CheckupError: a name that no checker has.
    """
    try:
        chosen = selection.select_checkers(config.checkers, names) if names else ()
    except LookupError as error:
        raise CheckupError(str(error)) from error
    return tuple(checker.id for checker in chosen)


def group_names(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    """Return the groups that are named, as the configuration spells them.

    Raises:
        CheckupError: a name that no group has.
    """
    known = {checker.group for checker in config.checkers} | {it.name for it in config.groups}
    by_name = {name.casefold(): name for name in known if name}
    for name in names:
        if name.casefold() not in by_name:
            advice = Nearest(by_name.values()).advice(name)
            raise CheckupError("; ".join(filter(None, [f'no group "{name}"', advice])))
    return tuple(by_name[name.casefold()] for name in names)
