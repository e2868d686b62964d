"""The metrics of the page in OpenMetrics 1.0, named as by blackbox_exporter.

An unknown value has no sample. The time of the newest run lets rules notice missing runs.

https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct, structs

from checkup.interfaces import PageFile
from checkup.times import SECOND
from checkup_page.formats.base import live_file
from checkup_page.status import ComponentStatus
from checkup_page.view import ComponentGroup, ComponentView, PageView, ProbeMetrics

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Labels = dict[str, str]


class Sample(Struct, frozen=True):
    """One value and its labels."""

    value: float
    labels: Labels = {}


class Gauge(Struct, frozen=True):
    """A gauge.

    Attributes:
        samples: no two of them have the same labels.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]


def render_metrics(gauges: Iterable[Gauge]) -> str:
    """Return the document, without gauges that have no samples."""
    lines = (line for gauge in gauges if gauge.samples for line in _lines(gauge))
    return "".join(f"{line}\n" for line in (*lines, "# EOF"))


def _lines(gauge: Gauge) -> Iterator[str]:
    yield f"# TYPE {gauge.name} gauge"
    yield f"# HELP {gauge.name} {_escaped(gauge.help)}"
    for sample in gauge.samples:
        labels = ",".join(f'{name}="{_escaped(it)}"' for name, it in sample.labels.items())
        yield f"{gauge.name}{f'{{{labels}}}' if labels else ''} {sample.value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


PATH: Final = "metrics.txt"

Values = Iterator[tuple[Labels, float]]
"""Values of one component with the labels that distinguish them."""


def files(view: PageView) -> dict[str, PageFile]:
    """Return the metrics by their path."""
    return {PATH: live_file(view, render_metrics(_gauges(view)), CONTENT_TYPE)}


def _gauges(view: PageView) -> Iterator[Gauge]:
    components = [(group, item) for group in view.groups for item in group.components]
    for name, help_, measure in _MEASURES:
        samples = (
            Sample(
                value, _labels(group, item, view.metrics.get(item.key, ProbeMetrics())) | differing
            )
            for group, item in components
            for differing, value in measure(item, view.metrics.get(item.key, ProbeMetrics()))
        )
        yield Gauge(name, help_, tuple(samples))
    states = Counter(item.status for _, item in components)
    yield Gauge(
        "monitor_checks",
        "Number of components by state.",
        tuple(Sample(states[state], {"state": state.value}) for state in ComponentStatus),
    )
    last = view.overall.checked_at
    yield Gauge(
        "monitor_run_timestamp_seconds",
        "Time of the newest run.",
        () if last is None else (Sample(last / SECOND),),
    )


def _labels(group: ComponentGroup, item: ComponentView, probe: ProbeMetrics) -> Labels:
    """Return the labels of a component; names alone may not be unique."""
    given = {"check": item.name, "group": group.name, "id": item.key, "instance": probe.address}
    return {name: value for name, value in given.items() if value}


def _success(_: ComponentView, probe: ProbeMetrics) -> Values:
    if probe.success is not None:
        yield {}, int(probe.success)


def _duration(_: ComponentView, probe: ProbeMetrics) -> Values:
    if probe.response is not None:
        yield {}, probe.response / SECOND


def _phases(_: ComponentView, probe: ProbeMetrics) -> Values:
    if probe.phases is not None:
        for phase, length in structs.asdict(probe.phases).items():
            yield {"phase": "processing" if phase == "wait" else phase}, length / SECOND


def _certificate(_: ComponentView, probe: ProbeMetrics) -> Values:
    if probe.certificate_expiry is not None:
        yield {}, probe.certificate_expiry / SECOND


def _state(item: ComponentView, _: ProbeMetrics) -> Values:
    for state in ComponentStatus:
        yield {"state": state.value}, int(item.status is state)


def _uptime(item: ComponentView, _: ProbeMetrics) -> Values:
    for period in item.periods:
        if period.tally.uptime is not None:
            yield {"window": period.name}, period.tally.uptime


_MEASURES: Final[tuple[tuple[str, str, Callable[[ComponentView, ProbeMetrics], Values]], ...]] = (
    ("probe_success", "Whether the newest check succeeded.", _success),
    ("probe_duration_seconds", "Median response time of the newest run.", _duration),
    ("probe_http_duration_seconds", "Duration of the request by phase.", _phases),
    ("probe_ssl_earliest_cert_expiry", "Expiry of the server's certificate.", _certificate),
    ("monitor_state", "1 for the component's current state.", _state),
    ("monitor_uptime_ratio", "Uptime as a share of observed time.", _uptime),
)
