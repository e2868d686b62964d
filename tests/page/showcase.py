"""A small company's page in all the states that a page can be in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.config.settings import Config, GroupSettings, PageLink, PageSettings
from checkup.history.periods import DAY, day_of
from checkup.history.tally import Tally
from checkup.model import SECOND, Status
from checkup.ports import PageFile
from checkup_page.announcement import Affected, Incident, Maintenance, Update
from checkup_page.component import Past
from checkup_page.compose import Observed, compose
from checkup_page.days import closed_days
from checkup_page.render import render
from checkup_page.state import State
from checkup_page.view import View
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
    return render(compose(_config(COMPANY), Observed(), now))


def well(now: int) -> dict[str, PageFile]:
    return render(_view(now))


def degraded(now: int) -> dict[str, PageFile]:
    return render(_view(now, {API.id: DEGRADED}))


def outage(now: int) -> dict[str, PageFile]:
    view = _view(now, {PAYMENTS.id: DOWN})
    return render(replace(view, incidents=(_ongoing(now), *_past(now))))


def maintenance(now: int) -> dict[str, PageFile]:
    view = _view(now)
    return render(replace(view, maintenances=_planned(now), incidents=_past(now)))


def stale(now: int) -> dict[str, PageFile]:
    return render(_view(now, age=50 * MINUTE))


def unknown(now: int) -> dict[str, PageFile]:
    return render(_view(now, {it.id: UNKNOWN for it in COMPANY}))


def fifty(now: int) -> dict[str, PageFile]:
    many = [checker(f"Service {number:02}", group=f"Region {number % 4}") for number in range(50)]
    return render(_view(now, {"service 07": DOWN}, checkers=many))


def long_and_rtl(now: int) -> dict[str, PageFile]:
    names = [
        checker("Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik" * 2, id="long"),
        checker("خدمة الدفع عبر الإنترنت", id="rtl", group="خدمات", description="كل شيء عن الدفع"),
        checker("A service whose name says everything that there is to be said of it " * 2, id="w"),
        checker("שירות תשלומים (API v2)", id="hebrew", group="خدمات"),
        checker("결제 서비스", id="korean", group="خدمات"),
    ]
    return render(_view(now, {"rtl": DOWN}, checkers=names))


def runs_only(now: int) -> dict[str, PageFile]:
    return render(_view(now, {LOGIN.id: DOWN}, days=False))


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
}


def _config(checkers: Sequence[HttpChecker]) -> Config:
    groups = (
        GroupSettings(name="Services", description="What our customers' programs talk to"),
        GroupSettings(name="Payments"),
    )
    return Config(checkers=tuple(checkers), page=PAGE, groups=groups)


def _view(
    now: int,
    statuses: Mapping[str, Status] | None = None,
    *,
    checkers: Sequence[HttpChecker] = COMPANY,
    age: int = 0,
    days: bool = True,
) -> View:
    """A page whose last quarter of an hour looks like this, after a quarter of a year."""
    bad = statuses or {}
    seen = [
        [
            result(
                of,
                bad.get(of.id, HEALTHY) if run >= 75 else HEALTHY,
                rtt=(90 + 40 * place + (run * 7919 * (place + 3)) % 37) * MILLISECOND
                + (400 * MILLISECOND if bad.get(of.id) is DEGRADED and run >= 75 else 0),
                threshold=getattr(of, "threshold_rtt", 0),
            )
            for place, of in enumerate(checkers)
        ]
        for run in range(90)
    ]
    pasts = {of.id: _history(now, place, bad.get(of.id)) for place, of in enumerate(checkers)}
    observed = Observed(
        runs=runs(seen, newest=now - age - 12 * SECOND), pasts=pasts if days else {}
    )
    return compose(_config(checkers), observed, now)


def _history(now: int, place: int, status: Status | None) -> Past:
    troubled = {
        0: {31: Tally(healthy=DAY - 12 * MINUTE, down=12 * MINUTE)},
        1: {8: Tally(healthy=DAY - 3 * HOUR, degraded=3 * HOUR), 55: Tally(unknown=DAY)},
        3: {3: Tally(healthy=DAY - 95 * MINUTE, down=95 * MINUTE)},
        4: {20: Tally(healthy=DAY - 2 * HOUR, maintenance=2 * HOUR)},
        5: {62: Tally(healthy=DAY - 4 * HOUR, down=4 * HOUR), 63: Tally(maintenance=DAY)},
    }.get(place % 7, {})
    today = now - day_of(now)
    bad = {status.value: min(today, 15 * MINUTE)} if status else {}
    closed = [
        (day_of(now) - back * DAY, troubled.get(back, Tally(healthy=DAY)))
        for back in range(89, 0, -1)
    ]
    return Past(
        since=day_of(now) - 400 * DAY,
        closed=closed_days(closed),
        today=Tally(healthy=max(0, today - 15 * MINUTE) if bad else today, **bad),  # type: ignore[arg-type]
    )


def _affected(*names: str) -> tuple[Affected, ...]:
    return tuple(Affected(key=name.lower().replace(" ", "-"), name=name) for name in names)


def _update(status: str, at: int, text: str) -> Update:
    return Update(key=f"{at:012}"[-12:], status=status, at=at, body=text, html=f"<p>{text}</p>")


def _ongoing(now: int) -> Incident:
    begun = now - 15 * MINUTE
    return Incident(
        key="cardpayments",
        title="Card payments are failing",
        impact="major",
        state=State.PARTIAL,
        status="identified",
        started_at=begun,
        updated_at=now - 4 * MINUTE,
        resolved_at=None,
        affected=_affected("Card payments"),
        updates=(
            _update(
                "identified",
                now - 4 * MINUTE,
                "Our card processor rejects new connections. We are moving payments to the second "
                "processor, which takes ten minutes. <strong>No card is charged twice.</strong>",
            ),
            _update("investigating", begun, "We are looking into failing card payments."),
        ),
    )


def _past(now: int) -> tuple[Incident, ...]:
    begun = now - 3 * DAY
    return (
        Incident(
            key="mailqueue000",
            title="Outgoing mail is delayed",
            impact="minor",
            state=State.DEGRADED,
            status="resolved",
            started_at=begun,
            updated_at=begun + 95 * MINUTE,
            resolved_at=begun + 95 * MINUTE,
            affected=_affected("Outgoing mail"),
            updates=(
                _update(
                    "resolved",
                    begun + 95 * MINUTE,
                    "All mail that was held back has been delivered.",
                ),
                _update("investigating", begun, "Mail leaves us up to an hour late."),
            ),
        ),
    )


def _planned(now: int) -> tuple[Maintenance, ...]:
    def planned(number: int, status: str, start: int, title: str) -> Maintenance:
        return Maintenance(
            key=f"maintenance{number}",
            title=title,
            status=status,
            scheduled_for=start,
            scheduled_until=start + 2 * HOUR,
            created_at=now - DAY,
            updated_at=now - DAY,
            affected=_affected("Invoices"),
            updates=(_update("scheduled", now - DAY, "Invoices arrive up to two hours late."),),
        )

    return (
        planned(1, "in_progress", now - 20 * MINUTE, "Database upgrade"),
        planned(2, "scheduled", now + DAY, "New power supplies"),
        planned(3, "scheduled", now + 8 * DAY, "Network upgrade in Frankfurt"),
        planned(4, "scheduled", now + 15 * DAY, "Network upgrade in Dublin"),
    )
