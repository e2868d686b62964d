"""Budget 8: requests to S3 per run, the page included, as the mean of an hour without events."""

from __future__ import annotations

from budgets import Table
from s3_hour import uneventful_hour


def main() -> None:
    """Measure and judge."""
    hour = uneventful_hour()
    table = Table()
    table.row("8 S3 requests per run: PUT, LIST", hour.puts, 3.5, 2.5)
    table.row("8 S3 requests per run: GET, HEAD", hour.gets, 5, 3)
    for (who, verb, what), number in sorted(hour.requests.items(), key=lambda item: -item[1]):
        table.note(f"   {who}: {verb} {what}", number, " an hour")
    table.end()


if __name__ == "__main__":
    main()
