"""What keeps the functions apart from the machine, and what is left out where it cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.stack.network import why_shared
from tests.stack.sandbox import why_not_sandboxed, why_without_limit

PARTS: Mapping[str, Callable[[], str]] = {
    "a sandbox": why_not_sandboxed,
    "a memory limit": why_without_limit,
    "a network of their own": why_shared,
}
"""Each with what tells why it cannot be had on this machine; nothing if it can."""
HOW = "to have it, run the tests as root, and a container with --privileged"


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tests of what cannot be had; in CI, where none is skipped, do without them."""
    lacking = [(item, reason) for item in items if (reason := _why_not(item))]
    if os.environ.get("CI"):
        left = {item for item, _ in lacking}
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]
    for item, reason in lacking:
        item.add_marker(pytest.mark.skip(reason=reason))


def told() -> Iterator[str]:
    """Say, part by part, how the functions were kept apart."""
    for what, why_not in PARTS.items():
        reason = why_not()
        yield f"stack: without {what} ({reason}); {HOW}" if reason else f"stack: with {what}"


def _why_not(item: pytest.Item) -> str:
    for mark in item.iter_markers("needs"):
        if reason := PARTS[mark.args[0]]():
            return f"needs {mark.args[0]} ({reason}); {HOW}"
    return ""
