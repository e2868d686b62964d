"""Every line of a registry leads to a class that documents itself."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from msgspec import Meta, Struct

from checkup.bootstrap import kinds
from checkup.ports import Checker, NotifierSettings, StorageSettings
from checkup.registry import Registry

REGISTRIES = {
    Checker: kinds().checkers,
    StorageSettings: kinds().storages,
    NotifierSettings: kinds().notifiers,
}
LINES = [
    pytest.param(port, registry, name, id=f"{port.__name__}-{name}")
    for port, registry in REGISTRIES.items()
    for name in registry
]


@pytest.mark.parametrize(("port", "registry", "name"), LINES)
def test_a_registered_kind_is_a_class_of_its_family_and_knows_its_name(
    port: type[Struct], registry: Registry[Checker], name: str
) -> None:
    kind = registry[name]

    assert issubclass(kind, port)
    assert kind.kind == name


@pytest.mark.parametrize(("port", "registry", "name"), LINES)
def test_every_option_of_a_kind_is_described(
    port: type[Struct], registry: Registry[Checker], name: str
) -> None:
    hints = get_type_hints(registry[name], include_extras=True)

    undescribed = [
        field
        for field in registry[name].__struct_fields__
        if not any(
            isinstance(mark, Meta) and mark.description
            for mark in getattr(hints[field], "__metadata__", ())
        )
    ]

    assert undescribed == [], f"{port.__name__} {name}: give these options a Meta description"
