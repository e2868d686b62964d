"""Processes that live through worlds, each on a stage of its own."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Final, NamedTuple

from tests.soak.gate import TooSlowError
from tests.soak.place import STORAGES, Place
from tests.soak.plan import plan
from tests.soak.stage import Stage
from tests.soak.story import Story
from tests.soak.tally import Tally
from tests.soak.world import World

TRIES: Final = 5
"""Attempts at a world on a machine that is busy; each goes as the one before."""

KILLS: Final = 25
"""Kills in one folder or database, before all that happened in it is judged."""

_stages: list[Stage] = []


class Scene(NamedTuple):
    """Something to live through: a world, one of the storages on this machine, or a story."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind}/{self.number}"


def live(seed: int, scene: Scene, stage: Stage) -> Tally:
    """Live through a scene, and once more if the machine was too slow for its clocks."""
    if scene.kind == "story":
        return Story(stage, scene.number).live()
    if scene.kind in STORAGES:
        return Place(stage, scene.kind, f"{seed}/{scene}", KILLS).live()
    for _ in range(TRIES):
        try:
            return World(stage, plan(seed, scene.number)).live()
        except TooSlowError:
            continue
    raise AssertionError("the machine is too slow")


def live_all(
    seed: int, scenes: Iterable[Scene], jobs: int
) -> Iterator[tuple[Scene, Tally | BaseException]]:
    """Live through scenes at once, and yield what came of each as soon as it is over."""
    # A fork of this process would have threads of the pool's in an unknown state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _set_the_stage) as pool:
        begun = {pool.submit(_live, seed, scene): scene for scene in scenes}
        try:
            for done in as_completed(begun):
                yield begun[done], done.exception() or done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _set_the_stage() -> None:
    until = ExitStack()
    folder = Path(until.enter_context(tempfile.TemporaryDirectory(prefix="checkup-soak-")))
    _stages.append(until.enter_context(Stage(folder)))
    Finalize(None, until.close, exitpriority=10)


def _live(seed: int, scene: Scene) -> Tally:
    return live(seed, scene, _stages[0])
