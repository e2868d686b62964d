"""``checkup incident`` and ``checkup maintenance``, as people type them."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest

from checkup.errors import CheckupError
from checkup.incidents.store import RECENT_PERIOD
from checkup.times import (
    DAY,
    SECOND,
    format_iso,
    format_minute,
    format_month,
    month_start,
    parse_timestamp,
)
from tests.cli.program import Program
from tests.cli.service import Service, closed_port

NOW = 1_785_751_362_000_000_000
"""3 August 2026, 10:02:42 UTC."""

BACKUP = {"title": "Backup", "start": "2026-01-01T03:00:00Z", "duration": "1h"}


@pytest.fixture
def configured(checkup: Program, service: Service) -> Program:
    """A program whose API is down and whose shop is not, which nobody has seen yet."""
    checkers: list[dict[str, Any]] = [
        {"type": "http", "endpoint_name": name, "endpoint_url": url, "recheck": 0, "group": group}
        for name, url, group in (
            ("API", f"http://127.0.0.1:{closed_port()}", "Core"),
            ("Web shop", service.url, "Front"),
        )
    ]
    checkup.write(
        {
            "checkers": checkers,
            "storage": {"type": "fs", "dir": "checks"},
            "page": {"incidents": {"after": "1h"}},
            "maintenance": [{**BACKUP, "repeat": "FREQ=DAILY"}],
        }
    )
    return checkup


@pytest.fixture
def failing(configured: Program) -> Program:
    """The same, after a run."""
    assert configured("--store").returncode == 0
    return configured


def first_id(checkup: Program, *command: str) -> str:
    ended = checkup(*command)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.split()[0]


def test_an_incident_from_its_beginning_to_its_end(failing: Program) -> None:
    name = first_id(failing, "incident", "open", "Orders fail", "--component", "web shop")
    update = failing("incident", "update", name[:4], "It was **us**.", "--status", "identified")
    resolve = failing("-c", "checkup.json", "incident", "resolve", name[:4], "Over.")
    again = failing("incident", "resolve", name)
    shown = failing("incident", "show", name[:5]).stdout

    assert update.stdout == f"{name}  Orders fail: identified\n"
    assert resolve.stdout == again.stdout == f"{name}  Orders fail: resolved\n"
    assert re.findall("investigating|identified|resolved", shown) == [
        "resolved",
        "investigating",
        "identified",
        "resolved",
    ]
    assert "    It was **us**.\n" in shown
    assert "affects Web shop" in shown
    assert failing("page", "out").returncode == 0
    page = (failing.folder / "out" / "incidents" / f"{name}.html").read_text()
    assert "<p>It was <strong>us</strong>.</p>" in page


def test_an_outage_can_be_written_about_before_the_page_tells_of_it(failing: Program) -> None:
    line = failing("incident").stdout
    name = line.split()[0]
    assert line.endswith("Outage of API  (automatic, not on the page)\n")

    ended = failing("incident", "update", name[:6], "A disk is full.", "--impact", "minor")

    assert ended.stdout == f"{name}  Outage of API: investigating\n"
    assert re.fullmatch(rf"{name}  minor .*  Outage of API\n", failing("incident", "list").stdout)


def test_an_incident_that_is_opened_is_told_in_place_of_the_outage(failing: Program) -> None:
    outage = failing("incident").stdout.split()[0]
    opened = first_id(failing, "incident", "open", "All is lost", "--component", "api")
    assert opened == outage
    assert len(failing("incident").stdout.splitlines()) == 1


def test_an_incident_that_is_opened_is_as_severe_as_the_outage_unless_it_is_told(
    failing: Program,
) -> None:
    assert " major " in failing("incident").stdout
    first_id(failing, "incident", "open", "All is lost", "--component", "api")
    assert " major " in failing("incident").stdout
    name = first_id(failing, "incident", "open", "Slow", "--component", "web shop")
    shown = failing("incident", "show", name).stdout
    assert re.match(rf"{name}  minor ", shown)
    name = first_id(failing, "incident", "open", "x", "--impact", "minor", "--component", "api")
    assert re.match(rf"{name}  minor ", failing("incident", "show", name).stdout)


def test_who_resolves_an_incident_is_warned_of_what_still_fails(failing: Program) -> None:
    name = first_id(failing, "incident", "open", "All is lost", "--component", "api")
    ended = failing("incident", "resolve", name)
    assert ended.returncode == 0
    assert "warning: not healthy yet: API\n" in ended.stderr
    assert failing("incident", "resolve", name, "Again.").stderr == ""


def times(days: float, minutes: int = 0) -> str:
    """A time so long ago, as people type it."""
    return format_minute(time.time_ns() - int(days * DAY) - minutes * 60 * SECOND)[:16]


def api(checkup: Program, name: str = "incidents") -> list[dict[str, Any]]:
    """What the page's API has."""
    assert checkup("page", "out").returncode == 0
    text = (checkup.folder / "out" / "api" / "v2" / f"{name}.json").read_text()
    found: list[dict[str, Any]] = json.loads(text)[name.partition("/")[0].replace("-", "_")]
    return found


