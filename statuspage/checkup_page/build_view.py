"""Decide what the page shows, from the loaded data and the configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from checkup import __version__
from checkup.config.page import PageLink
from checkup.config.settings import Config, GroupSettings
from checkup.interfaces import Checker
from checkup.model import Run
from checkup.text import clean_line, component_key, public_key
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
    safe_image,
    safe_link,
)

MAX_MESSAGES: Final = 20

MESSAGE_LIMIT: Final = 2000
"""Characters of one message; the rest is cut."""


def page_messages(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> tuple[PageMessage, ...]:
    """Return the newest messages, the last one first.

    Args:
        checkers: the configured ones.
        runs: oldest first, those added by hand included.
        names: of the components that are shown, by the keys of their results.
    """
    return tuple(islice(_messages(checkers, runs, names), MAX_MESSAGES))


def _messages(
    checkers: Sequence[Checker], runs: Sequence[Run], names: Mapping[str, str]
) -> Iterator[PageMessage]:
    for run in reversed(runs):
        has_message = any(result.message for result in run.results)
        for results in results_by_checker(checkers, [run]) if has_message else ():
            text = clean_line(results.newest.message, MESSAGE_LIMIT) if results.newest else ""
            if text and results.key in names:
                parts = tuple(linkify(text))
                yield PageMessage(component=names[results.key], at=run.slot, parts=parts)


TITLE_LIMIT = 80

OPEN_UP_TO = 12
"""A fully operational group is expanded if it has at most so many components."""


class PageData(Struct, frozen=True, kw_only=True):
    """Everything that one edition of the page shows, as loaded from the storage.

    Attributes:
        runs: oldest first.
        confirmed: the confirmed status by checker id; empty without a state.
        daily: the last days by checker id; empty without a history.
        histories: the statistics by checker id; likewise.
        incidents: incidents and maintenance of the last months.
        archived: those of earlier months, by the month's start, newest first.
        unreadable: the number of stored runs that could not be decoded.
        seed: the source of the public ids; None for the URL of the page.
    """

    runs: tuple[Run, ...] = ()
    confirmed: Mapping[str, ConfirmedStatus] = {}
    daily: Mapping[str, DailyHistory] = {}
    histories: Mapping[str, ComponentHistory] = {}
    incidents: IncidentData = IncidentData()
    archived: Mapping[int, IncidentData] = {}
    unreadable: int = 0
    seed: str | None = None


def build_view(config: Config, data: PageData, now_ns: int, locale_code: str = "") -> PageView:
    """Return everything the page shows.

    Args:
        config: the checkers and the page's settings.
        data: what was loaded.
        now_ns: the time, in nanoseconds since the epoch.
        locale_code: the language; the preferred one if empty.
    """
    page = config.page
    locale = Locale(
        translations=load_translations(locale_code or page.languages[0]), zone=page.timezone
    )
    seed = page.url if data.seed is None else data.seed
    key = page_key(seed)
    runs = scheduled_runs(data.runs, config.regions)
    slots = tuple(run.slot for run in runs)
    measured = status.measured_interval(slots)
    interval = status.expected_interval(measured, config.interval, page.timeframe)
    window = RunWindow(
        now=now_ns, slots=slots, interval=interval, locale=locale, regions=_regions(config)
    )
    found = results_by_checker(config.checkers, runs)
    daily_histories = _daily_histories(found, data)
    names = [display_name(results, number, locale) for number, results in enumerate(found, start=1)]
    components = [
        build_component(
            results,
            window,
            data.confirmed.get(results.key),
            daily_histories.get(results.key),
            key=component_key(key, results.key),
            name=name,
            history=data.histories.get(results.key, ComponentHistory()),
        )
        for results, name in zip(found, names, strict=True)
    ]
    public = public_components(config, key, components)
    incidents = build_incidents(data.incidents, config, public, locale, now_ns)
    components = [*apply_maintenance(components, incidents.maintenances)]
    overall = overall_status(components, runs, window, measured, config)
    written = [it for it in incidents.incidents if it.key in data.incidents.document.incidents]
    return PageView(
        key=key,
        title=clean_line(page.title, TITLE_LIMIT) or locale.translate("page.title"),
        id_domain=id_domain(seed),
        url=safe_link(page.url),
        logo=safe_image(page.logo),
        theme=page.theme,
        refresh=page.refresh_interval,
        style=custom_css(page),
        locale=locale,
        languages=tuple(_translations(page.languages)),
        links=tuple(_links(page.links)),
        overall=limit_by_incidents(overall, written, page.status_text, locale),
        groups=tuple(_groups(config.groups, found, components, key)),
        messages=page_messages(
            config.checkers,
            data.runs,
            {results.key: name for results, name in zip(found, names, strict=True)},
        ),
        info=PageInfo(
            runs=len(slots),
            first=slots[0] if slots else None,
            unreadable=data.unreadable,
            bars_are_days=bool(daily_histories),
            legend=_legend(components),
            generated_at=now_ns,
            version=__version__,
        ),
        incidents=incidents.incidents,
        maintenances=incidents.maintenances,
        completed_maintenances=incidents.finished,
        months=incidents.months,
        archived_months=tuple(data.archived),
        metrics={
            item.key: probe_metrics(results, item.status, page.publish, config.masked_values)
            for results, item in zip(found, components, strict=True)
        },
    )


def page_key(seed: str) -> str:
    """Return the public key of the page, from the source of its public ids."""
    return public_key("page", seed)


_HOST: Final = re.compile(r"https?://([a-z0-9.-]+)(?=[:/?#]|$)", re.ASCII | re.IGNORECASE)


def id_domain(seed: str) -> str:
    """Return the domain that makes the page's ids unique: the host of a URL, or a reserved one."""
    host = _HOST.match(seed)
    if host:
        return host[1].lower()
    return f"{page_key(seed)}.checkup.invalid" if seed else "checkup.invalid"


