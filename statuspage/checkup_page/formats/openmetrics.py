"""The format of OpenMetrics 1.0, as far as gauges need it.

https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = dict[str, str]


class Sample(Struct, frozen=True):
    """One value, and of what it is."""

    value: float
    labels: Labels = {}


class Gauge(Struct, frozen=True):
    """Values that go up and down.

    Attributes:
        samples: no two of them have the same labels.
    """

    name: str
    help: str
    samples: tuple[Sample, ...]


def render_metrics(gauges: Iterable[Gauge]) -> str:
    """Return the document; a gauge without a value is left out of it."""
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
