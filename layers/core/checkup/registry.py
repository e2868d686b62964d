"""Kinds by name, each loaded when a configuration first names it.

A registry maps the ``type`` of checkup.json to ``"module:Class"``. It is a plain table that
can be read, and it works where a package has no metadata, as in a Lambda layer. Loading late
keeps boto3, requests and dnspython out of a program that does not use them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Generic, TypeVar

Kind = TypeVar("Kind")


class Registry(Mapping[str, type[Kind]], Generic[Kind]):
    """A mapping from a kind's name to its class."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = dict(places)

    def __getitem__(self, name: str) -> type[Kind]:
        module, _, attribute = self._places[name].partition(":")
        loaded: type[Kind] = getattr(import_module(module), attribute)
        return loaded

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def with_kind(self, name: str, place: str) -> Registry[Kind]:
        """Return a registry that has one more kind."""
        return Registry({**self._places, name: place})