def stamp(typed: str) -> str:
    return f"{typed.replace(' ', 'T')}:00.000Z"


def test_an_incident_is_written_afterwards_with_its_start_and_its_end(configured: Program) -> None:
    begin, end = times(7, 40), times(7)
    told = ["--message", "It is over."]
    first_id(configured, "incident", "open", "Last week", "--from", begin, "--until", end, *told)
    (shown,) = api(configured)
    assert shown["status"] == "resolved"
    assert [shown["started_at"], shown["resolved_at"]] == [stamp(begin), stamp(end)]
    assert [it["display_at"] for it in shown["incident_updates"]] == [stamp(end)]


@pytest.mark.parametrize("texts", [[], ["Over."]], ids=["without-text", "with-text"])
@pytest.mark.parametrize("is_over", [False, True], ids=["open", "resolved"])
def test_the_end_of_an_incident_is_set_afterwards(
    configured: Program, texts: list[str], *, is_over: bool
) -> None:
    begin, end = times(7, 40), times(7)
    name = first_id(configured, "incident", "open", "Last week", "--from", begin)
    if is_over:
        assert configured("incident", "resolve", name).returncode == 0
    ended = configured("incident", "resolve", name, *texts, "--at", end)
    assert ended.returncode == 0, ended.stderr
    (shown,) = api(configured)
    assert [shown["started_at"], shown["resolved_at"]] == [stamp(begin), stamp(end)]
    assert shown["status"] == "resolved"


def test_a_mistaken_update_is_corrected_or_removed(configured: Program) -> None:
    begin, later = times(0, 40), times(0, 20)
    name = first_id(configured, "incident", "open", "Orders fail", "--from", begin, "--at", begin)
    for text in ("It was teh disk.", "Wrong incident."):
        assert configured("incident", "update", name, text, "--status", "identified").stdout
    updates = api(configured)[0]["incident_updates"]
    wrong, typed = updates[0]["id"], updates[1]["id"]

    removed = configured("incident", "remove", name, wrong[:6])
    corrected = configured("incident", "correct", name, typed, "It was the disk.", "--at", later)
    missing = configured("incident", "remove", name, "zz")
    only = configured("incident", "remove", name, "last")
    refused = configured("incident", "remove", name, "last")

    assert [removed.returncode, corrected.returncode, only.returncode] == [0, 0, 0]
    assert '"zz" is not the start of one update\'s ID; there are: ' in missing.stderr
    assert refused.returncode == 1
    assert "an incident has at least one update" in refused.stderr
    (shown,) = api(configured)
    assert [it["body"] for it in shown["incident_updates"]] == [""]
    feed = (configured.folder / "out" / "history.atom").read_text()
    assert "teh disk" not in feed
    assert "Wrong incident" not in feed


