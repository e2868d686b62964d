"""``checkup cost``: what the configuration costs on AWS in a month."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import click
from msgspec.structs import replace

from checkup.cli import options, pricing
from checkup.cli.options import STACK, config_options, examples_epilog, verbose_option
from checkup.cli.output import format_table, plural
from checkup.cli.pricing import (
    MIN_INTERVAL,
    BillLine,
    HourlyUsage,
    StackSize,
    hourly_usage,
    monthly_bill,
    stack_size,
)
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.times import format_timespan, parse_timespan


def _number(_: click.Context, __: click.Parameter, value: float | None) -> float | None:
    """Refuse ``nan``, which is in every range."""
    if value is not None and math.isnan(value):
        raise click.BadParameter(f"{value} is not a number.")
    return value


@click.command(
    epilog=examples_epilog(
        "checkup cost",
        "checkup --stack checkup cost     the costs of a deployed stack",
        "checkup -c shop.yaml cost --memory 512 --retention 30 --interval 5m",
        "checkup cost --seconds 3.5       with the duration of a run from your logs",
    ),
)
@config_options
@click.option(
    "--memory", metavar="MB", type=click.IntRange(128, 10_240), help="MemorySize of the stack."
)
@click.option(
    "--retention",
    metavar="DAYS",
    type=click.IntRange(1, 3650),
    help="RunRetentionDays of the stack.",
)
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    help="Architecture of the stack.",
)
@click.option("--interval", metavar="TIME", help="Time between runs, such as 5m.")
@click.option(
    "--seconds",
    metavar="N",
    type=click.FloatRange(0, 60, min_open=True),
    callback=_number,
    help="Duration of a run  [default: estimated]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@verbose_option
def cost(
    config_file: str | None, *, as_json: bool, verbose: bool, **given: float | str | None
) -> int:
    """Estimate the monthly costs of this configuration on AWS, line by line.

    With --stack, for that stack as deployed; otherwise for a stack with the template's defaults
    that runs at the configuration's interval. Use the other options to try different sizes.
    The S3 requests were counted on an emulator, in an hour without an outage. CloudFront is not
    included: its free tier covers a terabyte of pages a month.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    sizes = _as_given(stack_size(config, _parameters()), given)
    usage = hourly_usage(config, sizes)
    lines = list(monthly_bill(usage))
    if as_json:
        print(json.dumps(_document(lines), indent=2))
        return 0
    print(f"{_summary(usage)}\n")
    print(_table(lines))
    print(
        f"\nList prices of {pricing.REGION} as of {pricing.AS_OF}; paid is after the always-free"
        " tier,\nif nothing else in the account uses it."
    )
    print("\n".join(_advice(config, usage, lines)))
    return 0


def _parameters() -> Mapping[str, str] | None:
    """Return the parameters of the stack that ``--stack`` names."""
    name = click.get_current_context().meta.get(STACK)
    if name is None:
        return None
    from checkup.cli.stack import describe_stack  # imports boto3

    return describe_stack(name).parameters


def _as_given(sizes: StackSize, given: Mapping[str, float | str | None]) -> StackSize:
    """Return the sizes with those that the flags set."""
    found = {name: value for name, value in given.items() if value is not None}
    if "interval" in found:
        found["interval"] = _interval(str(found["interval"]))
    if "seconds" in found:
        found["run_seconds"] = found.pop("seconds")
    return replace(sizes, **found)


def _interval(text: str) -> int:
    interval = parse_timespan(text)
    if interval < MIN_INTERVAL:
        raise CheckupError(
            f"a stack runs at most once a minute; use --interval 1m or more, not {text}"
        )
    return interval


def _summary(usage: HourlyUsage) -> str:
    sizes = usage.sizes
    regions = "" if usage.regions == 1 else f" in {usage.regions} regions"
    checkers, interval = plural(usage.components, "checker"), format_timespan(sizes.interval)
    return (
        f"One month of {checkers} every {interval}{regions}: "
        f"{sizes.memory} MB, {sizes.architecture}, runs kept for {plural(sizes.retention, 'day')}"
    )


def _table(lines: Sequence[BillLine]) -> str:
    rows = [("", "", "", "list", "paid", "")]
    rows += [
        (
            line.what,
            f"{line.quantity:,.2f}" if line.price.unit == "GB" else f"{line.quantity:,.0f}",
            line.price.unit,
            f"{line.list_price:.2f}",
            f"{line.charged:.2f}",
            line.note,
        )
        for line in lines
    ]
    listed = f"{sum(line.list_price for line in lines):.2f}"
    rows.append(("total (USD)", "", "", listed, f"{_paid(lines):.2f}", ""))
    return format_table(rows, right={1, 3, 4})


def _document(lines: Sequence[BillLine]) -> dict[str, Any]:
    return {
        "currency": "USD",
        "region": pricing.REGION,
        "as_of": pricing.AS_OF,
        "lines": [
            {
                "what": line.what,
                "quantity": round(line.quantity, 3),
                "unit": line.price.unit,
                "listed": round(line.list_price, 4),
                "paid": round(line.charged, 4),
                "source": f"https://aws.amazon.com/{line.price.page}/",
            }
            for line in lines
        ],
        "listed": round(sum(line.list_price for line in lines), 4),
        "paid": round(_paid(lines), 4),
    }


def _advice(config: Config, usage: HourlyUsage, lines: Sequence[BillLine]) -> Iterator[str]:
    """Yield the largest line, and the change that halves the costs."""
    paid = _paid(lines)
    if paid < _CENT:
        return
    dearest = max(lines, key=lambda line: line.charged)
    share = dearest.charged / paid
    yield f"Largest: {dearest.what} ({dearest.price.unit}), {share:.0%} of the bill."
    saving = cheapest_change(
        usage.sizes, lambda sizes: _paid(monthly_bill(hourly_usage(config, sizes)))
    )
    yield f"To save most: {saving.what} reduces it to {saving.paid:.2f}."


# The change of one size that saves most.


_CENT: Final = 0.01
_LONGER_INTERVALS: Final = (2, 3, 5, 10)
_MIN_MEMORY: Final = 128


class CostSaving(NamedTuple):
    """A setting, and the dollars that a month costs with it."""

    what: str
    paid: float


def cheapest_change(sizes: StackSize, paid: Callable[[StackSize], float]) -> CostSaving:
    """Return the first change that halves what is paid, else the one that saves most.

    Args:
        paid: returns the dollars that a month of a stack of these sizes costs.
    """
    enough = paid(sizes) / 2
    savings = [CostSaving(what, paid(smaller)) for what, smaller in _smaller(sizes)]
    most = min(savings, key=lambda saving: saving.paid)
    return next((saving for saving in savings if saving.paid <= enough), most)


def _smaller(sizes: StackSize) -> Iterator[tuple[str, StackSize]]:
    """Yield the settings of smaller sizes, the least harmful first."""
    if sizes.architecture != "arm64":
        yield "Architecture=arm64", replace(sizes, architecture="arm64")
    if sizes.memory >= 2 * _MIN_MEMORY:
        memory = sizes.memory // 2
        yield f"MemorySize={memory}", replace(sizes, memory=memory)
    if sizes.retention > 1:
        days = sizes.retention // 2
        yield f"RunRetentionDays={days}", replace(sizes, retention=days)
    for times in _LONGER_INTERVALS:
        interval = sizes.interval * times
        yield (
            f"a run every {format_timespan(interval)} (interval, Schedule)",
            replace(sizes, interval=interval),
        )


def _paid(lines: Iterable[BillLine]) -> float:
    return sum(line.charged for line in lines)
