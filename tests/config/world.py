"""Every kind there is, and short ways to read a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from checkup.app import registered_kinds
from checkup.config import Config
from checkup.errors import Problem

KINDS = registered_kinds()

Read: TypeAlias = Callable[..., Config]
Refuse: TypeAlias = Callable[..., list[Problem]]


def place(problem: Problem) -> tuple[int, str]:
    """Where a problem is: its line and its key."""
    return problem.line, problem.key
