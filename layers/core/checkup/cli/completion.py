"""``checkup completion``: the script that teaches a shell the words of this program."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from checkup.cli.flags import examples_epilog
from checkup.errors import CheckupError

_SHELLS: Final = ("bash", "zsh", "fish")
COMPLETION_VARIABLE: Final = "_CHECKUP_COMPLETE"


@click.command(
    epilog=examples_epilog(
        'eval "$(checkup completion bash)"                # in ~/.bashrc',
        'eval "$(checkup completion zsh)"                 # in ~/.zshrc',
        "checkup completion fish > ~/.config/fish/completions/checkup.fish",
    ),
)
@click.argument("shell", metavar="bash|zsh|fish")
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that completes commands, flags, titles and ids in a shell."""
    kind = get_completion_class(shell) if shell in _SHELLS else None
    if kind is None:
        raise CheckupError(f'no completion for "{shell}"; there is one for {", ".join(_SHELLS)}')
    program = context.find_root().command
    print(kind(program, {}, "checkup", COMPLETION_VARIABLE).source())
    return 0
