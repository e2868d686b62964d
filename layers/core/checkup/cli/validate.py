"""``checkup validate``: everything that is wrong with a configuration, at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import click

from checkup.cli import session, terminal
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.config.settings import Config
from checkup.errors import ConfigError, Problem


@click.command(
    epilog=examples_epilog("checkup validate", "checkup -c shop.yaml validate --strict"),
)
@config_options
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@verbose_option
def validate(config_file: str | None, *, strict: bool, verbose: bool) -> int:
    """Read the configuration and print every problem and warning with its line and the fix.

    Nothing is checked, opened or sent. The exit code is 0 if the file can be used.
    """
    terminal.configure_logging(verbose=verbose)
    try:
        config = session.read_config(config_file)
    except ConfigError as error:
        _print(error.problems, error.warnings)
        print(
            _count(len(error.problems), "problem"), _count(len(error.warnings), "warning"), sep=", "
        )
        return 1
    _print((), config.warnings)
    print(_summary(config))
    return 1 if strict and config.warnings else 0


def _print(problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    """Print both in the order of the file, in a form from which editors jump to the place."""
    lines = [(problem.line, problem.column, str(problem)) for problem in problems]
    lines += [(warning.line, warning.column, f"{warning} (warning)") for warning in warnings]
    for *_, line in sorted(lines):
        print(line)


def _summary(config: Config) -> str:
    checkers = _count(len(config.checkers), "checker")
    kinds = _kinds(checker.kind for checker in config.checkers)
    storage = config.storage.kind if config.storage else "none"
    channels = _kinds(notifier.kind for notifier in config.notifiers) or "none"
    return (
        f"{config.path}: {_count(len(config.warnings), 'warning')}; {checkers}"
        f"{f' ({kinds})' if kinds else ''}, storage: {storage}, notifiers: {channels}"
    )


def _kinds(kinds: Iterable[str]) -> str:
    return ", ".join(
        kind if number == 1 else f"{number} {kind}" for kind, number in Counter(kinds).items()
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
