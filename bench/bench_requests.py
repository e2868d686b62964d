"""Budgets 8 and 9: requests to S3 per run, the page included, and what a month of that costs.

The requests are the mean of an hour in which nothing happens. What `checkup cost` says of them must
be what was counted, within a tenth.
"""

from __future__ import annotations

from budgets import Table
from s3_hour import MINUTES, Hour, configuration, uneventful_hour

from checkup.cli.pricing.bill import bill
from checkup.cli.pricing.sizes import sizes_of, usage_of
from checkup.cli.pricing.usage import Usage, asked_of_s3

ENDPOINTS = 50
FEW, REGIONS = 5, 3
NOT_COUNTED = {"CloudWatch metrics", "CloudWatch alarms", "Data sent by checks"}
"""The first two are free, and what is sent is not of the budget."""


def main() -> None:
    """Measure and judge."""
    hour = uneventful_hour(configuration(ENDPOINTS))
    table = Table()
    table.row("8 S3 requests per run: PUT, LIST", hour.puts, 3.5, 2.5)
    table.row("8 S3 requests per run: GET, HEAD", hour.gets, 5, 3)
    for (who, verb, what), number in sorted(hour.requests.items(), key=lambda item: -item[1]):
        table.note(f"   {who}: {verb} {what}", number, " an hour")
    month = [line for line in bill(usage()) if line.what not in NOT_COUNTED]
    dollars = sum(line.listed for line in month)
    table.row("9 month, 50 endpoints each minute: list price", dollars, 1.60, 1.10, " $")
    for line in month:
        table.note(f"   {line.what}: {line.quantity:,.0f} {line.price.unit}", line.listed, " $")
    compare(table, usage(), hour)
    compare(table, usage(FEW, REGIONS), uneventful_hour(configuration(FEW, REGIONS)))
    table.end()


def usage(components: int = ENDPOINTS, regions: int = 1) -> Usage:
    """Return what `checkup cost` takes such a stack to do."""
    config = configuration(components, regions)
    return usage_of(config, sizes_of(config, None))


def compare(table: Table, usage: Usage, hour: Hour) -> None:
    """Judge by how much `checkup cost` is off what was counted."""
    asked = asked_of_s3(usage)
    for verb, estimated, counted in (
        ("PUT", asked.puts, hour.puts),
        ("GET", asked.gets, hour.gets),
    ):
        off = abs(estimated / MINUTES / counted - 1) * 100
        table.row(
            f"  {verb} of `checkup cost`, off the count, regions: {usage.regions}", off, 10, 3, " %"
        )


if __name__ == "__main__":
    main()
