"""Commands about the configuration file: ``init``, ``validate`` and ``schema``."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click
import yaml

from checkup import DISTRIBUTION
from checkup.cli import options, output
from checkup.cli.options import STACK, config_options, examples_epilog, verbose_option
from checkup.cli.output import plural
from checkup.errors import CheckupError, ConfigError, Problem

if TYPE_CHECKING:
    from checkup.config.settings import Config

# ``checkup init``: a configuration to start from.


SCHEMA_FILE: Final = "checkup.schema.json"


@click.command(
    epilog=examples_epilog(
        "checkup init",
        "checkup init https://www.example.com db.internal:5432",
        "checkup init --json",
    ),
)
@click.option("--json", "as_json", is_flag=True, help="Write checkup.json, without comments.")
@click.argument("addresses", nargs=-1, metavar="[ADDRESS ...]")
def init(*, as_json: bool, addresses: tuple[str, ...]) -> int:
    """Write a commented checkup.yaml, and the JSON Schema with which editors validate it.

    Each ADDRESS, a URL or host:port, becomes a checker. Existing files are never overwritten.
    """
    from checkup.config.source import DEFAULT_FILE_NAMES  # what reads the configuration

    present = [name for name in DEFAULT_FILE_NAMES if Path(name).exists()]
    if present:
        raise CheckupError(f"{present[0]} already exists; to validate it, run: checkup validate")
    name = DEFAULT_FILE_NAMES[0] if as_json else DEFAULT_FILE_NAMES[1]
    text = starter_yaml(addresses)
    _write(name, starter_json(text) if as_json else text)
    written = [name]
    if not Path(SCHEMA_FILE).exists():
        _write(SCHEMA_FILE, schema_json())
        written.append(SCHEMA_FILE)
    print(f"written: {', '.join(written)}")
    own = "" if addresses else f"edit {name}, then "
    print(f"Next: {own}run the checks with: checkup")
    return 0


def _write(name: str, text: str) -> None:
    try:
        with Path(name).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CheckupError(f"{name} cannot be written: {error.strerror}") from error


# ``checkup schema``: the configuration's JSON Schema.


@click.command(
    epilog=examples_epilog(
        "checkup schema > checkup.schema.json", "checkup schema | jq .properties"
    ),
)
def schema() -> int:
    """Print the JSON Schema of this version's configuration.

    `checkup init` writes it to checkup.schema.json and refers to it in the first line of the
    configuration, where editors look for it. After an upgrade, write the file again.
    """
    print(schema_json(), end="")
    return 0


def schema_json() -> str:
    """Return the schema as the content of a file."""
    from checkup.app import registered_kinds  # brings in what reads the configuration
    from checkup.config.schema import config_schema as schema_for  # the same

    return json.dumps(schema_for(registered_kinds()), indent=2, ensure_ascii=False) + "\n"


# The first configuration. In its comments, ``# `` begins an explanation; any other ``#`` switches
# a line of configuration off, and the line works without that sign.


_SCHEMA: Final = f"./{SCHEMA_FILE}"

_HEAD: Final = f"""\
# yaml-language-server: $schema={_SCHEMA}
#
# Configuration of Checkup. Validate it:             checkup validate
# Run every check once:                              checkup
# Run checks each minute, store them, send alerts:   checkup every 1m
# Serve the status page:                             checkup serve

# A checker has a type (http, tcp, tls, dns, exec ...), a name, an address and options. An option
# at the top level, such as this one, applies to all checkers.
#timeout: 5s

checkers:
"""

_WEBSITE: Final = """\
  - type: http
    endpoint_name: {name}
    endpoint_url: {address}
"""

_WEBSITE_MORE: Final = """\
    # A string that the page must contain, and the response time above which it is degraded:
    #must_contain: Example
    #threshold_rtt: 2s
    # Try twice in each run. One failed attempt is down; a failed run is rechecked before it counts.
    #attempts: 2
"""

_PORT: Final = """\
  - type: tcp
    endpoint_name: {name}
    endpoint_url: {address}
"""

_TAIL: Final = """\
  # Whether a port accepts connections, and when a certificate expires:
  #- type: tcp
  #  endpoint_name: Database
  #  endpoint_url: "db.example.com:5432"
  #- type: tls
  #  endpoint_name: Certificate
  #  endpoint_url: "www.example.com:443"

# Store results in a folder next to this file, for thirty days.
storage:
  type: fs
  dir: checks
  check_expiry: 720h

# Where to send alerts. The webhook is a secret: it comes from the environment variable
# SLACK_WEBHOOK.
#notifiers:
#  - type: slack
#    webhook: ${SLACK_WEBHOOK}

