"""Budgets 8 and 9: requests to S3 per run, the page included, and what a month of that costs.

The requests are the mean of an hour in which nothing happens. What `checkup cost` says of them must
be what was counted, within a tenth.
"""

from __future__ import annotations

from budgets import Table
from s3_hour import MINUTES, Hour, configuration, uneventful_hour

from checkup.cli.pricing import HourlyUsage, hourly_usage, monthly_bill, s3_requests, stack_size

ENDPOINTS = 50
FEW, REGIONS = 5, 3
NOT_COUNTED = {"CloudWatch metrics", "CloudWatch alarms", "Data sent by checks"}
"""The first two are free, and what is sent is not of the budget."""


def main() -> None:
    """Measure and judge."""
    hour = uneventful_hour(configuration(ENDPOINTS))
    table = Table()
    table.row("s3-puts", hour.puts)
    table.row("s3-gets", hour.gets)
    for (who, verb, what), number in sorted(hour.requests.items(), key=lambda item: -item[1]):
        table.note(f"{who}: {verb} {what}", number, "an hour")
    month = [line for line in monthly_bill(usage()) if line.what not in NOT_COUNTED]
    dollars = sum(line.list_price for line in month)
    table.row("month", dollars)
    for line in month:
        table.note(f"{line.what}: {line.quantity:,.0f} {line.price.unit}", line.list_price, "$")
    puts, gets = estimate_errors(usage(), hour)
    table.row("estimate-puts", puts)
    table.row("estimate-gets", gets)
    puts, gets = estimate_errors(usage(FEW, REGIONS), uneventful_hour(configuration(FEW, REGIONS)))
    table.row("estimate-puts-regions", puts)
    table.row("estimate-gets-regions", gets)
    table.end()


def usage(components: int = ENDPOINTS, regions: int = 1) -> HourlyUsage:
    """Return what `checkup cost` takes such a stack to do."""
    config = configuration(components, regions)
    return hourly_usage(config, stack_size(config, None))


def estimate_errors(usage: HourlyUsage, hour: Hour) -> tuple[float, float]:
    """Return by how many percent `checkup cost` is off the counted PUTs and GETs."""
    asked = s3_requests(usage)
    puts, gets = asked.puts / MINUTES, asked.gets / MINUTES
    return abs(puts / hour.puts - 1) * 100, abs(gets / hour.gets - 1) * 100


if __name__ == "__main__":
    main()
