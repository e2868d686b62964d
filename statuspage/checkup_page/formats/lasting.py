"""The page without what changes from run to run: what is left changes when something happens."""

from __future__ import annotations

from msgspec.structs import replace

from checkup_page.view import ComponentView, OverallStatus, PageView


def lasting(view: PageView) -> PageView:
    """Return the page as it will be until something happens, or an hour or a day is over."""
    groups = (
        replace(group, components=tuple(_lasting(item) for item in group.components))
        for group in view.groups
    )
    facts = replace(view.facts, runs=0, first=None, unreadable=0, looks=(), generated_at=0)
    return replace(
        view,
        verdict=OverallStatus(sentence="", state=view.verdict.state),
        groups=tuple(groups),
        messages=(),
        facts=facts,
        probes={},
    )


def _lasting(item: ComponentView) -> ComponentView:
    return replace(item, checked_at=None, response=None, strip=None, days=None)
