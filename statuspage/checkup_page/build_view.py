"""From loaded data and configuration to what the page shows, messages included. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from checkup import __version__
from checkup.config.page import PageLink
from checkup.config.settings import Config, GroupSettings
from checkup.interfaces import Checker
from checkup.model import Run
from checkup.text import clean_line
from checkup_page import status
from checkup_page.assets import custom_css
from checkup_page.components.bars import BAR_STATUSES, has_enough_days
from checkup_page.components.build import (
    DESCRIPTION_LIMIT,
    CheckerResults,
    ConfirmedStatus,
    DailyHistory,
    RunWindow,
    build_component,
    display_name,
    probe_metrics,
    results_by_checker,
    scheduled_runs,
)
from checkup_page.components.history import ComponentHistory
from checkup_page.incidents.build import IncidentData, apply_maintenance, build_incidents
from checkup_page.incidents.view import AffectedComponent, IncidentMonth, PublicComponents
from checkup_page.locale import Locale, load_translations
from checkup_page.overall_status import limit_by_incidents, overall_status
from checkup_page.status import ComponentStatus
from checkup_page.view import (
    ComponentGroup,
    ComponentView,
    LinkedText,
    PageInfo,
    PageLanguage,
    PageMessage,
    PageView,
    linkify,
    public_key,
    safe_image,
    safe_link,
)

MOST: Final = 20

LIMIT: Final = 2000
"""Characters of one message; more is cut."""


def page_messages(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> tuple[PageMessage, ...]:
    """Return the newest messages, the last one first.

    Args:
        checkers: the configured ones.
        runs: oldest first; also those that have no vote, for they may have something to say.
        names: of the components that are shown, by the keys of their tracks.
    """
    return tuple(islice(_said(checkers, runs, names), MOST))


def _said(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> Iterator[PageMessage]:
    for run in reversed(runs):
        is_spoken = any(result.message for result in run.results)
        for track in results_by_checker(checkers, [run]) if is_spoken else ():
            text = clean_line(track.newest.message, LIMIT) if track.newest else ""
            if text and track.key in names:
                parts = tuple(linkify(text))
                yield PageMessage(component=names[track.key], at=run.slot, parts=parts)


TITLE_LIMIT = 80

OPEN_UP_TO = 12
"""A group without trouble shows its components unasked if there are no more than these."""


class PageData(Struct, frozen=True, kw_only=True):
    """What was read from the storage.

    Attributes:
        runs: oldest first.
        confirmed: the confirmed status by checker id; empty where no state is kept.
        daily: the last days by checker id; empty where no history is kept.
        histories: what spans of time came to, by checker id; the same.
        incidents: what there is to tell of incidents and maintenance.
        archived: incidents and maintenance of the months before those of ``incidents``, by the
            month's start, newest first.
        unreadable: how many stored runs were passed over.
    """

    runs: tuple[Run, ...] = ()
    confirmed: Mapping[str, ConfirmedStatus] = {}
    daily: Mapping[str, DailyHistory] = {}
    histories: Mapping[str, ComponentHistory] = {}
    incidents: IncidentData = IncidentData()
    archived: Mapping[int, IncidentData] = {}
    unreadable: int = 0


def build_view(config: Config, observed: PageData, now: int, locale_code: str = "") -> PageView:
    """Return what the page shows.

    Args:
        config: the checkers and the page's settings.
        observed: what was read.
        now: the present.
        locale_code: the language; the preferred one if empty.
    """
    page = config.page
    locale = Locale(
        translations=load_translations(locale_code or page.languages[0]), zone=page.timezone
    )
    key = page_key(config)
    runs = scheduled_runs(observed.runs, config.regions)
    slots = tuple(run.slot for run in runs)
    measured = status.measured_interval(slots)
    interval = status.expected_interval(measured, config.interval, page.timeframe)
    window = RunWindow(
        now=now, slots=slots, interval=interval, locale=locale, regions=_regions(config)
    )
    found = results_by_checker(config.checkers, runs)
    pasts = _pasts(found, observed)
    names = [display_name(track, number, locale) for number, track in enumerate(found, start=1)]
    components = [
        build_component(
            track,
            window,
            observed.confirmed.get(track.key),
            pasts.get(track.key),
            key=component_key(key, track.key),
            name=name,
            history=observed.histories.get(track.key, ComponentHistory()),
        )
        for track, name in zip(found, names, strict=True)
    ]
    public = public_components(config, key, components)
    told = build_incidents(observed.incidents, config, public, locale, now)
    components = [*apply_maintenance(components, told.maintenances)]
    seen = overall_status(components, runs, window, measured, config)
    written = [it for it in told.incidents if it.key in observed.incidents.document.incidents]
    return PageView(
        key=key,
        title=clean_line(page.title, TITLE_LIMIT) or locale.translate("page.title"),
        url=safe_link(page.url),
        logo=safe_image(page.logo),
        theme=page.theme,
        refresh=page.refresh_interval,
        style=custom_css(page),
        locale=locale,
        languages=tuple(_translations(page.languages)),
        links=tuple(_links(page.links)),
        overall=limit_by_incidents(seen, written, page.status_text, locale),
        groups=tuple(_groups(config.groups, found, components, key)),
        messages=page_messages(
            config.checkers,
            observed.runs,
            {track.key: name for track, name in zip(found, names, strict=True)},
        ),
        info=PageInfo(
            runs=len(slots),
            first=slots[0] if slots else None,
            unreadable=observed.unreadable,
            bars_are_days=bool(pasts),
            legend=_looks(components),
            generated_at=now,
            version=__version__,
        ),
        incidents=told.incidents,
        maintenances=told.maintenances,
        completed_maintenances=told.finished,
        months=told.months,
        archived_months=tuple(observed.archived),
        metrics={
            item.key: probe_metrics(track, item.status, page.publish, config.masked_values)
            for track, item in zip(found, components, strict=True)
        },
    )


def page_key(config: Config) -> str:
    """Return what stands for the page."""
    return public_key("page", config.page.url)


def component_key(page: str, checker: str) -> str:
    """Return what stands for a checker on a page, which is given by its key."""
    return public_key(page, "component", checker)


def build_archived_month(config: Config, view: PageView, old: IncidentData) -> IncidentMonth:
    """Return what there is to tell of a month that is over, in the language of a view."""
    components = (item for group in view.groups for item in group.components)
    public = public_components(config, view.key, components)
    return build_incidents(old, config, public, view.locale, view.info.generated_at).months[0]


def public_components(
    config: Config, page: str, components: Iterable[ComponentView]
) -> PublicComponents:
    """Return what announcements may name of a configuration, by what is on the page."""
    by_key = {item.key: AffectedComponent(key=item.key, name=item.name) for item in components}
    keys = {checker.id: component_key(page, checker.id) for checker in config.checkers}
    shown = {checker: by_key[key] for checker, key in keys.items() if key in by_key}
    return PublicComponents.of(config.checkers, shown)


def _pasts(found: Sequence[CheckerResults], observed: PageData) -> Mapping[str, DailyHistory]:
    """Return the days of each component; none at all as long as runs tell more."""
    shown = {track.key: observed.daily.get(track.key) for track in found}
    pasts = {key: past for key, past in shown.items() if past is not None}
    return pasts if any(has_enough_days(past.closed, past.today) for past in pasts.values()) else {}


def _looks(components: Iterable[ComponentView]) -> tuple[str, ...]:
    seen = {part.status for item in components for part in item.segments}
    return tuple(look for look in BAR_STATUSES if look in seen)


def _regions(config: Config) -> Mapping[str, str]:
    """Return the public names of regions; where there is only one, it goes without saying."""
    if len(config.regions) < 2:  # noqa: PLR2004 - nobody else is meant
        return {}
    named = config.page.regions.items()
    return {region: shown for region, name in named if (shown := clean_line(name, TITLE_LIMIT))}


def _translations(codes: Iterable[str]) -> Iterator[PageLanguage]:
    """Yield the languages: the preferred one is at the root, each other one in its folder."""
    for number, code in enumerate(dict.fromkeys(codes)):
        yield PageLanguage(
            code, load_translations(code).texts["name"], f"{code}/" if number else ""
        )


def _links(links: Iterable[PageLink]) -> Iterator[LinkedText]:
    for link in links:
        if safe_link(link.url):
            yield LinkedText(clean_line(link.title, TITLE_LIMIT) or link.url, link.url)


def _groups(
    settings: Iterable[GroupSettings],
    found: Sequence[CheckerResults],
    components: Sequence[ComponentView],
    page: str,
) -> Iterator[ComponentGroup]:
    """Yield the groups in the configured order, after what has no group and so no heading."""
    described = {group.name: group for group in settings}
    members: dict[str, list[ComponentView]] = {name: [] for name in ("", *described)}
    for track, item in zip(found, components, strict=True):
        members.setdefault(track.checker.group if track.checker else "", []).append(item)
    for name, items in members.items():
        if items:
            group = described.get(name) or GroupSettings(name=name)
            yield _group(group, tuple(items), public_key(page, "group", name))


def _group(settings: GroupSettings, items: tuple[ComponentView, ...], key: str) -> ComponentGroup:
    states = [item.status for item in items]
    operational = states.count(ComponentStatus.OPERATIONAL)
    well = operational == len(states)
    return ComponentGroup(
        key=key,
        name=clean_line(settings.name, TITLE_LIMIT),
        description=clean_line(settings.description, DESCRIPTION_LIMIT),
        state=ComponentStatus.combined(states),
        operational=operational,
        expanded=not well or (not settings.collapsed and len(items) <= OPEN_UP_TO),
        components=items,
    )
