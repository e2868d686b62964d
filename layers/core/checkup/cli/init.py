"""``checkup init``: a configuration to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from checkup.cli.flags import examples_epilog
from checkup.errors import CheckupError

SCHEMA_FILE: Final = "checkup.schema.json"


@click.command(
    epilog=examples_epilog(
        "checkup init",
        "checkup init https://www.example.com db.internal:5432",
        "checkup init --json",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Write a checkup.json, without comments.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS ...]")
def init(*, as_json: bool, addresses: tuple[str, ...]) -> int:
    """Write a checkup.yaml with comments, and the schema that an editor checks it by.

    Each ADDRESS, a URL or host:port, becomes a checker. Nothing is ever overwritten.
    """
    from checkup.cli.starter import starter_json, starter_yaml  # noqa: PLC0415 - brings in YAML
    from checkup.config.files import DEFAULT_FILE_NAMES  # noqa: PLC0415 - what reads the configuration

    present = [name for name in DEFAULT_FILE_NAMES if Path(name).exists()]
    if present:
        raise CheckupError(f"{present[0]} is here already; to look at it, run: checkup validate")
    name = DEFAULT_FILE_NAMES[0] if as_json else DEFAULT_FILE_NAMES[1]
    text = starter_yaml(addresses)
    _write(name, starter_json(text) if as_json else text)
    written = [name, *_write_schema()]
    print(f"written: {', '.join(written)}")
    own = "" if addresses else f"put your own addresses into {name}, then "
    print(f"Next: {own}look at them with: checkup")
    return 0


def _write_schema() -> list[str]:
    if Path(SCHEMA_FILE).exists():
        return []
    from checkup.cli.schema import schema_json  # noqa: PLC0415 - imports every kind

    _write(SCHEMA_FILE, schema_json())
    return [SCHEMA_FILE]


def _write(name: str, text: str) -> None:
    try:
        with Path(name).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CheckupError(f"{name} cannot be written: {error.strerror}") from error
