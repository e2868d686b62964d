"""What notifiers and the rest of the file name of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checkup.alerting.routing import channel_names
from checkup.config.nearest import Nearest
from checkup.config.reading import SettingsReader
from checkup.ports import Checker, NotifierSettings


class NotifierEntry(NamedTuple):
    """A notifier and where it stands in the file."""

    settings: NotifierSettings
    at: int
    key: str


def check_notifiers(
    reading: SettingsReader,
    entries: Sequence[NotifierEntry],
    checkers: Sequence[Checker],
    *,
    complete: bool,
) -> None:
    """Note names that two channels have, fallbacks that are none, and routes from nowhere.

    Args:
        complete: all checkers could be read, so what none of them has is a mistake.
    """
    channels = channel_names([entry.settings for entry in entries])
    nearest = Nearest(channels)
    for place, (entry, name) in enumerate(zip(entries, channels, strict=True)):
        if name in channels[:place]:
            text = f'there is a channel "{name}" already'
            reading.report.error(entry.at, f"{entry.key}.id", text, "give it another id")
        fallback = entry.settings.fallback
        if fallback and (fallback not in channels or fallback == name):
            text = f'there is no other channel "{fallback}"'
            fix = nearest.advice(fallback) or f"known are {', '.join(channels)}"
            reading.report.error(entry.at, f"{entry.key}.fallback", text, fix)
        for key, text in _routes_from_nowhere(entry.settings, checkers) if complete else ():
            reading.report.warn(entry.at, f"{entry.key}.{key}", text, "check the spelling")


def _routes_from_nowhere(
    settings: NotifierSettings, checkers: Sequence[Checker]
) -> Iterator[tuple[str, str]]:
    groups = {checker.group for checker in checkers}
    tags = {tag for checker in checkers for tag in checker.tags}
    for group in settings.groups:
        if group not in groups:
            yield "groups", f'no checker is in the group "{group}"'
    for tag in settings.tags:
        if tag not in tags:
            yield "tags", f'no checker has the tag "{tag}"'
