"""What AWS charges, and what of it AWS gives every account each month for ever."""

from __future__ import annotations

from typing import Final, NamedTuple

REGION: Final = "us-east-1"
AS_OF: Final = "2026-11-22"
"""When the list prices were looked up; other regions cost up to half as much again."""

_MILLION: Final = 1e6


class Price(NamedTuple):
    """The price of one unit.

    Attributes:
        unit: what is counted.
        dollars: for one of it, at list price.
        page: where AWS says so, below https://aws.amazon.com/.
        free: how many of it an account is not charged for in a month.
    """

    unit: str
    dollars: float
    page: str
    free: float = 0

    def listed(self, quantity: float) -> float:
        """Return the dollars for a quantity at list price."""
        return quantity * self.dollars

    def paid(self, quantity: float) -> float:
        """Return the dollars for a quantity of an account that uses nothing else of it."""
        return max(0, quantity - self.free) * self.dollars


PUT: Final = Price("PUT, LIST", 5 / _MILLION, "s3/pricing")
GET: Final = Price("GET", 0.4 / _MILLION, "s3/pricing")
STORED: Final = Price("GB", 0.023, "s3/pricing")
COMPUTE: Final = {
    "arm64": Price("GB-seconds", 13.3334 / _MILLION, "lambda/pricing", 400_000),
    "x86_64": Price("GB-seconds", 16.6667 / _MILLION, "lambda/pricing", 400_000),
}
INVOKED: Final = Price("invocations", 0.20 / _MILLION, "lambda/pricing", 1 * _MILLION)
SCHEDULED: Final = Price("invocations", 1.00 / _MILLION, "eventbridge/pricing", 14 * _MILLION)
LOGGED: Final = Price("GB", 0.50, "cloudwatch/pricing", 5)
METRIC: Final = Price("metrics", 0.30, "cloudwatch/pricing", 10)
ALARM: Final = Price("alarms", 0.10, "cloudwatch/pricing", 10)
SECRET: Final = Price("secrets", 0.40, "secrets-manager/pricing")
SENT: Final = Price("GB", 0.09, "ec2/pricing/on-demand", 100)
BETWEEN_REGIONS: Final = Price("GB", 0.02, "ec2/pricing/on-demand")
