"""Loads a configuration: text, then a tree with positions, then typed settings.

Errors do not stop the reading: every problem is reported at once, each with its position.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import structs

from checkup.config import source
from checkup.config.checkers import (
    InvalidChecker,
    assign_ids,
    read_checkers,
    replace_invalid_checkers,
)
from checkup.config.digest import checker_digests, config_digest
from checkup.config.fields import FieldTable, SettingsReader, fields_of
from checkup.config.page import check_colors
from checkup.config.parse_json import parse_json
from checkup.config.sections import (
    read_concurrency,
    read_groups,
    read_notifiers,
    read_publish,
    read_quorum,
    read_storage,
    read_timestamp,
)
from checkup.config.settings import CHECKER_DEFAULT_KEYS, SIMPLE_KEYS, Config, Kinds
from checkup.config.source import Node, ObjectNode, describe, is_null
from checkup.config.validation import (
    CheckerNames,
    check_groups,
    check_notifiers,
    check_quorum,
    check_run_deadline,
    resolve_dependencies,
    resolve_maintenance,
)
from checkup.config.values import VariableExpander
from checkup.interfaces import Checker

_SECTIONS = (
    "checkers",
    "storage",
    "notifier",
    "notifiers",
    "publish",
    "groups",
    "concurrent_checks",
    "timestamp",
    "quorum",
)


def build_config(root: Node, kinds: Kinds, reading: SettingsReader) -> Config:
    """Return the configuration that a tree stands for.

    Raises:
        ConfigError: with every problem of the file.
    """
    if is_null(root):
        root = ObjectNode(root.offset, ())
    if not isinstance(root, ObjectNode):
        text = f"expected an object with a list of checkers, got {describe(root)}"
        reading.report.abort(root.offset, "", text, 'write {"checkers": [...]}')
    config = _read(root, kinds, reading)
    masks, shown = tuple(reading.environment.used_values), reading.environment.masked_texts
    config = structs.replace(
        config,
        digest=config_digest(config, masks, shown),
        checker_digests=checker_digests(config, masks, shown) if config.regions else {},
        warnings=reading.report.warnings,
        masked_values=masks,
        path=reading.report.file,
    )
    if reading.report.has_errors:
        reading.report.raise_errors(replace_invalid_checkers(config, reading.report.error_keys))
    return config


def _read(root: ObjectNode, kinds: Kinds, reading: SettingsReader) -> Config:
    members = reading.object_members(root, "")
    sections = {name: members.pop(name).value for name in _SECTIONS if name in members}
    values = reading.read_fields(_top_fields(), members, "").values
    defaults = {name: values.pop(name) for name in CHECKER_DEFAULT_KEYS if name in values}
    groups = read_groups(reading, sections.get("groups"))
    entries = read_checkers(reading, kinds.checkers, sections.get("checkers"), defaults, groups)
    check_groups(reading, entries, [group.settings.name for group in groups])
    named = assign_ids(reading, entries)
    complete = not any(isinstance(checker, InvalidChecker) for checker in named)
    names = CheckerNames(named, [group.settings.name for group in groups], complete=complete)
    if "reference_targets" in values:
        place, targets = members["reference_targets"].value, values["reference_targets"]
        values["reference_targets"] = names.resolve(reading, targets, place, "reference_targets")
    if "maintenance" in values:
        place, windows = members["maintenance"].value, values["maintenance"]
        values["maintenance"] = resolve_maintenance(reading, windows, place, names)
    channels = read_notifiers(reading, kinds.notifiers, sections)
    check_notifiers(reading, channels, named, complete=complete)
    config = Config(
        checkers=resolve_dependencies(reading, named, entries, names),
        storage=read_storage(reading, kinds.storages, sections.get("storage")),
        notifiers=tuple(channel.settings for channel in channels),
        publish=read_publish(reading, kinds.publishers, sections.get("publish")),
        groups=tuple(group.settings for group in groups),
        concurrent_checks=read_concurrency(reading, sections.get("concurrent_checks")),
        timestamp=read_timestamp(reading, sections.get("timestamp")),
        quorum=read_quorum(reading, sections.get("quorum")),
        **values,
    )
    check_run_deadline(reading, config, entries, members)
    if "quorum" in sections:
        check_quorum(reading, config, sections["quorum"])
    if "page" in members:
        check_colors(reading, config.page, members["page"].value)
    return config


@lru_cache(maxsize=1)
def _top_fields() -> FieldTable:
    own, shared = (
        fields_of(Config).select(SIMPLE_KEYS),
        fields_of(Checker).select(CHECKER_DEFAULT_KEYS),
    )
    return FieldTable.from_fields(*own, *shared, also=_SECTIONS)


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
    name = source.find_config_file(path)
    return read(name, source.read_config_file(name), kinds, environ)


def read(name: str, body: bytes, kinds: Kinds, environ: Mapping[str, str]) -> Config:
    """Read the configuration from the bytes of a file, wherever they were found.

    Args:
        name: how the file is called in problems; its ending says whether it is YAML.
        kinds, environ: as for :func:`load`.

    Raises:
        ConfigError: with every problem that the file has.
    """
    report = source.decode_source(name, body)
    if source.is_yaml(name):
        from checkup.config.parse_yaml import parse_yaml  # most files are JSON

        root = parse_yaml(report)
    else:
        root = parse_json(report)
    return build_config(root, kinds, SettingsReader(report, VariableExpander(environ)))