def build_archived_month(config: Config, view: PageView, old: IncidentData) -> IncidentMonth:
    """Return an archived month in the language of a view."""
    components = (item for group in view.groups for item in group.components)
    public = public_components(config, view.key, components)
    return build_incidents(old, config, public, view.locale, view.info.generated_at).months[0]


def public_components(
    config: Config, page: str, components: Iterable[ComponentView]
) -> PublicComponents:
    """Return the components that incidents and maintenance may name."""
    by_key = {item.key: AffectedComponent(key=item.key, name=item.name) for item in components}
    keys = {checker.id: component_key(page, checker.id) for checker in config.checkers}
    shown = {checker: by_key[key] for checker, key in keys.items() if key in by_key}
    return PublicComponents.of(config.checkers, shown)


def _daily_histories(found: Sequence[CheckerResults], data: PageData) -> Mapping[str, DailyHistory]:
    """Return the days of each component; none while the bars are runs."""
    shown = {results.key: data.daily.get(results.key) for results in found}
    daily_histories = {key: daily for key, daily in shown.items() if daily is not None}
    enough = any(has_enough_days(daily.closed, daily.today) for daily in daily_histories.values())
    return daily_histories if enough else {}


def _legend(components: Iterable[ComponentView]) -> tuple[str, ...]:
    seen = {part.status for item in components for part in item.segments}
    return tuple(status for status in BAR_STATUSES if status in seen)


def _regions(config: Config) -> Mapping[str, str]:
    """Return the public names of regions; none if there is only one region."""
    if len(config.regions) < 2:  # noqa: PLR2004 - one region needs no name
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
    """Yield the groups in the configured order, after the components without a group."""
    described = {group.name: group for group in settings}
    members: dict[str, list[ComponentView]] = {name: [] for name in ("", *described)}
    for results, item in zip(found, components, strict=True):
        members.setdefault(results.checker.group if results.checker else "", []).append(item)
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
