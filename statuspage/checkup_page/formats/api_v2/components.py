"""Components and groups as the API lists them: each group before its members."""

from __future__ import annotations

from collections.abc import Iterator

from checkup_page.formats.announced import last_event
from checkup_page.formats.api_v2.status import api_status
from checkup_page.formats.served import Json
from checkup_page.speech.words import format_iso
from checkup_page.view import ComponentGroup, ComponentView, PageView


def component_list(view: PageView, *, looked: bool = False) -> list[Json]:
    """Return components and groups in the order of the page.

    Args:
        view: the page.
        looked: say of each when it was last looked at, which changes all the time.
    """
    listed = [dict(item) for item in _listed(view)]
    times = {item.key: item.checked_at for group in view.groups for item in group.components}
    for position, item in enumerate(listed, start=1):
        item["position"] = position
        if looked and not item["group"]:
            at = times[item["id"]]
            item["x_checked_at"] = None if at is None else format_iso(at)
    return listed


def changed_at(view: PageView) -> int:
    """Return when anything on the page happened last, be it measured or announced; 0 for never."""
    states = (_times(item)[1] for group in view.groups for item in group.components)
    return max((*states, last_event(view)))


def _listed(view: PageView) -> Iterator[Json]:
    for group in view.groups:
        members = [_component(view, item, group) for item in group.components]
        if group.name:
            yield _group(view, group, members)
        yield from members


def _component(view: PageView, item: ComponentView, group: ComponentGroup) -> Json:
    created_at, updated_at = _times(item)
    return {
        "id": item.key,
        "name": item.name,
        "status": api_status(item.state),
        "created_at": format_iso(created_at),
        "updated_at": format_iso(updated_at),
        "position": 0,
        "description": item.description or None,
        "showcase": True,
        "start_date": None,
        "group_id": group.key if group.name else None,
        "page_id": view.key,
        "group": False,
        "only_show_if_degraded": False,
        "x_state": item.state.value,
    }


def _times(item: ComponentView) -> tuple[int, int]:
    """Return when a component was first seen, and when its state began; 0 for never."""
    known = [at for at in (item.since, item.first_seen) if at is not None]
    return min(known, default=0), next(iter(known), 0)


def _group(view: PageView, group: ComponentGroup, members: list[Json]) -> Json:
    return {
        "id": group.key,
        "name": group.name,
        "status": api_status(group.state),
        "created_at": min(member["created_at"] for member in members),
        "updated_at": max(member["updated_at"] for member in members),
        "position": 0,
        "description": group.description or None,
        "showcase": False,
        "start_date": None,
        "group_id": None,
        "page_id": view.key,
        "group": True,
        "only_show_if_degraded": False,
        "components": [member["id"] for member in members],
        "x_state": group.state.value,
    }
