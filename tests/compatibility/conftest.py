"""The program as it is and as it was in version 0.1.0, and copies of what that has stored."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.compatibility.places import (
    CODE,
    KINDS,
    MADE,
    Place,
    World,
    new_place,
    old_place,
    unpack,
    world,
)

Places = Callable[[str], Place]


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    old = unpack(CODE, tmp_path_factory.mktemp("code"))
    with world(tmp_path_factory.mktemp("world"), old=old, new=None) as found:
        yield found


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(MADE, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def stored(
    kind: str, around: World, made: Path, tmp_path_factory: pytest.TempPathFactory
) -> Places:
    """Make a copy of what 0.1.0 has stored; no channel has been sent anything since."""

    def copied(name: str) -> Place:
        folder = tmp_path_factory.mktemp(kind) / name
        shutil.copytree(made / kind, folder)
        around.services.forget()
        return old_place(kind, folder, around)

    return copied


@pytest.fixture
def empty(kind: str, around: World, tmp_path: Path) -> Place:
    around.services.forget()
    return new_place(kind, tmp_path / "empty", around)
