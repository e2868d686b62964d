"""The numbers of one component as tables: uptime, response times, months.

A page has hundreds of cells and a site a thousand pages: a template takes several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from checkup.model import Phases
from checkup_page.components.stretches import PeriodStats, ResponseStats
from checkup_page.speech.language import load_translations
from checkup_page.speech.voice import Locale
from checkup_page.view import ComponentView

NOTHING: Final = "\N{EN DASH}"
PHASES: Final = Phases.__struct_fields__

Row = Sequence[str]
"""Texts; the first one says what the row is about and the second one matters most."""

_escaped = lru_cache(maxsize=4000)(escape)


def table(head: Row, rows: Iterable[Row]) -> Markup:
    """Return a table."""
    columns = "".join(f'<th scope="col">{_escaped(name)}</th>' for name in head)
    body = "\n".join(map(_row, rows))
    return Markup(  # noqa: S704 - each cell has been escaped
        f"<table>\n<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


class ComponentTables(NamedTuple):
    """The tables of one component.

    Attributes:
        times: percentiles of response times and, if ``phased``, where the time went; empty if
            nothing is known of them.
    """

    uptimes: Markup
    times: Markup
    months: Markup
    phased: bool


def component_tables(item: ComponentView, voice: Locale) -> ComponentTables:
    """Return the tables of a component."""
    phased = any(it.response and it.response.phases for it in item.stretches)
    timed = any(it.response for it in item.stretches)
    return ComponentTables(
        uptimes=table(
            _head(("span", "uptime", "down", "degraded", "observed", "failures"), voice),
            (_uptime(it, voice) for it in item.stretches),
        ),
        times=_times(item.stretches, voice, phased=phased) if timed else Markup(),
        months=table(
            _head(("month", "uptime", "down", "degraded", "maintenance", "observed"), voice),
            (_month(it, voice) for it in reversed(item.months)),
        ),
        phased=phased,
    )


def _uptime(it: PeriodStats, voice: Locale) -> Row:
    tally = it.tally
    return (
        voice.say(f"stretch.{it.name}"),
        _share(it.uptime),
        _length(tally.down, voice),
        _length(tally.degraded, voice),
        _share(it.observed),
        voice.say("component.of", n=tally.failures, runs=tally.runs),
    )


def _month(it: PeriodStats, voice: Locale) -> Row:
    tally = it.tally
    return (
        voice.month_name(it.begin),
        _share(it.uptime),
        _length(tally.down, voice),
        _length(tally.degraded, voice),
        _length(tally.maintenance, voice),
        _share(it.observed),
    )


def _times(stretches: Iterable[PeriodStats], voice: Locale, *, phased: bool) -> Markup:
    code, names = voice.language.code, PHASES if phased else ()
    head = (voice.say("component.span"), "p50", "p95", "p99")
    rows = (
        (
            voice.say(f"stretch.{it.name}"),
            *(_time(it.response, share, code) for share in ("median", "high", "highest")),
            *(_time(it.response and it.response.phases, name, code) for name in names),
        )
        for it in stretches
    )
    return table((*head, *(voice.say(f"phase.{name}") for name in names)), rows)


def _share(percent: str | None) -> str:
    return NOTHING if percent is None else f"{percent}%"


def _length(length: int, voice: Locale) -> str:
    return voice.lasting(length) if length else NOTHING


def _time(of: ResponseStats | Phases | None, name: str, code: str) -> str:
    return NOTHING if of is None else _elapsed(code, getattr(of, name))


@lru_cache(maxsize=4000)
def _elapsed(code: str, time: int) -> str:
    return Locale(language=load_translations(code)).elapsed(time)


def _head(names: Iterable[str], voice: Locale) -> Row:
    return [voice.say(f"component.{name}") for name in names]


def _row(cells: Row) -> str:
    first, second, *others = map(_escaped, cells)
    told = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr><th scope="row">{first}</th><td><b>{second}</b></td>{told}</tr>'
