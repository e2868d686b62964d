"""A place for the page in one file: a dictionary that the test can see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from msgspec import Meta

from checkup.deadline import Deadline
from checkup.interfaces import Clients, PageFile, PageVersion, Publisher, PublisherSettings

WALLS: dict[str, dict[str, bytes]] = {}


class ToyPublishing(PublisherSettings, frozen=True, kw_only=True):
    """A wall to which the page is pinned."""

    kind: ClassVar[str] = "toy"

    wall: Annotated[str, Meta(description="Which wall.")] = ""

    @property
    def address(self) -> str:
        return self.wall

    def open(self, clients: Clients) -> Publisher:
        return ToyPublisher(self.wall)


class ToyPublisher:
    throttles_writes: ClassVar[bool] = False

    def __init__(self, wall: str) -> None:
        self._wall = wall

    def publish(
        self, files: Mapping[str, PageFile], version: PageVersion, deadline: Deadline | None = None
    ) -> Sequence[str]:
        assert version.made
        assert deadline is None
        WALLS[self._wall] = {path: file.body for path, file in files.items()}
        return list(files)
