"""Which command the arguments mean."""

from __future__ import annotations

from importlib import import_module

import click
import pytest

from checkup.cli.commands import (
    _TAKES_VALUE,
    _TAKES_VALUE_SHORT,
    COMMANDS,
    DEFAULT_COMMAND,
    move_command_first,
)


@pytest.mark.row("E11")
@pytest.mark.parametrize(
    ("arguments", "routed"),
    [
        pytest.param([], ["check"], id="nothing"),
        pytest.param(["--store"], ["check", "--store"], id="flags-alone"),
        pytest.param(["every", "1m"], ["every", "1m"], id="command"),
        pytest.param(["-c", "f", "every", "1m"], ["every", "-c", "f", "1m"], id="before"),
        pytest.param(["every", "-c", "f", "1m"], ["every", "-c", "f", "1m"], id="after"),
        pytest.param(["--config=f", "page", "d"], ["page", "--config=f", "d"], id="equals"),
        pytest.param(["-vc", "every", "page", "d"], ["page", "-vc", "every", "d"], id="cluster"),
        pytest.param(["-cevery", "serve"], ["serve", "-cevery"], id="value-joined"),
        pytest.param(["-c", "every"], ["check", "-c", "every"], id="value-is-no-command"),
        pytest.param(["api", "every"], ["check", "api", "every"], id="only-the-first-word"),
        pytest.param(["--", "page"], ["check", "--", "page"], id="after-two-dashes"),
        pytest.param(["-v", "-h"], ["-h"], id="help"),
        pytest.param(["every", "-h"], ["every", "-h"], id="help-of-a-command"),
        pytest.param(["-c", "f", "--version"], ["--version"], id="version"),
    ],
)
def test_first_word_decides(arguments: list[str], routed: list[str]) -> None:
    assert move_command_first(arguments) == routed


def test_every_flag_with_a_value_is_known() -> None:
    commands = [
        getattr(import_module(f"checkup.cli.{place.module}"), place.attribute)
        for place in (*COMMANDS.values(), DEFAULT_COMMAND)
    ]
    verbs = [it for command in commands for it in getattr(command, "commands", {}).values()]
    names = {
        name
        for command in (*commands, *verbs)
        for param in command.params
        if isinstance(param, click.Option) and not param.is_flag
        for name in param.opts
    }

    assert names == {*_TAKES_VALUE, *(f"-{letter}" for letter in _TAKES_VALUE_SHORT)}
