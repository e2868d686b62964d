"""Every kind there is, and short ways to read a text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from checkup.checkers import CHECKERS
from checkup.config import Config, Kinds
from checkup.errors import Problem
from checkup.notifiers import NOTIFIERS
from checkup.storage import STORAGES

KINDS = Kinds(checkers=CHECKERS, storages=STORAGES, notifiers=NOTIFIERS)

Read: TypeAlias = Callable[..., Config]
Refuse: TypeAlias = Callable[..., list[Problem]]


def place(problem: Problem) -> tuple[int, str]:
    """Where a problem is: its line and its key."""
    return problem.line, problem.key
