"""What a month of a deployed stack costs, line by line. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from checkup.cli.pricing import prices
from checkup.cli.pricing.prices import Price
from checkup.cli.pricing.usage import PAGES, WAITS, WHOLE_PROCESSOR, HourlyUsage, s3_requests

_HOURS: Final = 730
"""Of a month."""

_GIGABYTE: Final = 1e9

_PAGE_CPU: Final = 0.1
"""Seconds of a whole processor that a page takes."""

_LOG_BYTES: Final = 900
_SENT_BYTES: Final = 1_500
"""Of one attempt over HTTPS, its handshake and the headers of its packets included."""


class BillLine(NamedTuple):
    """One line of the bill.

    Attributes:
        quantity: of the price's unit.
        note: what else there is to know of the quantity.
    """

    what: str
    quantity: float
    price: Price
    note: str = ""

    @property
    def listed(self) -> float:
        """Dollars at list price."""
        return self.price.listed(self.quantity)

    @property
    def paid(self) -> float:
        """Dollars after what AWS gives away for ever."""
        return self.price.paid(self.quantity)


def monthly_bill(usage: HourlyUsage) -> Iterator[BillLine]:
    """Yield the lines of a month, but for what CloudFront sends to readers."""
    yield from _storage(usage)
    yield from _functions(usage)
    yield from _watch(usage)
    yield from _data(usage)


def _storage(usage: HourlyUsage) -> Iterator[BillLine]:
    asked = s3_requests(usage)
    yield BillLine("S3 requests", asked.puts * _HOURS, prices.PUT)
    yield BillLine("S3 requests", asked.gets * _HOURS, prices.GET)
    stored = usage.bytes_of_runs * usage.regions * usage.sizes.retention * 24 / _GIGABYTE
    yield BillLine("S3 storage", stored, prices.STORED, f"runs of {usage.sizes.retention} days")


def _functions(usage: HourlyUsage) -> Iterator[BillLine]:
    runs, pages = usage.runs * _HOURS * usage.regions, usage.pages * _HOURS
    page_seconds = WAITS + _PAGE_CPU * WHOLE_PROCESSOR / usage.sizes.memory
    compute = (runs * usage.run_seconds + pages * page_seconds) * usage.sizes.memory / 1024
    note = f"{usage.run_seconds:.1f} s a run" + ("" if usage.sizes.seconds else ", a guess")
    yield BillLine("Lambda compute", compute, prices.COMPUTE[usage.sizes.architecture], note)
    yield BillLine("Lambda requests", runs + pages, prices.INVOKED)
    scheduled = runs + (PAGES * _HOURS if usage.sizes.has_page else 0)
    yield BillLine("EventBridge Scheduler", scheduled, prices.SCHEDULED)


def _watch(usage: HourlyUsage) -> Iterator[BillLine]:
    events = (usage.runs * usage.regions + usage.pages) * _HOURS
    yield BillLine("CloudWatch logs", events * _LOG_BYTES / _GIGABYTE, prices.LOGGED)
    yield BillLine("CloudWatch metrics", usage.metrics, prices.METRIC)
    yield BillLine("CloudWatch alarms", usage.alarms, prices.ALARM)


def _data(usage: HourlyUsage) -> Iterator[BillLine]:
    sent = usage.attempts * usage.regions * _HOURS * _SENT_BYTES / _GIGABYTE
    yield BillLine("Data sent by checks", sent, prices.SENT)
    if usage.regions > 1:
        brought = usage.bytes_of_runs * (usage.regions - 1) * _HOURS / _GIGABYTE
        yield BillLine("Data between regions", brought, prices.BETWEEN_REGIONS)
    if usage.secrets:
        yield BillLine("Secrets Manager", usage.secrets, prices.SECRET)
