"""What every settings class owes to those who configure it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest
from msgspec import Meta, Struct, structs

from checkup.checkers import CHECKERS
from checkup.config.fields import fields_of
from checkup.config.page import PageLink, PageSettings, StatusText
from checkup.config.settings import Config, GroupSettings, MaintenanceSettings
from checkup.errors import UnavailableError
from checkup.interfaces import HttpResponse
from checkup.notifiers import NOTIFIERS
from checkup.notifiers.mail import SmtpSettings
from checkup.storage import STORAGES

SETTINGS: list[type[Struct]] = [
    *CHECKERS.values(),
    *STORAGES.values(),
    *NOTIFIERS.values(),
    GroupSettings,
    MaintenanceSettings,
    PageLink,
    PageSettings,
    StatusText,
    SmtpSettings,
]
NOT_CONFIGURED = {"digest", "checker_digests", "warnings", "masked_values", "path"}


def described(annotation: Any) -> bool:
    if get_origin(annotation) is not Annotated:
        return False
    return any(isinstance(meta, Meta) and meta.description for meta in get_args(annotation))


@pytest.mark.parametrize("kind", [*SETTINGS, Config])
def test_every_key_is_described(kind: type[Struct]) -> None:
    missing = [info.name for info in structs.fields(kind) if not described(info.type)]
    assert set(missing) <= (NOT_CONFIGURED if kind is Config else set())


@pytest.mark.parametrize("kind", SETTINGS)
def test_every_key_can_be_read(kind: type[Struct]) -> None:
    keys = {info.encode_name.casefold() for info in structs.fields(kind)}
    assert fields_of(kind).table.keys() == keys


class NoClients:
    """Clients of somebody who is offline."""

    def secret(self, value: str) -> str:
        return value

    def aws(self, service: str, **options: Any) -> Any:
        raise AssertionError(service, options)

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        method: str = "POST",
        timeout: float = 4.0,
    ) -> HttpResponse:
        raise AssertionError(method, url, body, headers, timeout)

    def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float
    ) -> HttpResponse:
        raise AssertionError(method, url, body, headers, timeout)


@pytest.mark.parametrize(("name", "fields"), [("appinsights", {"instrumentation_key": "env:KEY"})])
def test_a_storage_that_cannot_store_yet_says_so(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(UnavailableError, match=name):
        STORAGES[name](**fields).open(NoClients())
