"""Metrics, as Prometheus reads them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from checkup.config.page import PageSettings
from checkup.config.settings import Config
from checkup.model import Attempt, Phases, Run, Status
from checkup.times import SECOND
from checkup_page.build_view import PageData, build_view
from checkup_page.formats import openmetrics
from checkup_page.view import PageView
from tests.page.formats.prometheus import families
from tests.page.formats.world import API, view
from tests.page.worlds import MILLISECOND, MINUTE, NOW, checker, config, result, runs

HEALTHY, DOWN, UNKNOWN = Status.HEALTHY, Status.DOWN, Status.UNKNOWN
EXPIRY = 1_800_000_000
PHASES = Phases(resolve=1, connect=2, tls=3, wait=4 * MILLISECOND, transfer=5)
SECURE = checker("API", endpoint_url="https://user:hunter2@api.internal:8443/?key=hunter2")
LOOKED = result(
    SECURE,
    kind="http",
    attempts=(
        Attempt(rtt=98 * MILLISECOND, phases=PHASES, certificate_expiry=EXPIRY * SECOND),
        Attempt(error="refused", failure="connect_refused"),
    ),
)


def samples(of: PageView) -> list[tuple[str, dict[str, str], float]]:
    """What Prometheus' own parser finds."""
    found = families(openmetrics.files(of)["metrics.txt"].body)
    return [(it.name, it.labels, it.value) for family in found for it in family.samples]


def values(of: PageView, name: str, label: str = "check") -> dict[str, float]:
    return {labels.get(label, ""): value for found, labels, value in samples(of) if found == name}


def secure(*publish: Any) -> PageView:
    world: Config = config([SECURE], PageSettings(publish=publish))
    seen: tuple[Run, ...] = runs([[LOOKED]])
    return build_view(world, PageData(runs=seen), NOW)


def test_the_parser_of_prometheus_takes_them_to_the_end_mark() -> None:
    text = openmetrics.files(view(HEALTHY, DOWN))["metrics.txt"].body.decode()
    assert text.endswith("\n# EOF\n")
    assert samples(view(HEALTHY, DOWN))


def test_a_probe_is_a_success_or_it_is_not() -> None:
    assert values(view(HEALTHY, DOWN, Status.DEGRADED), "probe_success") == {
        "API": 1.0,
        "West": 0.0,
        "East": 1.0,
    }


def test_what_nobody_knows_is_neither() -> None:
    assert values(view(HEALTHY, UNKNOWN), "probe_success") == {"API": 1.0}
    assert values(view(HEALTHY, HEALTHY, age=60 * MINUTE), "probe_success") == {}
    assert values(view(), "probe_success") == {}


def test_one_state_is_one_and_all_others_are_zero() -> None:
    states = values(view(HEALTHY, DOWN), "monitor_state", "state")
    assert states["unknown"] == 1.0
    assert sum(states.values()) == 1.0


def test_components_are_counted_by_state() -> None:
    counted = values(view(HEALTHY, DOWN, DOWN), "monitor_checks", "state")
    assert (counted["operational"], counted["major_outage"], counted["unknown"]) == (1, 2, 0)


def test_uptime_is_a_ratio_for_each_window() -> None:
    windows = values(view(HEALTHY), "monitor_uptime_ratio", "window")
    assert list(windows) == ["24h", "7d", "30d", "90d", "365d"]
    assert windows["24h"] == 1.0
    assert 0.99 < windows["7d"] < 1.0


def test_the_last_run_tells_when_it_was() -> None:
    assert values(view(HEALTHY), "monitor_run_timestamp_seconds") == {"": NOW // SECOND - 12}


def test_phases_have_the_names_of_blackbox_exporter() -> None:
    phases = values(secure(), "probe_http_duration_seconds", "phase")
    assert sorted(phases) == ["connect", "processing", "resolve", "tls", "transfer"]
    assert phases["processing"] == 0.004


def test_names_that_are_the_same_stay_two() -> None:
    twins = [checker("API", id="a"), checker("API", id="b")]
    seen = PageData(runs=runs([[result(of) for of in twins]]))
    found = samples(build_view(config(twins), seen, NOW))
    assert len({labels["id"] for name, labels, _ in found if name == "probe_success"}) == 2


class TestPrivate:
    def test_addresses_and_certificates_are(self) -> None:
        found = samples(secure())
        assert not any("instance" in labels for _, labels, _ in found)
        assert values(secure(), "probe_ssl_earliest_cert_expiry") == {}

    def test_certificates_can_be_published(self) -> None:
        assert values(secure("certificates"), "probe_ssl_earliest_cert_expiry") == {"API": EXPIRY}

    def test_addresses_can_be_published_without_what_is_secret_in_them(self) -> None:
        found = values(secure("addresses"), "probe_success", "instance")
        assert list(found) == ["https://user:***@api.internal:8443/?key=***"]

    @pytest.mark.parametrize("publish", [(), ("addresses", "certificates")])
    def test_errors_and_regions_stay_so(self, publish: tuple[str, ...]) -> None:
        failed = replace(result(API, DOWN), region="dc-secret", notice="hunter2")
        page = PageSettings(publish=publish)  # type: ignore[arg-type]
        seen = PageData(runs=runs([[failed]]))
        text = openmetrics.files(build_view(config([API], page), seen, NOW))["metrics.txt"].body
        assert not any(word in text for word in (b"dc-secret", b"hunter2", b"refused"))