page:
  title: Status
"""


def starter_yaml(addresses: Iterable[str]) -> str:
    """Return a checkup.yaml with a checker for each of these addresses, or with an example."""
    checkers = "".join(_checker(address) for address in addresses)
    if not checkers:
        checkers = _checker("https://www.example.com") + _WEBSITE_MORE
    return f"{_HEAD}{checkers}\n{_TAIL}"


def starter_json(text: str) -> str:
    """Return the same configuration as a checkup.json."""
    content = {"$schema": _SCHEMA, **yaml.safe_load(text)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _checker(address: str) -> str:
    """Return the checker of a URL or of ``host:port``; a bare name is a website."""
    if "://" in address:
        name, form = urlsplit(address).netloc.rpartition("@")[2], _WEBSITE
    elif ":" in address:
        name, form = address, _PORT
    else:
        name, form, address = address, _WEBSITE, f"https://{address}"
    return form.format(name=_quoted(name), address=_quoted(address))


def _quoted(text: str) -> str:
    """Return a text as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)


# ``checkup validate``: all problems and warnings of a configuration.


@click.command(
    epilog=examples_epilog("checkup validate", "checkup -c shop.yaml validate --strict"),
)
@config_options
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@verbose_option
def validate(config_file: str | None, *, strict: bool, verbose: bool) -> int:
    """Print every problem and warning of the configuration, with its line and a fix.

    A problem makes the file invalid for every command: the exit code is 1. A warning is something
    that cannot work or is probably a slip; a checker that can never succeed is unknown in each run
    and does not affect the others. With --strict, the exit code is 1 on warnings too.

    Nothing is checked, opened or sent. With --stack, the Python of its functions is validated too.
    """
    output.configure_logging(verbose=verbose)
    try:
        config = options.read_config(config_file)
    except ConfigError as error:
        _print_problems(error.problems, error.warnings)
        problems, warnings = len(error.problems), len(error.warnings)
        print(f"{plural(problems, 'problem')}, {plural(warnings, 'warning')}")
        return 1
    warnings_found = [*config.warnings, *_further_warnings(config)]
    _print_problems((), warnings_found)
    if other_project_installed():
        print(OTHER_PROJECT, file=sys.stderr)
    checkers = plural(len(config.checkers), "checker")
    kinds = _kinds(checker.kind for checker in config.checkers)
    storage = config.storage.kind if config.storage else "none"
    channels = _kinds(notifier.kind for notifier in config.notifiers) or "none"
    print(
        f"{config.path}: {plural(len(warnings_found), 'warning')}; {checkers}"
        f"{f' ({kinds})' if kinds else ''}, storage: {storage}, notifiers: {channels}"
    )
    return 1 if strict and warnings_found else 0


def _further_warnings(config: Config) -> Iterator[Problem]:
    """Yield warnings that other commands do not print."""
    if not config.checkers:
        text, fix = "nothing is checked", 'add {"type": "http", "endpoint_url": "https://..."}'
        yield Problem(file=config.path, line=1, column=1, key="checkers", text=text, fix=fix)
    stack = click.get_current_context().meta.get(STACK)
    if stack is not None:
        from checkup.cli.stack import describe_stack, retiring_python  # imports boto3

        runtime = describe_stack(stack).parameters.get("PythonRuntime", "")
        if found := retiring_python(runtime, datetime.now(UTC).date()):
            yield Problem(file=stack, key="PythonRuntime", text=found[0], fix=found[1])


OTHER_PROJECT: Final = (
    "the package 'checkup' of another project is installed beside this program and may overwrite "
    f"its files; to repair: pip uninstall checkup {DISTRIBUTION}, then install Checkup again"
)


def other_project_installed() -> bool:
    """Whether PyPI's ``checkup``, which is not this program, lies in the same environment."""
    for found in metadata.distributions(name="checkup"):
        # Before 0.2.0, this program was installed under that name.
        if not any(script.value == "checkup.cli:main" for script in found.entry_points):
            return True
    return False


def _print_problems(problems: Sequence[Problem], warnings: Sequence[Problem]) -> None:
    """Print both in the order of the file, in a form from which editors jump to the line."""
    lines = [(problem.line, problem.column, str(problem)) for problem in problems]
    lines += [(warning.line, warning.column, f"{warning} (warning)") for warning in warnings]
    for *_, line in sorted(lines):
        print(line)


def _kinds(kinds: Iterable[str]) -> str:
    return ", ".join(
        kind if number == 1 else f"{number} {kind}" for kind, number in Counter(kinds).items()
    )
