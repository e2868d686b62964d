"""Processes that live through worlds, each on a stage of its own."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final

from tests.soak.gate import TooSlowError
from tests.soak.plan import plan
from tests.soak.stage import Stage
from tests.soak.world import Tally, World

TRIES: Final = 5
"""Attempts at a world on a machine that is busy; each goes as the one before."""

_stages: list[Stage] = []


def live(seed: int, number: int, stage: Stage, *, minutes: int = 20) -> Tally:
    """Live through a world, and once more if the machine was too slow for its clocks."""
    for _ in range(TRIES):
        try:
            return World(stage, plan(seed, number, minutes=minutes)).live()
        except TooSlowError:
            continue
    raise AssertionError("the machine is too slow")


def live_all(
    seed: int, numbers: Iterable[int], jobs: int
) -> Iterator[tuple[int, Tally | BaseException]]:
    """Live through worlds at once, and yield what came of each as soon as it is over."""
    # A fork of this process would have threads of the pool's in an unknown state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _set_the_stage) as pool:
        worlds = {pool.submit(_live, seed, number): number for number in numbers}
        try:
            for done in as_completed(worlds):
                yield worlds[done], done.exception() or done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _set_the_stage() -> None:
    until = ExitStack()
    folder = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="checkup-soak-")))
    _stages.append(until.enter_context(Stage(folder)))
    Finalize(None, until.close, exitpriority=10)


def _live(seed: int, number: int) -> Tally:
    return live(seed, number, _stages[0])
