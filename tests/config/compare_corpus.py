"""Compares a folder of configurations with a folder of the parses that are expected.

    python tests/config/compare_corpus.py CONFIGS EXPECTED

Both hold files of the same names. An expected parse is an object with ``checkers``, ``storage``
and ``notifiers`` as lists of what each sets, ``concurrent_checks``, ``timestamp``, ``warnings``
and ``error``. Comments and trailing commas, which are an error there, are a warning here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import NODEFAULT, Struct, structs

from checkup.checkers import CHECKERS
from checkup.config import Config, Kinds, load
from checkup.errors import ConfigError, Problem
from checkup.interfaces import Checker
from checkup.notifiers import NOTIFIERS
from checkup.storage import STORAGES

_KINDS = Kinds(checkers=CHECKERS, storages=STORAGES, notifiers=NOTIFIERS)
_GO_SHARED = {"endpoint_name", "endpoint_url", "threshold_rtt", "attempts", "attempt_spacing"}
_OURS = {info.name for info in structs.fields(Checker)} - _GO_SHARED
_TOLERATED = ("trailing comma", "// comment")


def main(arguments: Sequence[str]) -> int:
    """Print what differs and return 1 if anything does."""
    configs, expected = (Path(argument) for argument in arguments)
    differing = 0
    names = sorted(path.name for path in expected.glob("*.json"))
    for name in names:
        said = list(compare(configs / name, json.loads((expected / name).read_text())))
        differing += any(not line.startswith("more tolerant") for line in said)
        for line in said:
            print(f"{name}: {line}")
    print(f"{len(names) - differing} of {len(names)} agree")
    return 1 if differing or not names else 0


def compare(path: Path, expected: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference between a file's parse and the one that is expected."""
    error = expected["error"] or ""
    tolerated = any(word in error for word in _TOLERATED)
    try:
        config = load(str(path), _KINDS, {})
    except ConfigError as refusal:
        yield from _compare_refusal(error, refusal)
        yield from _compare_warnings(expected["warnings"], refusal.warnings, config=None)
        return
    if tolerated:
        yield f"more tolerant: {error}"
    elif error:
        yield f"should be refused: {error}"
    yield from _compare_config(expected, config)
    yield from _compare_warnings(expected["warnings"], config.warnings, config)


def _compare_refusal(error: str, refusal: ConfigError) -> Iterator[str]:
    if not error:
        yield f"should load: {refusal}"
    elif error.startswith("unknown") and not any(
        problem.text.startswith(error) for problem in refusal.problems
    ):
        yield f"should say {error!r}: {refusal}"
    if not all(problem.line and problem.file for problem in refusal.problems):
        yield f"a problem without a place: {refusal}"


def _compare_config(expected: Mapping[str, Any], config: Config) -> Iterator[str]:
    if len(expected["checkers"]) != len(config.checkers):
        yield f"{len(config.checkers)} checkers instead of {len(expected['checkers'])}"
    for index, (wanted, checker) in enumerate(
        zip(expected["checkers"], config.checkers, strict=False)
    ):
        yield from _compare_settings(f"checkers[{index}]", wanted, checker)
    yield from _compare_settings("storage", expected["storage"], config.storage)
    if len(expected["notifiers"]) != len(config.notifiers):
        yield f"{len(config.notifiers)} notifiers instead of {len(expected['notifiers'])}"
    for wanted, notifier in zip(expected["notifiers"], config.notifiers, strict=False):
        yield from _compare_settings("notifier", wanted, notifier)
    if config.concurrent_checks != (expected["concurrent_checks"] or 0):
        yield f"concurrent_checks is {config.concurrent_checks}"
    if config.timestamp != (expected["timestamp"] or 0):
        yield f"timestamp is {config.timestamp}"


def _compare_settings(
    where: str, wanted: Mapping[str, Any] | None, found: Struct | None
) -> Iterator[str]:
    if wanted is None or found is None:
        if wanted or found:
            yield f"{where} is {found!r} instead of {wanted!r}"
        return
    if found.kind != wanted["type"]:  # type: ignore[attr-defined]
        yield f"{where} is of another type"
    for info in structs.fields(found):
        value = getattr(found, info.name)
        default = info.default if info.default_factory is NODEFAULT else info.default_factory()
        if info.encode_name in wanted:
            yield from _compare_value(
                f"{where}.{info.encode_name}", wanted[info.encode_name], value
            )
        elif not (isinstance(found, Checker) and info.name in _OURS) and value != default:
            yield f"{where}.{info.encode_name} is {value!r}"
    known = {info.encode_name for info in structs.fields(found)} | {"type"}
    for key in wanted.keys() - known:
        yield f"{where}.{key} is not read"


def _compare_value(where: str, wanted: object, value: object) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(value, Struct):
        for key, part in wanted.items():
            yield from _compare_value(f"{where}.{key}", part, getattr(value, key))
    elif wanted != _plain(value):
        yield f"{where} is {value!r} instead of {wanted!r}"


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return value


def _compare_warnings(
    wanted: Sequence[str], warnings: Sequence[Problem], config: Config | None
) -> Iterator[str]:
    """Compare the warnings of unknown keys and nameless notifiers; the others are not ours."""
    ours = {info.encode_name for info in structs.fields(Checker)}
    unknown = [text.split("'")[1] for text in wanted if "is not a field of" in text]
    found = [problem.key.rpartition(".")[2] for problem in warnings if "ignored" in problem.text]
    for name in {*unknown, *found} - ours:
        # Below a kind that is unknown nothing is read, so there is less to warn of.
        if found.count(name) != unknown.count(name) and config is not None:
            yield f"{found.count(name)} warnings of {name!r} instead of {unknown.count(name)}"
    if any("empty name" in text for text in wanted) and not any(
        "empty name" in problem.text for problem in warnings
    ):
        yield "no warning of an empty name"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
