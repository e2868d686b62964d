"""What a month costs. That its requests are those that S3 sees is for bench/bench_requests.py."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.cli import pricing
from checkup.cli.cost import cheapest_change
from checkup.cli.pricing import (
    ATTEMPT_BYTES,
    RESULT_BYTES,
    HourlyUsage,
    Price,
    StackSize,
    hourly_usage,
    monthly_bill,
    parameter_defaults,
    runs_per_hour,
    s3_requests,
    stack_size,
)
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.model import Attempt, Phases, Result, encode_results
from checkup.times import MINUTE, SECOND
from tests.cli.program import Program
from tests.emulators import ROOT

CHECKER = {"type": "http", "endpoint_name": "Shop", "endpoint_url": "https://shop.test/"}
SHOWN = """\
One month of 1 checker every 1 min: 256 MB, arm64, runs kept for 90 days

                                             list  paid
S3 requests            108,131  PUT, LIST    0.54  0.54
S3 requests            136,510  GET          0.05  0.05
S3 storage                0.05  GB           0.00  0.00  runs of 90 days
Lambda compute           9,577  GB-seconds   0.13  0.00  0.5 s a run, estimated
Lambda requests         56,940  invocations  0.01  0.00
EventBridge Scheduler   52,560  invocations  0.05  0.00
CloudWatch logs           0.05  GB           0.03  0.00
CloudWatch metrics           5  metrics      1.50  0.00
CloudWatch alarms           10  alarms       1.00  0.00
Data sent by checks       0.07  GB           0.01  0.00
total (USD)                                  3.32  0.60

