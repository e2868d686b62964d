"""Every line of a registry leads to a class that documents itself."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from msgspec import Meta, Struct

from checkup.app import registered_kinds
from checkup.interfaces import Checker, NotifierSettings, PublisherSettings, StorageSettings

LINES = [
    *(
        pytest.param(Checker, registered_kinds().checkers[name], name, id=f"checker-{name}")
        for name in registered_kinds().checkers
    ),
    *(
        pytest.param(StorageSettings, registered_kinds().storages[name], name, id=f"storage-{name}")
        for name in registered_kinds().storages
    ),
    *(
        pytest.param(
            NotifierSettings, registered_kinds().notifiers[name], name, id=f"notifier-{name}"
        )
        for name in registered_kinds().notifiers
    ),
    *(
        pytest.param(
            PublisherSettings, registered_kinds().publishers[name], name, id=f"publisher-{name}"
        )
        for name in registered_kinds().publishers
    ),
]


@pytest.mark.parametrize(("port", "kind", "name"), LINES)
def test_a_registered_kind_is_a_class_of_its_family_and_knows_its_name(
    port: type[Struct], kind: type[Checker], name: str
) -> None:
    assert issubclass(kind, port)
    assert kind.kind == name


@pytest.mark.parametrize(("port", "kind", "name"), LINES)
def test_every_option_of_a_kind_is_described(
    port: type[Struct], kind: type[Struct], name: str
) -> None:
    hints = get_type_hints(kind, include_extras=True)

    undescribed = [
        field
        for field in kind.__struct_fields__
        if not any(
            isinstance(mark, Meta) and mark.description
            for mark in getattr(hints[field], "__metadata__", ())
        )
    ]

    assert undescribed == [], f"{port.__name__} {name}: give these options a Meta description"
