"""A small company's page in all the states that a page can be in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.config.page import PageLink, PageSettings
from checkup.config.settings import Config, GroupSettings
from checkup.history.tally import Tally
from checkup.incidents.model import Incident, IncidentDocument, IncidentUpdate, Maintenance
from checkup.interfaces import PageFile
from checkup.model import Result, Run, Status
from checkup.times import DAY, SECOND, day_start
from checkup_page.build_view import PageData, build_view
from checkup_page.components.bars import closed_day_bars
from checkup_page.components.build import DailyHistory
from checkup_page.components.history import ComponentHistory
from checkup_page.incidents.build import IncidentData
from checkup_page.render import render_site
from tests.page.worlds import MILLISECOND, MINUTE, checker, result, runs

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN
HOUR = 60 * MINUTE

WEBSITE = checker("Website", description="acme.example and all shops")
API = checker("Public API", id="api", threshold_rtt=400 * MILLISECOND, group="Services")
LOGIN = checker("Sign-in", id="login", group="Services")
MAIL = checker("Outgoing mail", id="mail", group="Services")
PAYMENTS = checker("Card payments", id="cards", group="Payments")
INVOICES = checker("Invoices", id="invoices", group="Payments")
COMPANY = (WEBSITE, API, LOGIN, MAIL, PAYMENTS, INVOICES)

PAGE = PageSettings(
    title="Acme Status",
    url="https://status.acme.example/",
    languages=("en",),
    links=(
        PageLink(title="acme.example", url="https://acme.example/"),
        PageLink(title="Support", url="https://acme.example/support"),
    ),
    logo="data:image/svg+xml,%3Csvg%20xmlns='http://www.w3.org/2000/svg'%20viewBox='0%200%2032%2032'"
    "%20width='32'%20height='32'%3E%3Crect%20width='32'%20height='32'%20rx='8'%20fill='%230969da'/%3E"
    "%3Cpath%20d='M9%2023l7-15%207%2015m-11-5h8'%20fill='none'%20stroke='white'%20stroke-width='3'/%3E%3C/svg%3E",
)


def first(now: int) -> dict[str, PageFile]:
    return render_site(build_view(_config(COMPANY), PageData(), now))


def well(now: int) -> dict[str, PageFile]:
    return _files(now)


def degraded(now: int) -> dict[str, PageFile]:
    return _files(now, {API.id: DEGRADED})


def outage(now: int) -> dict[str, PageFile]:
    told = IncidentDocument(incidents={it.id: it for it in (_ongoing(now), _over(now))})
    return _files(now, {PAYMENTS.id: DOWN}, announced=told)


def korean(now: int) -> dict[str, PageFile]:
    told = IncidentDocument(incidents={"mailqueue000": _over(now)})
    return _files(now, {PAYMENTS.id: DOWN}, announced=told, languages=("ko", "en"))


def maintenance(now: int) -> dict[str, PageFile]:
    told = IncidentDocument(
        incidents={"mailqueue000": _over(now)}, maintenance={it.id: it for it in _planned(now)}
    )
    return _files(now, {INVOICES.id: DOWN}, announced=told)


def stale(now: int) -> dict[str, PageFile]:
    return _files(now, age=50 * MINUTE)


def unknown(now: int) -> dict[str, PageFile]:
    return _files(now, {it.id: UNKNOWN for it in COMPANY})


def fifty(now: int) -> dict[str, PageFile]:
    many = [checker(f"Service {number:02}", group=f"Region {number % 4}") for number in range(50)]
    return _files(now, {"service 07": DOWN}, checkers=many)


def long_and_rtl(now: int) -> dict[str, PageFile]:
    names = [
        checker("Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 2, id="long"),
        checker("خدمة الدفع عبر الإنترنت", id="rtl", group="خدمات", description="كل شيء عن الدفع"),
        checker("A service whose name says everything that there is to be said of it " * 2, id="w"),
        checker("שירות תשלומים (API v2)", id="hebrew", group="خدمات"),
        checker("결제 서비스", id="korean", group="خدمات"),
    ]
    return _files(now, {"rtl": DOWN}, checkers=names)


def places(now: int) -> dict[str, PageFile]:
    return _files(now, {PAYMENTS.id: DOWN}, regions={"eu-1": "Frankfurt", "ap-1": "Seoul"})


def runs_only(now: int) -> dict[str, PageFile]:
    return _files(now, {LOGIN.id: DOWN}, days=False)


STATES: dict[str, Callable[[int], dict[str, PageFile]]] = {
    "first-run": first,
    "runs": runs_only,
    "all-well": well,
    "degraded": degraded,
    "outage": outage,
    "maintenance": maintenance,
    "stale": stale,
    "unknown": unknown,
    "fifty": fifty,
    "names": long_and_rtl,
    "places": places,
    "korean": korean,
}


def _config(
    checkers: Sequence[HttpChecker],
    languages: tuple[str, ...] = ("en",),
    regions: Mapping[str, str] | None = None,
) -> Config:
    groups = (
        GroupSettings(name="Services", description="What our customers' programs talk to"),
        GroupSettings(name="Payments"),
    )
    regions = dict(regions or {})
    page = replace(PAGE, languages=languages, regions=regions)
    return Config(checkers=tuple(checkers), page=page, groups=groups, regions=tuple(regions))


def _files(
    now: int,
    statuses: Mapping[str, Status] | None = None,
    *,
    checkers: Sequence[HttpChecker] = COMPANY,
    age: int = 0,
    days: bool = True,
    announced: IncidentDocument | None = None,
    languages: tuple[str, ...] = ("en",),
    regions: Mapping[str, str] | None = None,
) -> dict[str, PageFile]:
    """A page whose last quarter of an hour looks like this, after a quarter of a year.

    Of several regions, only the last one sees what is bad.
    """
    bad = statuses or {}
    seen = [
        [_seen(of, place, run, bad.get(of.id, HEALTHY)) for place, of in enumerate(checkers)]
        for run in range(90)
    ]
    pasts = {of.id: _history(now, place, bad.get(of.id)) for place, of in enumerate(checkers)}
    lately = runs(seen, newest=now - age - 12 * SECOND)
    observed = PageData(
        runs=tuple(it for run in lately for it in _everywhere(run, [*(regions or {})], checkers)),
        daily=pasts if days else {},
        histories={of.id: ComponentHistory(first_result_at=now - 400 * DAY) for of in checkers}
        if days
        else {},
        incidents=IncidentData(document=announced or IncidentDocument(), months=(day_start(now),)),
    )
    config = _config(checkers, languages, regions)
    return render_site(*(build_view(config, observed, now, code) for code in languages))


def _everywhere(run: Run, regions: Sequence[str], checkers: Sequence[HttpChecker]) -> Iterator[Run]:
    if not regions:
        yield run
    for number, region in enumerate(regions):
        seen = run.results if region == regions[-1] else [result(of) for of in checkers]
        results = tuple(replace(it, region=region) for it in seen)
        yield Run(slot=run.slot + number, results=results)


def _seen(of: HttpChecker, place: int, run: int, status: Status) -> Result:
    late = run >= 75
    rtt = (90 + 40 * place + (run * 7919 * (place + 3)) % 37) * MILLISECOND
    slow = 400 * MILLISECOND if late and status is DEGRADED else 0
    return result(of, status if late else HEALTHY, rtt=rtt + slow, threshold=of.threshold_rtt)


def _history(now: int, place: int, status: Status | None) -> DailyHistory:
    affected = {
        0: {31: Tally(healthy=DAY - 12 * MINUTE, down=12 * MINUTE)},
        1: {8: Tally(healthy=DAY - 3 * HOUR, degraded=3 * HOUR), 55: Tally(unknown=DAY)},
        3: {3: Tally(healthy=DAY - 95 * MINUTE, down=95 * MINUTE)},
        4: {20: Tally(healthy=DAY - 2 * HOUR, maintenance=2 * HOUR)},
        5: {62: Tally(healthy=DAY - 4 * HOUR, down=4 * HOUR), 63: Tally(maintenance=DAY)},
    }.get(place % 7, {})
    # The day looks the same at any time of it.
    today = max(now - day_start(now), DAY // 2)
    bad = {status.value: 15 * MINUTE} if status else {}
    closed = [
        (day_start(now) - back * DAY, affected.get(back, Tally(healthy=DAY)))
        for back in range(89, 0, -1)
    ]
    return DailyHistory(
        since=day_start(now) - 400 * DAY,
        closed=closed_day_bars(closed),
        today=Tally(healthy=today - 15 * MINUTE if bad else today, **bad),  # type: ignore[arg-type]
    )


def _ongoing(now: int) -> Incident:
    begun = now - 15 * MINUTE
    return Incident(
        id="cardpayments",
        title="Card payments are failing",
        impact="major",
        started=begun,
        checkers=(PAYMENTS.id,),
        updates=(
            IncidentUpdate(
                id="1", at=begun, status="investigating", text="We are looking into it."
            ),
            IncidentUpdate(
                id="2",
                at=now - 4 * MINUTE,
                status="identified",
                text="Our card processor rejects new connections. We are moving payments to the "
                "second processor, which takes ten minutes. **No card is charged twice.**",
            ),
        ),
    )


def _over(now: int) -> Incident:
    begun = now - 3 * DAY
    return Incident(
        id="mailqueue000",
        title="Outgoing mail is delayed",
        impact="minor",
        started=begun,
        checkers=(MAIL.id,),
        updates=(
            IncidentUpdate(id="1", at=begun, status="investigating", text="Mail leaves us late."),
            IncidentUpdate(
                id="2", at=begun + 95 * MINUTE, status="resolved", text="All of it is delivered."
            ),
        ),
    )


def _planned(now: int) -> Iterator[Maintenance]:
    plans = (
        ("Database upgrade", now - 20 * MINUTE),
        ("New power supplies", now + DAY),
        ("Network upgrade in Frankfurt", now + 8 * DAY),
        ("Network upgrade in Dublin", now + 15 * DAY),
    )
    for number, (title, start) in enumerate(plans):
        yield Maintenance(
            id=f"maintenance{number}",
            title=title,
            text="Invoices arrive up to two hours late.",
            created=now - DAY,
            start=start,
            end=start + 2 * HOUR,
            checkers=(INVOICES.id,),
        )
