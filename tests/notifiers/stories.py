"""An outage and its end, and what a channel is told of them."""

from __future__ import annotations

from msgspec.structs import replace

from checkup.interfaces import Notification
from checkup.model import Alert, AlertKind, Status
from checkup.times import SECOND

NIGHT = 1_714_532_000 * SECOND  # 2024-05-01 02:53:20 UTC

DOWN = Alert(
    id="user-service/open:down/1/1714532000000000000",
    checker="user-service",
    title="User service",
    endpoint="http://127.0.0.1:8000/?key=***",
    kind=AlertKind.OPEN,
    status=Status.DOWN,
    previous_status=Status.HEALTHY,
    slot=NIGHT,
    since=NIGHT,
    opened=NIGHT,
    reason="connection refused",
    failure="connect_refused",
    region="eu-central-1",
)
BACK = replace(
    DOWN,
    id="user-service/resolve:healthy/1/1714537000000000000",
    kind=AlertKind.RESOLVE,
    status=Status.HEALTHY,
    previous_status=Status.DOWN,
    slot=NIGHT + 5000 * SECOND,
    since=NIGHT + 5000 * SECOND,
    reason="",
    failure="",
)
LINKS = {"user-service": "https://status.example.com/components/abc.html"}
SLOW = replace(DOWN, status=Status.DEGRADED, failure="slow")
LONG = replace(DOWN, title="🔥" * 3000, reason="*" * 3000, endpoint="<" * 3000, region="&" * 3000)


def notification(*alerts: Alert, total: int = 10, **more: object) -> Notification:
    return Notification(alerts=alerts, checker_count=total, **more)  # type: ignore[arg-type]


def many(count: int) -> list[Alert]:
    return [
        replace(DOWN, id=f"c{n}/open:down/1/5", checker=f"c{n}", title=f"Service {n}")
        for n in range(count)
    ]
