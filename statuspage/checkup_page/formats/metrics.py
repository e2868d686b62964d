"""What the page shows as metrics, with the names that blackbox_exporter gave them.

What nobody knows has no sample: it is neither a success nor a failure. The time of the last run
is there for rules that have to notice that there are no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from checkup.model import SECOND
from checkup.ports import PageFile
from checkup_page.formats.openmetrics import CONTENT_TYPE, Gauge, Labels, Sample, render_metrics
from checkup_page.formats.served import live_file
from checkup_page.probe import ProbeMetrics
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentGroup, ComponentView, PageView

PATH: Final = "metrics.txt"

Found = Iterator[tuple[Labels, float]]
"""Values of one component, and by what they differ."""


def files(view: PageView) -> dict[str, PageFile]:
    """Return the metrics by their path."""
    return {PATH: live_file(view, render_metrics(_gauges(view)), CONTENT_TYPE)}


def _gauges(view: PageView) -> Iterator[Gauge]:
    components = [(group, item) for group in view.groups for item in group.components]
    for name, sense, measure in _MEASURES:
        samples = (
            Sample(
                value, _labels(group, item, view.probes.get(item.key, ProbeMetrics())) | differing
            )
            for group, item in components
            for differing, value in measure(item, view.probes.get(item.key, ProbeMetrics()))
        )
        yield Gauge(name, sense, tuple(samples))
    states = Counter(item.state for _, item in components)
    yield Gauge(
        "monitor_checks",
        "How many components are in which state.",
        tuple(Sample(states[state], {"state": state.value}) for state in ComponentStatus),
    )
    last = view.verdict.checked_at
    yield Gauge(
        "monitor_run_timestamp_seconds",
        "When the newest run took place.",
        () if last is None else (Sample(last / SECOND),),
    )


def _labels(group: ComponentGroup, item: ComponentView, probe: ProbeMetrics) -> Labels:
    """Return what a component is known by; names alone need not differ."""
    given = {"check": item.name, "group": group.name, "id": item.key, "instance": probe.address}
    return {name: value for name, value in given.items() if value}


def _success(_: ComponentView, probe: ProbeMetrics) -> Found:
    if probe.success is not None:
        yield {}, int(probe.success)


def _duration(_: ComponentView, probe: ProbeMetrics) -> Found:
    if probe.response is not None:
        yield {}, probe.response / SECOND


def _phases(_: ComponentView, probe: ProbeMetrics) -> Found:
    if probe.phases is not None:
        for phase, length in structs.asdict(probe.phases).items():
            yield {"phase": "processing" if phase == "wait" else phase}, length / SECOND


def _certificate(_: ComponentView, probe: ProbeMetrics) -> Found:
    if probe.certificate_expiry is not None:
        yield {}, probe.certificate_expiry / SECOND


def _state(item: ComponentView, _: ProbeMetrics) -> Found:
    for state in ComponentStatus:
        yield {"state": state.value}, int(item.state is state)


def _uptime(item: ComponentView, _: ProbeMetrics) -> Found:
    for stretch in item.stretches:
        if stretch.tally.known:
            yield {"window": stretch.name}, stretch.tally.up / stretch.tally.known


_MEASURES: Final[tuple[tuple[str, str, Callable[[ComponentView, ProbeMetrics], Found]], ...]] = (
    ("probe_success", "Whether the component could be used in the newest run.", _success),
    ("probe_duration_seconds", "Median response time of the newest run.", _duration),
    ("probe_http_duration_seconds", "Where the time of a request went.", _phases),
    ("probe_ssl_earliest_cert_expiry", "When the server's certificate ends.", _certificate),
    ("monitor_state", "1 for the state that the page shows.", _state),
    ("monitor_uptime_ratio", "Share of the observed time.", _uptime),
)
