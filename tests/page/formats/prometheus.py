"""Metrics as Prometheus' own parser finds them."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families


def families(body: bytes) -> list[Metric]:
    """The metrics of a document that is right to its end mark."""
    found: Iterable[Metric] = text_string_to_metric_families(body.decode())  # type: ignore[no-untyped-call]
    return list(found)