def test_a_corrected_update_is_on_the_page_and_in_the_feed_as_news(configured: Program) -> None:
    name = first_id(configured, "incident", "open", "Orders fail", "--message", "teh disk")
    before = api(configured)[0]["updated_at"]
    assert configured("incident", "correct", name, "last", "The disk.").returncode == 0
    (shown,) = api(configured)
    page = (configured.folder / "out" / "incidents" / f"{name}.html").read_text()
    assert shown["updated_at"] > before
    assert "The disk." in page
    assert "teh disk" not in page


def test_maintenance_is_moved_and_extended_and_cancelled(failing: Program) -> None:
    options = ["--from", "in 1h", "--for", "30m", "--message", "Disk.", "--component", "api"]
    name = first_id(failing, "maintenance", "add", "Disk", *options)
    first = api(failing, "scheduled-maintenances/upcoming")

    def mine() -> dict[str, Any]:
        calendar = (failing.folder / "out" / "maintenance.ics").read_text()
        entries = [it for it in calendar.split("BEGIN:VEVENT") if f"UID:{name}" in it]
        return dict(line.split(":", 1) for line in entries[0].splitlines() if ":" in line)

    before = mine()
    moved = failing("maintenance", "update", name, "Postponed.", "--from", "in 3h")
    longer = failing("maintenance", "update", name, "--for", "2h")
    (shown,) = [it for it in api(failing, "scheduled-maintenances/upcoming") if it["id"] == name]
    after = mine()
    assert re.fullmatch(rf"{name}  Disk: scheduled, .* to .*\n", moved.stdout), moved.stderr
    assert longer.returncode == 0
    assert after["DTSTART"] > before["DTSTART"]
    assert int(after["SEQUENCE"]) >= int(before["SEQUENCE"])
    assert "Postponed." in {it["body"] for it in shown["incident_updates"]}
    assert shown["scheduled_for"] > next(it for it in first if it["id"] == name)["scheduled_for"]
    state = json.loads((failing.folder / "checks" / "state" / "head.json").read_text())
    planned = state["maintenance"][name]
    assert planned["end"] - planned["start"] == 7200 * SECOND

    cancelled = failing("maintenance", "cancel", name, "Not needed.")
    assert cancelled.stdout == f"{name}  Disk: canceled\n"
    (gone,) = [it for it in api(failing, "scheduled-maintenances") if it["id"] == name]
    assert gone["resolved_at"] <= format_iso(time.time_ns())
    assert mine()["STATUS"] == "CANCELLED"


def test_maintenance_under_way_can_be_extended_but_not_moved(failing: Program) -> None:
    name = first_id(failing, "maintenance", "add", "Disk", "--for", "30m", "--component", "api")
    moved = failing("maintenance", "update", name, "--from", "in 3h")
    cancelled = failing("maintenance", "cancel", name)
    longer = failing("maintenance", "update", name, "It takes longer.", "--until", "in 2h")
    ended = failing("maintenance", "end", name)
    late = failing("maintenance", "update", name, "--for", "3h")
    assert "has started; use --for or --until" in moved.stderr
    assert 'has started; use "checkup maintenance end"' in cancelled.stderr
    assert longer.returncode == ended.returncode == 0
    assert 'is over; use "checkup maintenance add"' in late.stderr


