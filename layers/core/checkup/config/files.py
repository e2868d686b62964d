"""Finds the configuration file and reads its text."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import NoReturn

from checkup.config.report import Diagnostics
from checkup.errors import ConfigError, Problem

DEFAULT_FILE_NAMES = ("checkup.json", "checkup.yaml", "checkup.yml")
"""The names that are looked for in the working directory."""

_YAML = frozenset({".yaml", ".yml"})
_LARGEST = 4 * 1024 * 1024
_REPLACEMENT = "\ufffd"


def find_config_file(path: str | None) -> str:
    """Return the name of the file to read.

    Raises:
        ConfigError: there are several.
    """
    if path is not None:
        return path
    found = [name for name in DEFAULT_FILE_NAMES if Path(name).exists()]
    if len(found) > 1:
        text = f"{' and '.join(found)} are both here"
        raise ConfigError([Problem(file="", text=text, fix="keep one, or name one with -c")])
    return found[0] if found else DEFAULT_FILE_NAMES[0]


def is_yaml(name: str) -> bool:
    """Whether the file is YAML; everything else is JSON, as in the Go program."""
    return Path(name).suffix.lower() in _YAML


def read_config_file(name: str) -> bytes:
    """Return the file's bytes, one more than allowed if there are too many.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        with Path(name).open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        _unreadable(name, error)


def decode_source(name: str, body: bytes) -> Diagnostics:
    """Return an empty report about the text of a file.

    Invalid UTF-8 becomes U+FFFD byte by byte, as Go does it, with a warning.

    Raises:
        ConfigError: it is too large, or is not UTF-8 at all.
    """
    if len(body) > _LARGEST:
        _refuse(name, f"is larger than {_LARGEST // 1024 // 1024} MiB")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        _refuse(name, "is UTF-16", "save it as UTF-8")
    if body.startswith(codecs.BOM_UTF8) and not is_yaml(name):
        _refuse(name, "begins with a byte order mark", "save it as UTF-8 without BOM")
    text = body.removeprefix(codecs.BOM_UTF8).decode("utf-8", _handler)
    report = Diagnostics(name, text)
    if _REPLACEMENT in text and not _is_utf8(body):
        at = text.index(_REPLACEMENT)
        report.warn(at, "", "bytes that are not UTF-8", "save the file as UTF-8")
    return report


def _replace_byte(error: UnicodeError) -> tuple[str, int]:
    """Replace one byte and go on with the next; Python's own handler takes several at once."""
    if isinstance(error, UnicodeDecodeError):
        return _REPLACEMENT, error.start + 1
    raise error


_handler = "checkup.replace-byte"
codecs.register_error(_handler, _replace_byte)


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unreadable(name: str, error: OSError) -> NoReturn:
    """Say it as the Go program does: ``open NAME: no such file or directory``."""
    reason = os.strerror(error.errno).lower() if error.errno else "it cannot be read"
    fix = (
        "run: checkup init, or name another with -c" if isinstance(error, FileNotFoundError) else ""
    )
    raise ConfigError([Problem(file="", text=f"open {name}: {reason}", fix=fix)]) from error


def _refuse(name: str, text: str, fix: str = "") -> NoReturn:
    raise ConfigError([Problem(file=name, line=1, column=1, text=text, fix=fix)])
