"""The page about security: what is asked for, the tests that show it, and how to look oneself.

The rows are in ``security.txt``. A test names one as ``s5_3`` anywhere in its name, or as ``S5.3``
in the id of its parameters; a row names the faults whose tests show it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from tests.papers import tables

PAGE: Final = "docs/security.md"

_ROW = re.compile(r"(?<![A-Za-z0-9])([SsXx][0-9]{1,2})(?:[._]([0-9]))?(?![A-Za-z0-9])")
_HEAD = """\
# Security: what is asked of it, and the tests that would notice

The rows follow OWASP's *Serverless Top 10* (S1 to S10) and, with an X, the risks of a program that
looks at other people's addresses. Of the controls of AWS Security Hub the template meets S3.5 (TLS
only), S3.8 (no public access), Lambda.1 (no public policy), Lambda.2 (a supported runtime) and, for
CloudFront, access to the origin by the distribution alone; that is their numbering, not the rows'.

This page is made of the tests' names by `python -m tests.papers`; do not edit it.
"""
_LOOK = """\

## Look for yourself

Of a stack that is deployed, with rights of your own to read:

```sh
STACK=checkup
AWS_REGION=eu-central-1
export AWS_REGION
output() {
  aws cloudformation describe-stacks --stack-name "$STACK" --output text \\
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"
}
about() { aws lambda get-function-configuration --function-name "$1" --query "$2" --output text; }
FN=$(output CheckFunctionName)
STATE=$(output StateBucketName)
PAGE_BUCKET=$(output PageBucketName)
PAGE=$(output PageHost)
FN_ARN=$(about "$FN" FunctionArn)
ROLE=$(about "$FN" Role)
PUBLISH_ROLE=$(about "$(output PublishFunctionName)" Role)
LOGS=$(about "$FN" LoggingConfig.LogGroup)
ACCOUNT=$(aws sts get-caller-identity --query Account --output text)
```
"""


class Command(NamedTuple):
    """What an operator can ask, and what the answer should be."""

    text: str
    answer: str


class Row(Struct, frozen=True):
    """One line of the list.

    Attributes:
        because: where we answer differently, or what else there is to know.
        faults: rows of the catalogue of faults whose tests show this too.
    """

    section: str
    id: str
    text: str
    faults: tuple[str, ...]
    because: str
    commands: tuple[Command, ...]


def rows() -> tuple[Row, ...]:
    """Return what is asked for."""
    section, found = "", []
    for entry in _entries():
        if entry[0].startswith("= "):
            section = entry[0][2:]
        else:
            found.append(_row(section, *entry))
    return tuple(found)


def ids(test: str) -> set[str]:
    """Return the rows that a test's id names."""
    name = test.partition("::")[2]
    named = {f"{big}.{small}" if small else big for big, small in _ROW.findall(name)}
    return {row.upper() for row in named} & {row.id for row in rows()}


def table(tests: Sequence[str]) -> str:
    """Return the page."""
    listed = rows()
    found = _found(listed, tests)
    lines = [_HEAD, tables.count(listed, found)]
    for section in dict.fromkeys(row.section for row in listed):
        lines += [f"\n## {section}\n", "| row | what is asked for | tests |", "|---|---|---|"]
        lines += [_line(row, found) for row in listed if row.section == section]
    return "\n".join([*lines, _LOOK, *_commands(listed)])


def _found(listed: Sequence[Row], tests: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the tests of each row: those that name it first, then those of its faults."""
    named = tables.by_row(tests, ids)
    faults = tables.by_row(tests, tables.fault_ids)
    shown = {
        row.id: [*named.get(row.id, []), *(it for fault in row.faults for it in faults[fault])]
        for row in listed
    }
    return {row: list(dict.fromkeys(functions)) for row, functions in shown.items() if functions}


def _line(row: Row, found: Mapping[str, list[str]]) -> str:
    because = f"; {row.because}" if row.because else ""
    return f"| {row.id} | {row.text}{because} | {tables.shown(found.get(row.id, []))} |"


def _commands(listed: Sequence[Row]) -> Iterator[str]:
    for row in listed:
        if row.commands:
            asked = (f"{command.text}\n# {command.answer}" for command in row.commands)
            yield "\n".join([f"{row.id}: {row.text}", "", "```sh", *asked, "```", ""])


def _entries() -> Iterator[list[str]]:
    """Yield each line of the list with the indented lines that belong to it."""
    entry: list[str] = []
    for line in (tables.HERE / "security.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            entry.append(line.strip())
        elif line and not line.startswith("#"):
            yield from [entry] if entry else []
            entry = [line]
    yield entry


def _row(section: str, line: str, *more: str) -> Row:
    name, _, text = line.partition(" ")
    said = {word: rest for word, _, rest in (it.partition(" ") for it in more) if word != "$"}
    commands = (it[2:].rpartition("  # ") for it in more if it.startswith("$ "))
    return Row(
        section=section,
        id=name,
        text=text,
        faults=tuple(said.get("faults", "").split()),
        because=said.get("because", ""),
        commands=tuple(Command(text, answer) for text, _, answer in commands),
    )
