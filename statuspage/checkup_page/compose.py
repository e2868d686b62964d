"""From runs, state and configuration to what is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from checkup import __version__
from checkup.config.page import PageLink
from checkup.config.settings import Config, GroupSettings
from checkup.model import Run
from checkup_page import freshness
from checkup_page.announcements.announcement import Affected, Month
from checkup_page.announcements.bulletin import Bulletin, tell
from checkup_page.announcements.messages import messages
from checkup_page.announcements.public import Public
from checkup_page.announcements.worked_on import worked_on
from checkup_page.components.component import (
    DESCRIPTION_LIMIT,
    Past,
    Standing,
    Window,
    component,
    name_of,
)
from checkup_page.components.days import LOOKS, are_enough
from checkup_page.components.stretches import Record
from checkup_page.components.tracks import Track, tracks, voting
from checkup_page.identity import stable_key
from checkup_page.links import followable, picture
from checkup_page.own_style import own_style
from checkup_page.probe import probe
from checkup_page.speech.language import language
from checkup_page.speech.voice import Voice
from checkup_page.speech.words import clean
from checkup_page.state import State
from checkup_page.verdict import no_better_than, verdict
from checkup_page.view import Component, Facts, Group, Text, Translation, View

TITLE_LIMIT = 80
OPEN_UP_TO = 12
"""A group without trouble shows its components unasked if there are no more than these."""


class Observed(Struct, frozen=True, kw_only=True):
    """What was read from the storage.

    Attributes:
        runs: oldest first.
        standings: the confirmed status by checker id; empty where no state is kept.
        pasts: the last days by checker id; empty where no history is kept.
        records: what spans of time came to, by checker id; the same.
        bulletin: what there is to tell of incidents and maintenance.
        earlier: the beginnings of the months before those of the bulletin, newest first.
        unreadable: how many stored runs were passed over.
    """

    runs: tuple[Run, ...] = ()
    standings: Mapping[str, Standing] = {}
    pasts: Mapping[str, Past] = {}
    records: Mapping[str, Record] = {}
    bulletin: Bulletin = Bulletin()
    earlier: tuple[int, ...] = ()
    unreadable: int = 0


def compose(config: Config, observed: Observed, now: int, code: str = "") -> View:
    """Return what the page shows.

    Args:
        config: the checkers and the page's settings.
        observed: what was read.
        now: the present.
        code: the language; the preferred one if empty.
    """
    page = config.page
    voice = Voice(language=language(code or page.languages[0]), zone=page.timezone)
    key = page_key(config)
    runs = voting(observed.runs, config.regions)
    slots = tuple(run.slot for run in runs)
    measured = freshness.measured_interval(slots)
    interval = freshness.expected_interval(measured, config.interval, page.timeframe)
    window = Window(now=now, slots=slots, interval=interval, voice=voice, regions=_regions(config))
    found = tracks(config.checkers, runs)
    pasts = _pasts(found, observed)
    names = [name_of(track, number, voice) for number, track in enumerate(found, start=1)]
    components = [
        component(
            track,
            window,
            observed.standings.get(track.key),
            pasts.get(track.key),
            key=component_key(key, track.key),
            name=name,
            record=observed.records.get(track.key, Record()),
        )
        for track, name in zip(found, names, strict=True)
    ]
    public = public_of(config, key, components)
    told = tell(observed.bulletin, config, public, voice, now)
    components = [*worked_on(components, told.maintenances)]
    seen = verdict(components, runs, window, measured, config)
    written = [it for it in told.incidents if it.key in observed.bulletin.announced.incidents]
    return View(
        key=key,
        title=clean(page.title, TITLE_LIMIT) or voice.say("page.title"),
        url=followable(page.url),
        logo=picture(page.logo),
        theme=page.theme,
        refresh=page.refresh_interval,
        style=own_style(page),
        voice=voice,
        translations=tuple(_translations(page.languages)),
        links=tuple(_links(page.links)),
        verdict=no_better_than(seen, written, page.status_text, voice),
        groups=tuple(_groups(config.groups, found, components, key)),
        messages=messages(
            config.checkers,
            observed.runs,
            {track.key: name for track, name in zip(found, names, strict=True)},
        ),
        facts=Facts(
            runs=len(slots),
            first=slots[0] if slots else None,
            unreadable=observed.unreadable,
            by_day=bool(pasts),
            looks=_looks(components),
            generated_at=now,
            version=__version__,
        ),
        incidents=told.incidents,
        maintenances=told.maintenances,
        finished=told.finished,
        months=told.months,
        earlier=observed.earlier,
        probes={
            item.key: probe(track, item.state, page.publish, config.masks)
            for track, item in zip(found, components, strict=True)
        },
    )


def page_key(config: Config) -> str:
    """Return what stands for the page."""
    return stable_key("page", config.page.url)


def component_key(page: str, checker: str) -> str:
    """Return what stands for a checker on a page, which is given by its key."""
    return stable_key(page, "component", checker)


def tell_of_month(config: Config, view: View, old: Bulletin) -> Month:
    """Return what there is to tell of a month that is over, in the language of a view."""
    components = (item for group in view.groups for item in group.components)
    public = public_of(config, view.key, components)
    return tell(old, config, public, view.voice, view.facts.generated_at).months[0]


def public_of(config: Config, page: str, components: Iterable[Component]) -> Public:
    """Return what announcements may name of a configuration, by what is on the page."""
    by_key = {item.key: Affected(key=item.key, name=item.name) for item in components}
    keys = {checker.id: component_key(page, checker.id) for checker in config.checkers}
    shown = {checker: by_key[key] for checker, key in keys.items() if key in by_key}
    return Public.of(config.checkers, shown)


def _pasts(found: Sequence[Track], observed: Observed) -> Mapping[str, Past]:
    """Return the days of each component; none at all as long as runs tell more."""
    shown = {track.key: observed.pasts.get(track.key) for track in found}
    pasts = {key: past for key, past in shown.items() if past is not None}
    return pasts if any(are_enough(past.closed, past.today) for past in pasts.values()) else {}


def _looks(components: Iterable[Component]) -> tuple[str, ...]:
    seen = {part.look for item in components for part in item.segments}
    return tuple(look for look in LOOKS if look in seen)


def _regions(config: Config) -> Mapping[str, str]:
    """Return the public names of regions; where there is only one, it goes without saying."""
    if len(config.regions) < 2:  # noqa: PLR2004 - nobody else is meant
        return {}
    named = config.page.regions.items()
    return {region: shown for region, name in named if (shown := clean(name, TITLE_LIMIT))}


def _translations(codes: Iterable[str]) -> Iterator[Translation]:
    """Yield the languages: the preferred one is at the root, each other one in its folder."""
    for number, code in enumerate(dict.fromkeys(codes)):
        yield Translation(code, language(code).phrases["name"], f"{code}/" if number else "")


def _links(links: Iterable[PageLink]) -> Iterator[Text]:
    for link in links:
        if followable(link.url):
            yield Text(clean(link.title, TITLE_LIMIT) or link.url, link.url)


def _groups(
    settings: Iterable[GroupSettings],
    found: Sequence[Track],
    components: Sequence[Component],
    page: str,
) -> Iterator[Group]:
    """Yield the groups in the configured order, after what has no group and so no heading."""
    described = {group.name: group for group in settings}
    members: dict[str, list[Component]] = {name: [] for name in ("", *described)}
    for track, item in zip(found, components, strict=True):
        members.setdefault(track.checker.group if track.checker else "", []).append(item)
    for name, items in members.items():
        if items:
            group = described.get(name) or GroupSettings(name=name)
            yield _group(group, tuple(items), stable_key(page, "group", name))


def _group(settings: GroupSettings, items: tuple[Component, ...], key: str) -> Group:
    states = [item.state for item in items]
    operational = states.count(State.OPERATIONAL)
    well = operational == len(states)
    return Group(
        key=key,
        name=clean(settings.name, TITLE_LIMIT),
        description=clean(settings.description, DESCRIPTION_LIMIT),
        state=State.together(states),
        operational=operational,
        open=not well or (not settings.collapsed and len(items) <= OPEN_UP_TO),
        components=items,
    )