def test_updates_of_maintenance_are_corrected_and_removed(configured: Program) -> None:
    name = first_id(configured, "maintenance", "add", "Disk", "--for", "1h", "--message", "teh")
    assert configured("maintenance", "update", name, "Wrong one.").returncode == 0
    assert configured("maintenance", "remove", name, "last").returncode == 0
    assert configured("maintenance", "correct", name, name, "The disk.").returncode == 0
    shown = configured("maintenance", "show", name).stdout
    assert "The disk." in shown
    assert not re.search("Wrong one|teh", shown)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["incident", "opne", "x"], 255, "Did you mean this?\n\topen"),
        (["incident", "open", "x", "--component", "aip"], 1, 'did you mean "API"?'),
        (["incident", "open", "x", "--impact", "huge"], 1, "'none', 'minor'"),
        (["incident", "update", "zz", "x"], 1, 'no incident "zz"; "checkup incident list"'),
        (["maintenance", "add", "x"], 1, "use either --for or --until"),
        (["maintenance", "add", "x", "--for", "1h", "--group", "Cor"], 1, 'did you mean "Core"?'),
        (["maintenance", "add", "x", "--from", "soon", "--for", "1h"], 1, "is not a time"),
        (
            ["maintenance", "add", "x", "--until", "2020-01-01"],
            1,
            "end is before start, or already past",
        ),
        (["maintenance", "end", "zz"], 1, 'no maintenance "zz"'),
        (["maintenance", "add", "x", "--for", "40000d"], 1, "longer than 100 years"),
        (
            ["maintenance", "add", "x", "--from", "in 30000d", "--for", "1h"],
            1,
            "end must be before 2100-01-01",
        ),
        (["maintenance", "add", " \n", "--for", "1h"], 1, "the title is empty"),
        (["maintenance", "update", "zz", "Half done."], 1, 'no maintenance "zz"'),
        (["incident", "open", "\u200b"], 1, "the title is empty"),
        (["incident", "open", "x", "--from", "in 2h"], 1, "checkup maintenance add"),
        (["incident", "open", "x", "--from", "2006-11-22"], 1, "more than a year ago"),
        (["incident", "update", "zz"], 1, "nothing to update: give TEXT"),
        (["incident", "open", "x", "--until", "in 2h"], 1, '--until "in 2h" is in the future'),
        (["incident", "open", "x", "--at", "in 2h"], 1, '--at "in 2h" is in the future'),
        (["incident", "open", "x", "--until", "2020-01-01"], 1, "must be after the start"),
        (["incident", "resolve", "zz", "--at", "in 1m"], 1, '--at "in 1m" is in the future'),
        (["incident", "correct", "zz", "last"], 1, "nothing to correct: give TEXT, --status"),
        (["incident", "show", "zz", "--month", "2025-03"], 1, '"zz" in 2025-03; "checkup'),
        (["incident", "list", "--month", "March"], 1, '"March" is not a month; write it like'),
        (["maintenance", "list", "--month", "1066-10"], 1, "is before 1970"),
        (["silence", "api", "--for", "40000d"], 1, "longer than 100 years"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_answered_with_a_way_out(
    configured: Program, arguments: list[str], code: int, said: str
) -> None:
    ended = configured(*arguments)
    assert (ended.returncode, said in ended.stderr) == (code, True), ended.stderr


def test_announced_maintenance_keeps_messages_back_until_it_ends(failing: Program) -> None:
    name = first_id(failing, "maintenance", "add", "New disk", "--for", "1h", "--component", "api")
    assert failing("--store").returncode == 0
    held = 'suppressed  maintenance "New disk" until'
    assert held in failing("explain", "api").stdout

    listed = failing("maintenance").stdout.splitlines()
    ended = failing("maintenance", "end", name[:3], "Done early.")

    assert re.match(rf"{name}  in_progress .*  New disk: API$", listed[0])
    assert [line.endswith("Backup: everything  (in checkup.json)") for line in listed[1:]] == [
        True
    ] * len(listed[1:])
    assert ended.stdout.startswith(f"{name}  New disk: ended ")
    assert failing("--store").returncode == 0
    assert held not in failing("explain", "api").stdout
    head = json.loads((failing.folder / "checks" / "state" / "head.json").read_text())
    assert head["maintenance"] == {}


def test_maintenance_that_no_run_can_be_told_of_is_not_announced(configured: Program) -> None:
    (configured.folder / "checks" / "state" / "head.json" / "x").mkdir(parents=True)
    ended = configured("maintenance", "add", "New disk", "--for", "1h")
    assert ended.returncode == 1
    assert "head.json: a folder exists where a file is expected" in ended.stderr
    assert not list((configured.folder / "checks").glob("incidents/*"))


def test_people_hear_how_far_maintenance_is(failing: Program) -> None:
    name = first_id(failing, "maintenance", "add", "New disk", "--for", "1h", "--message", "Soon.")
    verifying = ["--status", "verifying"]

    plain = failing("maintenance", "update", name[:4], "The disk is **in**.")
    tried = failing("maintenance", "update", name[:4], "Trying it.", *verifying)
    back = failing("maintenance", "update", name[:4], "--status", "in_progress")
    nothing = failing("maintenance", "update", name)
    failing("maintenance", "end", name)
    late = failing("maintenance", "update", name, *verifying)

    assert plain.stdout == f"{name}  New disk: in_progress\n"
    assert tried.stdout == f"{name}  New disk: verifying\n"
    assert back.stdout == f"{name}  New disk: in_progress\n"
    assert "nothing to update: give TEXT, --status, --from" in nothing.stderr
    assert '"New disk" is not in progress: it is completed' in late.stderr
    assert re.findall(
        r"UTC  (\w+)$", failing("maintenance", "show", name).stdout, re.MULTILINE
    ) == [
        "scheduled",
        "in_progress",
        "verifying",
        "in_progress",
        "completed",
    ]
    assert failing("page", "out").returncode == 0
    page = (failing.folder / "out" / "maintenance" / f"{name}.html").read_text()
    assert "<p>The disk is <strong>in</strong>.</p>" in page


def test_what_is_typed_is_kept_as_it_can_be_shown(configured: Program) -> None:
    title = b"\xe2\x80\xaeDisk \xff\x1b[31m\nfull".decode(errors="surrogateescape")
    opened = configured("incident", "open", title, "--message", "a\x1b[2Jb" + 20_000 * "c")
    name = opened.stdout.split()[0]

    assert opened.stdout == f"{name}  Disk [31m full: investigating\n"
    assert "the text is truncated to 10000 characters" in opened.stderr
    assert "\n    a[2Jbccc" in configured("incident", "show", name).stdout
    longer = configured("incident", "update", name, "--title", 200 * "x")
    assert "the title is truncated to 120 characters" in longer.stderr
    assert longer.stdout == f"{name}  {119 * 'x'}…: investigating\n"


def test_a_correction_of_the_title_adds_nothing_to_the_story(configured: Program) -> None:
    name = first_id(configured, "incident", "open", "Disc full")
    configured("incident", "update", name, "--title", "Disk full", "--impact", "major")
    shown = configured("incident", "show", name).stdout
    assert shown.count("investigating") == 2
    assert re.match(rf"{name}  major .* Disk full\n", shown)


def test_what_began_long_ago_is_found_by_its_month(configured: Program) -> None:
    began = 1_741_000_000 * SECOND
    said = {"id": "s", "at": began + SECOND, "status": "resolved", "text": "A disk."}
    about = {"title": "Orders failed", "impact": "minor", "started": began, "said": [said]}
    work = {"title": "New disk", "created": began, "start": began, "end": began + SECOND}
    month = configured.folder / "checks" / "incidents" / "2025-03.json"
    month.parent.mkdir(parents=True)
    document = {
        "schema": 1,
        "incidents": {"abc": {"id": "abc", **about}},
        "maintenance": {"def": {"id": "def", **work}},
    }
    month.write_text(json.dumps(document))
    there = ("--month", "2025-03")

    unasked = configured("incident", "update", "abc", "It was us.")
    listed = configured("incident", "list", *there)
    updated = configured("incident", "update", "a", "It was us.", "--status", "postmortem", *there)
    renamed = configured("incident", "update", "abc", "--title", "Orders fell", *there)
    noted = configured("maintenance", "update", "def", "It has held.", *there)
    shown = configured("incident", "show", "abc", *there)

    assert unasked.returncode == 1
    assert "add --month YYYY-MM" in unasked.stderr
    assert listed.stdout.startswith("abc  minor  resolved  ")
    assert updated.stdout == "abc  Orders failed: postmortem\n"
    assert renamed.stdout == "abc  Orders fell: postmortem\n"
    assert noted.stdout == "def  New disk: completed\n"
    assert re.findall("A disk|It was us", shown.stdout) == ["A disk", "It was us"]
    assert "Orders fell" in configured("incident", "list").stdout


def test_what_is_archived_of_a_recent_month_is_found_without_it(configured: Program) -> None:
    now = time.time_ns()
    began = month_start(now - RECENT_PERIOD)
    said = {"id": "s", "at": began + SECOND, "status": "resolved", "text": "A disk."}
    about = {"title": "Orders failed", "impact": "minor", "started": began, "said": [said]}
    work = {"title": "New disk", "created": began, "start": began, "end": began + SECOND}
    month = configured.folder / "checks" / "incidents" / f"{format_month(began)}.json"
    month.parent.mkdir(parents=True)
    document = {
        "schema": 1,
        "incidents": {"abc": {"id": "abc", **about}},
        "maintenance": {"def": {"id": "def", **work}},
    }
    month.write_text(json.dumps(document))

    listed = configured("incident", "list").stdout
    shown = configured("incident", "show", "abc").stdout
    over = configured("incident", "resolve", "abc")
    ended = configured("maintenance", "end", "def")
    archived = json.loads(month.read_text())
    updated = configured("incident", "update", "abc", "It was us.", "--status", "postmortem")
    noted = configured("maintenance", "update", "def", "It has held.")

    assert listed.startswith("abc  minor  resolved  ")
    assert "A disk." in shown
    assert over.stdout == "abc  Orders failed: resolved\n"
    assert ended.stdout.startswith("def  New disk: ended "), ended.stderr
    assert archived["maintenance"]["def"]["end"] == began + SECOND
    assert updated.stdout == "abc  Orders failed: postmortem\n"
    assert noted.stdout == "def  New disk: completed\n"
    shown = configured("incident", "show", "abc").stdout
    assert re.findall("A disk|It was us", shown) == ["A disk", "It was us"]
    assert "It has held." in configured("maintenance", "show", "def").stdout


def test_maintenance_that_never_begins_is_called_off(configured: Program) -> None:
    name = first_id(configured, "maintenance", "add", "New disk", "--from", "in 1h", "--for", "1h")
    ended = configured("maintenance", "end", name, "The disk is late.")
    assert ended.stdout == f"{name}  New disk: canceled\n"
    assert configured("page", "out").returncode == 0
    page = (configured.folder / "out" / "maintenance" / f"{name}.html").read_text()
    assert "Cancelled; was scheduled for" in page
    assert "STATUS:CANCELLED" in (configured.folder / "out" / "maintenance.ics").read_text()


def test_maintenance_of_the_configuration_ends_there(configured: Program) -> None:
    name = configured("maintenance").stdout.split()[0]
    assert "is in checkup.json; change it there" in configured("maintenance", "end", name).stderr


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("in 2h", NOW + 7200 * SECOND),
        ("in 3d", NOW + 3 * 86_400 * SECOND),
        ("2026-08-03T22:00:00Z", 1_785_794_400 * SECOND),
        ("2026-08-04 00:00", 1_785_794_400 * SECOND),
        ("2026-08-04T00:00:00+02:00", 1_785_794_400 * SECOND),
    ],
)
def test_moments(text: str, moment: int) -> None:
    assert parse_timestamp(text, NOW, "Europe/Berlin") == moment


@pytest.mark.parametrize(
    "text", ["", "soon", "in", "in x", "25:00", "1969-12-31", "2026-13-01", "9999-12-31"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(CheckupError):
        parse_timestamp(text, NOW, "UTC")
