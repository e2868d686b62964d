"""Whatever a stored or configured string holds, it is text."""

from __future__ import annotations

import json
import time

import pytest
from msgspec.structs import replace

from checkup.config.page import PageLink, PageSettings, StatusText
from checkup.config.settings import GroupSettings
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate, Maintenance
from checkup.interfaces import Checker, PageFile
from checkup.model import Attempt, Result, Status
from checkup.times import SECOND, day_start
from checkup_page.build_view import PageData, build_view
from checkup_page.incidents.build import IncidentData
from checkup_page.incidents.pages import IncidentPages
from checkup_page.render import render_site
from tests.page.conftest import Site, Visit
from tests.page.worlds import checker, config, result, runs

ATTACKS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onmouseover="alert(1)" autofocus onfocus="alert(1)" x="',
    "' onfocus='alert(1)' autofocus tabindex='0",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<link rel=stylesheet href=http://127.0.0.9/x.css>",
    "<base href=http://127.0.0.9/>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.9/'>",
    "<form action=http://127.0.0.9/><button>",
    "</svg><foreignObject><body onload=alert(1)>",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "http://127.0.0.9/ javascript:alert(1)",
    "<!--><script>alert(1)</script>-->",
    "]]><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}#{7*7}",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "url(http://127.0.0.9/x)",
    "expression(alert(1))",
    "line\\u2028separator\\u003cscript\\u003e",
]


def hostile() -> dict[str, PageFile]:
    """A page all of whose strings are attacks."""
    checkers = [
        checker(
            f"{number} {attack}",
            id=attack,
            description=attack,
            group=attack,
            link=attack,
            endpoint_url=attack,
        )
        for number, attack in enumerate(ATTACKS)
    ]

    def evil(of: Checker, attack: str) -> Result:
        times = (Attempt(rtt=1, error=attack, failure=attack),)
        return replace(
            result(of, Status.DOWN), attempts=times, message=attack, notice=attack, region=attack
        )

    seen = [evil(of, attack) for of, attack in zip(checkers, ATTACKS, strict=True)]
    page = PageSettings(
        title=ATTACKS[0],
        url=ATTACKS[17],
        logo=ATTACKS[18],
        links=tuple(PageLink(title=attack, url=attack) for attack in ATTACKS),
        status_text=StatusText(down=ATTACKS[5]),
    )
    groups = tuple(GroupSettings(name=attack, description=attack) for attack in ATTACKS)
    world = replace(config(checkers, page), groups=groups)
    now = time.time_ns()
    observed = PageData(
        runs=runs([[result(of) for of in checkers], seen], newest=now - SECOND),
        incidents=IncidentData(document=announced(now), months=(day_start(now),)),
    )
    view = build_view(world, observed, now)
    return {**IncidentPages().files(world, [view], {}), **render_site(view)}


def announced(now: int) -> IncidentDocument:
    """An incident for each attack, and work that is going on."""
    incidents = [
        Incident(
            id=f"attack{number:06}",
            title=attack,
            impact="major",
            started=now - number * SECOND,
            checkers=(attack,),
            updates=(
                IncidentUpdate(
                    id=attack, at=now, status="investigating", text=f"{attack}\n\n{attack}"
                ),
            ),
        )
        for number, attack in enumerate(ATTACKS)
    ]
    work = Maintenance(
        id="work00000000",
        title=ATTACKS[5],
        text="\n".join(ATTACKS),
        created=now,
        start=now - SECOND,
        end=now + 3600 * SECOND,
        checkers=(ATTACKS[5],),
    )
    return IncidentDocument(incidents={it.id: it for it in incidents}, maintenance={work.id: work})


PAGES = ["index.html", "incidents/attack000000.html", "maintenance/work00000000.html", "month"]


@pytest.mark.row("133", "F08")
@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("visit", [{}, {"java_script_enabled": False}], indirect=True)
def test_no_string_does_anything(site: Site, visit: Visit, path: str) -> None:
    site.files = hostile()
    if path == "month":
        path = next(it for it in site.files if it.startswith("history/2"))
    page = visit.open(path)
    assert page.locator("h1").count() == 1
    visit.open_everything()
    page.wait_for_timeout(200)
    visit.expect_no_complaint()
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert (
        page.evaluate(
            "document.querySelectorAll('[onload],[onerror],[onfocus],iframe,form,base').length"
        )
        == 0
    )


@pytest.mark.row("133", "172", "F08")
def test_every_string_is_shown_as_it_is(site: Site, visit: Visit) -> None:
    site.files = hostile()
    page = visit.open()
    names = page.locator(".components h3").all_text_contents()
    assert names == [f"{number} {attack}" for number, attack in enumerate(ATTACKS)]
    # The messages that count are in the page too, closed or not.
    shown = page.locator(".messages li p:nth-child(2)").all_text_contents()
    assert set(shown) <= set(ATTACKS)
    assert len(shown) == 20


@pytest.mark.row("133")
def test_what_got_in_all_the_same_could_do_nothing(site: Site, visit: Visit) -> None:
    site.files = hostile()
    page = visit.open()
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.evil = true";
            const image = document.createElement("img");
            image.src = "http://127.0.0.9/";
            document.body.append(script, image);
            document.body.setAttribute("style", "color: red");
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.evil") is None
    assert len(visit.complaints) == 3
    assert all("Content Security Policy" in complaint for complaint in visit.complaints)


@pytest.mark.row("163", "F17")
def test_links_lead_to_web_addresses_only(site: Site, visit: Visit) -> None:
    site.files = hostile()
    links = visit.open().locator("main a").evaluate_all("all => all.map(a => a.protocol)")
    assert set(links) <= {"http:", "https:"}


def test_no_string_breaks_the_json() -> None:
    summary = json.loads(hostile()["api/v2/summary.json"].body)
    names = [item["name"] for item in summary["components"] if not item["group"]]
    assert names == [f"{number} {attack}" for number, attack in enumerate(ATTACKS)]
