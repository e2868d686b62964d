"""The configuration: text -> tree with positions -> typed values, every problem with its place."""

from __future__ import annotations

from collections.abc import Mapping

from checkup.config import files
from checkup.config.document import build_config
from checkup.config.environment import VariableExpander
from checkup.config.json_text import parse_json
from checkup.config.reading import SettingsReader
from checkup.config.settings import Config, Kinds

__all__ = ["Config", "Kinds", "load", "read"]


def load(path: str | None, kinds: Kinds, environ: Mapping[str, str]) -> Config:
    """Read the configuration.

    Args:
        path: the file; None for the ``checkup.json``, ``checkup.yaml`` or ``checkup.yml`` of
            the working directory.
        kinds: what can be configured.
        environ: what ``${NAME}`` stands for.

    Raises:
        ConfigError: with every problem that the file has.
    """
    name = files.find_config_file(path)
    return read(name, files.read_config_file(name), kinds, environ)


def read(name: str, body: bytes, kinds: Kinds, environ: Mapping[str, str]) -> Config:
    """Read the configuration from the bytes of a file, wherever they were found.

    Args:
        name: how the file is called in problems; its ending says whether it is YAML.
        kinds, environ: as for :func:`load`.

    Raises:
        ConfigError: with every problem that the file has.
    """
    report = files.decode_source(name, body)
    if files.is_yaml(name):
        from checkup.config.yaml_text import parse_yaml  # noqa: PLC0415 - most files are JSON

        root = parse_yaml(report)
    else:
        root = parse_json(report)
    return build_config(root, kinds, SettingsReader(report, VariableExpander(environ)))
