"""``checkup schema``: what an editor has to know of the configuration."""

from __future__ import annotations

import json

import click

from checkup.cli.flags import examples_epilog


@click.command(
    epilog=examples_epilog(
        "checkup schema > checkup.schema.json", "checkup schema | jq .properties"
    ),
)
def schema() -> int:
    """Print the JSON Schema of the configuration, made of what this version reads.

    `checkup init` keeps it in a file and names that in the first line of the configuration,
    where editors look for it. Afterwards this command renews the file.
    """
    print(schema_json(), end="")
    return 0


def schema_json() -> str:
    """Return the schema as the content of a file."""
    from checkup.bootstrap import registered_kinds  # noqa: PLC0415 - brings in what reads the configuration
    from checkup.config.schema import config_schema as schema_for  # noqa: PLC0415 - the same

    return json.dumps(schema_for(registered_kinds()), indent=2, ensure_ascii=False) + "\n"