List prices of us-east-1 as of 2026-11-22; paid is after the always-free tier,
if nothing else in the account uses it.
Largest: S3 requests (PUT, LIST), 91% of the bill.
To save most: a run every 10 min (interval, Schedule) reduces it to 0.32.
"""


def config_of(number: int, **more: Any) -> Config:
    checker = HttpChecker(endpoint_name="Shop", endpoint_url="https://shop.test/")
    return Config(checkers=(checker,) * number, **more)


def usage(number: int = 50, parameters: dict[str, str] | None = None, **more: Any) -> HourlyUsage:
    config = config_of(number, **more)
    return hourly_usage(config, stack_size(config, parameters))


def listed(usage: HourlyUsage) -> float:
    return sum(line.list_price for line in monthly_bill(usage))


def paid(usage: HourlyUsage) -> float:
    return sum(line.charged for line in monthly_bill(usage))


def test_bill_is_a_table_with_its_sum_and_says_what_to_do(checkup: Program) -> None:
    checkup.write({"checkers": [CHECKER]})
    ended = checkup("cost")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == SHOWN


def test_bill_for_programs_adds_up(checkup: Program) -> None:
    checkup.write({"checkers": [CHECKER] * 40})
    told = json.loads(checkup("cost", "--json").stdout)
    assert told["paid"] == pytest.approx(sum(line["paid"] for line in told["lines"]), abs=0.01)
    assert told["listed"] == pytest.approx(sum(line["listed"] for line in told["lines"]), abs=0.01)
    assert (told["currency"], told["region"]) == ("USD", "us-east-1")
    assert all(line["source"].startswith("https://aws.amazon.com/") for line in told["lines"])


def test_flags_are_those_of_the_stack(checkup: Program) -> None:
    checkup.write({"checkers": []})
    flags = ["--memory", "1024", "--seconds", "10", "--retention", "7", "--interval", "5m"]
    ended = checkup("cost", *flags, "--architecture", "x86_64")
    assert "every 5 min: 1024 MB, x86_64, runs kept for 7 days" in ended.stdout
    assert "10.0 s a run\n" in ended.stdout


@pytest.mark.parametrize(
    ("flag", "value", "words"),
    [
        ("--seconds", "nan", "--seconds: nan is not a number"),
        ("--seconds", "-1", "--seconds: -1.0 is not in the range 0<x<=60"),
        ("--seconds", "0", "--seconds: 0.0 is not in the range 0<x<=60"),
        ("--seconds", "inf", "--seconds: inf is not in the range 0<x<=60"),
        ("--seconds", "soon", "--seconds: 'soon' is not a valid float"),
        ("--memory", "64", "--memory: 64 is not in the range 128<=x<=10240"),
        ("--retention", "0", "--retention: 0 is not in the range 1<=x<=3650"),
        ("--architecture", "sparc", "--architecture: 'sparc' is not one of 'arm64', 'x86_64'"),
        ("--interval", "0", 'the time must be longer than 0, not "0"'),
        ("--interval", "1s", "runs at most once a minute; use --interval 1m or more, not 1s"),
        ("--interval", "often", '"often" is not a duration'),
    ],
)
def test_flag_that_cannot_be_is_named_with_what_can(
    checkup: Program, flag: str, value: str, words: str
) -> None:
    checkup.write({"checkers": []})
    ended = checkup("cost", flag, value)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert ended.stdout == ""


def test_stack_that_is_not_deployed_is_as_its_template_says() -> None:
    sizes = stack_size(config_of(1), None)
    assert (sizes.memory, sizes.architecture, sizes.retention) == (256, "arm64", 90)
    assert parameter_defaults()["MemorySize"] == "256"
    assert (usage().alarms, usage().metrics) == (10, 5)


def test_template_that_comes_with_the_command_is_the_one_that_is_deployed() -> None:
    here = ROOT / "layers/core/checkup/cli/template.yaml"
    assert here.resolve() == (ROOT / "template.yaml").resolve()


def test_deployed_stack_is_as_its_parameters_say() -> None:
    parameters = {
        "Schedule": "rate(5 minutes)",
        "MemorySize": "512",
        "Architecture": "x86_64",
        "RunRetentionDays": "30",
        "RunDeadline": "10",
        "Page": "none",
        "ConfigBucket": "settings",
    }
    assert stack_size(config_of(1), parameters) == StackSize(
        memory=512,
        architecture="x86_64",
        retention=30,
        interval=5 * MINUTE,
        deadline=10,
        has_page=False,
        config_in_s3=True,
    )


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("cron(* * * * ? *)", 60),
        ("cron(0/5 * * * ? *)", 12),
        ("cron(0,30 * * * ? *)", 2),
        ("cron(*/15 8-17 ? * MON-FRI *)", 4 * 10 / 24 * 5 / 7),
        ("cron(10-20 * ? * 2 *)", 11 / 7),
        ("rate(1 minute)", 60),
        ("rate(2 hours)", 0.5),
        ("rate(1 day)", 1 / 24),
    ],
)
def test_schedule_says_how_often_it_fires(schedule: str, runs: float) -> None:
    assert runs_per_hour(schedule) == pytest.approx(runs)


@pytest.mark.parametrize(
    "schedule",
    ["rate(0 minutes)", "cron(0 12 L * ? *)", "cron(0 22-6 * * ? *)", "at(2027-01-01)"],
)
def test_schedule_that_is_not_understood_is_shown(schedule: str) -> None:
    with pytest.raises(CheckupError, match="cannot parse the schedule"):
        runs_per_hour(schedule)


def test_stack_runs_once_a_minute_at_most() -> None:
    assert usage(interval=SECOND) == usage(interval=MINUTE)


def test_checkers_that_are_looked_at_less_often_cost_less() -> None:
    often = config_of(40)
    rarely = replace(
        often, checkers=tuple(replace(it, interval=3600 * SECOND) for it in often.checkers)
    )
    sent = [hourly_usage(it, stack_size(it, None)).attempts for it in (often, rarely)]
    assert sent == [40 * 60, 40]


@pytest.mark.parametrize(
    "dearer",
    [
        {"memory": 512, "run_seconds": 1.4},
        {"retention": 365},
        {"architecture": "x86_64"},
        {"run_seconds": 30.0},
        {"interval": MINUTE},
        {"config_in_s3": True},
    ],
)
def test_larger_stack_costs_more(dearer: dict[str, Any]) -> None:
    config = config_of(50, interval=2 * MINUTE)
    sizes = stack_size(config, None)
    assert listed(hourly_usage(config, replace(sizes, **dearer))) > listed(
        hourly_usage(config, sizes)
    )


def test_stack_without_a_page_costs_less() -> None:
    assert listed(usage(parameters={"Page": "none"})) < listed(usage()) * 0.8


def test_each_further_region_has_its_runs_its_alarms_and_what_it_sends_home() -> None:
    one, two = usage(), usage(regions=("eu-central-1", "us-east-1"))
    assert (two.alarms - one.alarms, two.metrics - one.metrics) == (6, 2)
    lines = {line.what: line for line in monthly_bill(two)}
    assert lines["Data between regions"].quantity == pytest.approx(50 * 60 * 370 * 730 / 1e9)
    assert lines["CloudWatch alarms"].charged == pytest.approx(0.60)
    assert lines["EventBridge Scheduler"].quantity == 730 * (60 + 60 + 12)
    assert s3_requests(two).puts > s3_requests(one).puts + 60


def test_secrets_in_secrets_manager_are_counted_once_each(checkup: Program) -> None:
    slack = {"type": "slack", "webhook": "secretsmanager:checkup/slack#one"}
    other = {"type": "slack", "webhook": "secretsmanager:checkup/slack#two"}
    third = {"type": "slack", "webhook": "ssm:/checkup/free"}
    checkup.write({"checkers": [CHECKER], "notifiers": [slack, other, third]})
    line = r"Secrets Manager +1  secrets +0\.40  0\.40"
    assert re.search(line, checkup("cost").stdout)


def test_configuration_with_a_heartbeat_has_a_price(checkup: Program) -> None:
    heartbeat = {"type": "heartbeat", "endpoint_name": "Backup"}
    storage = {"type": "fs", "dir": "checks"}
    checkup.write({"checkers": [CHECKER, heartbeat], "storage": storage})
    ended = checkup("cost")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("One month of 2 checkers every 1 min")


def test_guess_of_a_run_ends_with_its_deadline() -> None:
    assert usage(20_000).run_seconds == 25.5


def test_every_price_is_used() -> None:
    table = {it for it in vars(pricing).values() if isinstance(it, Price)}
    table |= set(pricing.COMPUTE.values())
    regions = replace(usage(regions=("a-b-1", "c-d-2")), secrets=1)
    used = {line.price for line in monthly_bill(regions)}
    used |= {line.price for line in monthly_bill(usage(parameters={"Architecture": "x86_64"}))}
    assert used == table


def test_what_is_free_is_not_paid_for_and_the_rest_is() -> None:
    price = Price("pieces", 0.5, "page", free=10)
    assert (price.list_price(12), price.charged(12), price.charged(9)) == (6.0, 1.0, 0.0)


def test_nothing_of_what_is_free_is_paid_for() -> None:
    assert {line.what for line in monthly_bill(usage()) if line.charged} == {
        "S3 requests",
        "S3 storage",
    }


def test_smallest_change_that_halves_the_price_is_told() -> None:
    config = config_of(1)
    sizes = replace(stack_size(config, None), architecture="x86_64", memory=512, run_seconds=60.0)
    saving = cheapest_change(sizes, lambda it: paid(hourly_usage(config, it)))
    assert saving.what == "MemorySize=256"
    assert saving.paid <= paid(hourly_usage(config, sizes)) / 2


def test_month_of_fifty_endpoints_keeps_to_its_budget() -> None:
    apart = {"CloudWatch metrics", "CloudWatch alarms", "Data sent by checks"}
    assert sum(line.list_price for line in monthly_bill(usage()) if line.what not in apart) < 1.60
    assert s3_requests(usage()).puts / 60 < 3.5
    assert s3_requests(usage()).gets / 60 < 5


def test_size_of_a_stored_result_is_about_what_it_is() -> None:
    phases = Phases(resolve=1_234_567, connect=12_345_678, tls=23_456_789, wait=98_765_432)
    attempt = Attempt(rtt=123_456_789, phases=phases, certificate_expiry=1_800_000_000 * 10**9)
    result = Result(
        title="Website of the shop",
        endpoint="https://www.shop.example.com/",
        timestamp=1_800_000_000 * 10**9,
        attempts=(attempt,),
        healthy=True,
        id="website-of-the-shop",
        kind="http",
    )
    assert len(encode_results([result])) == pytest.approx(RESULT_BYTES + ATTEMPT_BYTES, rel=0.25)
