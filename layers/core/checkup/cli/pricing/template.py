"""What the template of the stack says of itself: its parameters, and who watches it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

_TEMPLATE: Final = Path(__file__).with_name("template.yaml")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class CloudWatchCounts(NamedTuple):
    """What CloudWatch keeps for a stack."""

    alarms: int
    metrics: int


def parameter_defaults() -> Mapping[str, str]:
    """Return the parameters of a stack whose deployment names none."""
    return {
        name: str(parameter["Default"]) for name, parameter in _template()["Parameters"].items()
    }


def cloudwatch_counts(*, is_home: bool, has_page: bool) -> CloudWatchCounts:
    """Count what watches a stack; one that only votes for another has less that can fail."""
    there = {None} | ({"IsHome"} if is_home else set()) | ({"HasPage"} if has_page else set())
    kinds = [
        resource["Type"]
        for resource in _template()["Resources"].values()
        if resource.get("Condition") in there
    ]
    return CloudWatchCounts(
        kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::Logs::MetricFilter")
    )


@cache
def _template() -> Any:  # noqa: ANN401 - a document of CloudFormation
    loader = _Functionless(_TEMPLATE.read_text(encoding="utf-8"))
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


class _Functionless(_LOADER):  # type: ignore[misc] # one of two classes
    """Reads a template; what its functions (``!Ref``, ``!If``) give is not known, and is None."""


_Functionless.add_multi_constructor("!", lambda *_: None)
