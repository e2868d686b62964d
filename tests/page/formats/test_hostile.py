"""Whatever people write, every file can be read, and says it."""

from __future__ import annotations

import csv
import json
from io import StringIO
from xml.etree import ElementTree as ET

import feedparser
import icalendar
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from checkup.config.page import PageSettings
from checkup.times import HOUR
from checkup_page.build_view import PageData, build_view
from checkup_page.components.history import component_history
from checkup_page.formats import MachineFiles
from checkup_page.formats.icalendar import WIDTH
from checkup_page.incidents.view import AffectedComponent
from tests.page.formats.prometheus import families
from tests.page.formats.world import checker_history, incident, maintenance, update
from tests.page.worlds import NOW, checker, config, result, runs

ATOM = "{http://www.w3.org/2005/Atom}"

anything = st.text(st.characters(), max_size=80)
hostile = st.one_of(
    anything,
    st.sampled_from(
        [
            'say "hi", \\ and \n more \r\n',
            "]]></title><script>alert(1)</script>&amp;<![CDATA[",
            "\u202eevil\u2066 \u200b\x00\x1b[0m\u2028\ufffe\ud800",
            "BEGIN:VEVENT\r\nEND:VCALENDAR\r\n",
            'x"} 1\n# EOF\nprobe_success{check="',
            "=cmd|' /C calc'!A0",
            "a" * 10_000,
            "é" * 10_000,
            "שלום" * 100,
            "",
        ]
    ),
)


def written(text: str) -> dict[str, bytes]:
    """The files of a page on which everything that people choose is this text."""
    of = checker(text, id="x", group=text, description=text)
    page = PageSettings(title=text, url="https://status.acme.example/")
    records = {"x": component_history(checker_history())}
    seen = PageData(runs=runs([[result(of, kind="http")]]), histories=records)
    view = build_view(config([of], page), seen, NOW)
    component = next(item for group in view.groups for item in group.components)
    one = AffectedComponent(key=component.key, name=text)
    trouble = incident("i", one, status="identified", resolved=None)
    plan = maintenance("m", one, start=NOW + HOUR, status="scheduled", said=True)
    said, planned = (update("u", it, NOW, text) for it in ("identified", "scheduled"))
    view = replace(
        view,
        incidents=(replace(trouble, title=text, updates=(said,)),),
        maintenances=(replace(plan, title=text, updates=(planned,)),),
    )
    return {path: file.body for path, file in MachineFiles().files(view).items()}


@example("]]>\x00\ufffe\ud800")
@given(hostile)
@settings(max_examples=60)
def test_every_file_can_be_read(text: str) -> None:
    files = written(text)
    for path, body in files.items():
        read = READERS[path.rpartition(".")[2]]
        read(body)


def read_json(body: bytes) -> None:
    assert isinstance(json.loads(body), dict)


def read_svg(body: bytes) -> None:
    svg = ET.fromstring(body)
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}text"))) == 2
    assert int(svg.get("width", 0)) < 900


def read_atom(body: bytes) -> None:
    assert len(ET.fromstring(body).findall(f"{ATOM}entry")) == 2
    assert not feedparser.parse(body).bozo


def read_rss(body: bytes) -> None:
    assert len(ET.fromstring(body).findall("channel/item")) == 2
    assert not feedparser.parse(body).bozo


def read_calendar(body: bytes) -> None:
    lines = body.split(b"\r\n")
    assert all(len(line) <= WIDTH and b"\n" not in line and b"\r" not in line for line in lines)
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert event.errors == []


def read_metrics(body: bytes) -> None:
    (probe,) = next(it for it in families(body) if it.name == "probe_success").samples
    assert probe.value == 1.0


def read_table(body: bytes) -> None:
    head, *rows = csv.reader(StringIO(body.decode(), newline=""), strict=True)
    assert [len(row) for row in rows] == [len(head)] * 6


READERS = {
    "atom": read_atom,
    "csv": read_table,
    "ics": read_calendar,
    "json": read_json,
    "rss": read_rss,
    "svg": read_svg,
    "txt": read_metrics,
}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=200))
@settings(max_examples=60)
def test_a_calendar_gives_back_what_was_written(text: str) -> None:
    body = written(text)["maintenance.ics"]
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert str(event["SUMMARY"]) == "\n".join(text.splitlines())
