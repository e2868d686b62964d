"""Budgets 8 and 9: requests to S3 per run, the page included, and what a month of that costs.

The requests are the mean of an hour in which nothing happens. What `checkup cost` says of them must
be what was counted, within a tenth.
"""

from __future__ import annotations

from budgets import Table
from s3_hour import MINUTES, uneventful_hour

from checkup.cli.bill import Usage, asked_of_s3, bill

ENDPOINTS = 50


def main() -> None:
    """Measure and judge."""
    hour = uneventful_hour()
    table = Table()
    table.row("8 S3 requests per run: PUT, LIST", hour.puts, 3.5, 2.5)
    table.row("8 S3 requests per run: GET, HEAD", hour.gets, 5, 3)
    for (who, verb, what), number in sorted(hour.requests.items(), key=lambda item: -item[1]):
        table.note(f"   {who}: {verb} {what}", number, " an hour")
    each = ENDPOINTS * MINUTES
    usage = Usage(components=ENDPOINTS, attempts=each, results=each, runs=MINUTES)
    month = [line for line in bill(usage) if " alarms" not in line.what]
    dollars = sum(line.listed for line in month)
    table.row("9 month, 50 endpoints each minute: list price", dollars, 1.60, 1.10, " $")
    for line in month:
        table.note(f"   {line.what}", line.listed, " $")
    asked = asked_of_s3(usage)
    table.row(
        "  PUT, LIST of `checkup cost`, off the count", off(asked.puts, hour.puts), 10, 3, " %"
    )
    table.row("  GET of `checkup cost`, off the count", off(asked.gets, hour.gets), 10, 3, " %")
    table.end()


def off(estimated: float, counted: float) -> float:
    """Return by how many percent the requests of an hour differ from those per run."""
    return abs(estimated / MINUTES / counted - 1) * 100


if __name__ == "__main__":
    main()
