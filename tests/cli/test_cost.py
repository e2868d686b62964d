"""What a month costs. That its requests are those that S3 sees is for bench/bench_requests.py."""

from __future__ import annotations

import pytest

from checkup.cli.bill import (
    _ATTEMPT_BYTES,
    _RESULT_BYTES,
    Usage,
    asked_of_s3,
    bill,
)
from checkup.model import Attempt, Phases, Result
from checkup.runfile import encode
from tests.cli.program import Program

FIFTY = Usage(components=50, attempts=3000, results=3000, runs=60)


def total(usage: Usage) -> float:
    return sum(line.listed for line in bill(usage))


def test_each_line_has_two_prices_and_the_last_is_their_sum(checkup: Program) -> None:
    checker = {"type": "http", "endpoint_name": "Shop", "endpoint_url": "https://shop.test/"}
    checkup.write({"checkers": [checker]})
    ended = checkup("cost")
    assert (ended.returncode, ended.stderr) == (0, "")
    _, *lines, together = ended.stdout.splitlines()
    for column in (-2, -1):
        amounts = [float(line.split()[column]) for line in lines]
        assert float(together.split()[column]) == pytest.approx(sum(amounts), abs=0.05)
    assert "CloudWatch: 5 metrics and 10 alarms" in ended.stdout


def test_flags_are_those_of_the_stack(checkup: Program) -> None:
    checkup.write({"checkers": []})
    ended = checkup("cost", "--memory", "1024", "--seconds", "10", "--retention", "7")
    assert "10.0 s a run" in ended.stdout
    assert "of 7 days" in ended.stdout


def test_checkers_that_are_looked_at_less_often_cost_less(checkup: Program) -> None:
    often = {"type": "http", "endpoint_name": "Shop", "endpoint_url": "https://shop.test/"}
    checkup.write({"checkers": [often] * 40})
    first = checkup("cost").stdout
    checkup.write({"checkers": [{**often, "interval": "1h"}] * 40})
    assert gigabytes(checkup("cost").stdout) < gigabytes(first) / 20


def test_a_stack_runs_once_a_minute_at_most(checkup: Program) -> None:
    costs = []
    for interval in ("1s", "1m"):
        checkup.write({"checkers": [], "interval": interval})
        costs.append(checkup("cost").stdout)
    assert costs[0] == costs[1]


def gigabytes(said: str) -> float:
    (line,) = [line for line in said.splitlines() if "sent by checks" in line]
    return float(line.split()[1])


@pytest.mark.parametrize(
    "dearer",
    [
        {"memory": 512, "seconds": 1.4},
        {"retention": 365},
        {"regions": 2},
        {"architecture": "x86_64"},
        {"seconds": 30.0},
        {"runs": 120},
        {"attempts": 9000},
    ],
)
def test_more_of_anything_costs_more(dearer: dict[str, float | str]) -> None:
    more = Usage(**{**{f: getattr(FIFTY, f) for f in FIFTY.__struct_fields__}, **dearer})
    assert total(more) > total(FIFTY)


def test_nothing_of_what_is_free_is_paid_for() -> None:
    paid = {line.what.partition(":")[0] for line in bill(FIFTY) if line.paid}
    assert paid == {"S3"}


def test_month_of_fifty_endpoints_keeps_to_its_budget() -> None:
    listed = sum(line.listed for line in bill(FIFTY) if "alarms" not in line.what)
    assert listed < 1.60
    assert asked_of_s3(FIFTY).puts / 60 < 3.5
    assert asked_of_s3(FIFTY).gets / 60 < 5


def test_size_of_a_stored_result_is_about_what_it_is() -> None:
    phases = Phases(resolve=1_234_567, connect=12_345_678, tls=23_456_789, wait=98_765_432)
    attempt = Attempt(rtt=123_456_789, phases=phases, certificate_expiry=1_800_000_000 * 10**9)
    result = Result(
        title="Website of the shop",
        endpoint="https://www.shop.example.com/",
        timestamp=1_800_000_000 * 10**9,
        times=(attempt,),
        healthy=True,
        id="website-of-the-shop",
        kind="http",
    )
    assert len(encode([result])) == pytest.approx(_RESULT_BYTES + _ATTEMPT_BYTES, rel=0.25)
