"""Digests: equal for what is the same, different for what is not, and silent about secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, get_args, get_origin

import pytest
from msgspec import Struct, structs

from checkup.config import Config, read
from checkup.config.digest import _public, _TextMasker, checker_digests, config_digest
from checkup.config.fields import fields_of, unwrap_annotation
from checkup.interfaces import Checker
from tests.config.world import KINDS

JSON = b"""{
  "regions": ["eu-central-1", "us-east-1"],
  "checkers": [{"type": "http", "endpoint_name": "Shop", "endpoint_url": "https://shop.test/"}]
}"""
YAML = b"""
checkers:
  - endpoint_url: https://shop.test/
    type: http
    attempts: 1
    recheck: 2
    endpoint_name: Shop
regions: [eu-central-1, us-east-1]
"""
CANARY = "hunter22-canary"
AS_EVER = ("2ba97bcce1dc", {"shop": "9f78d45c72ef"})
"""Of the file above. Runs of older versions carry these: they must not change."""


def config(body: bytes, name: str = "checkup.json", **environ: str) -> Config:
    return read(name, body, KINDS, environ)


def with_shop(**more: Any) -> Config:
    kind = KINDS.checkers["http"]
    shop = kind(**{"id": "shop", "endpoint_url": "https://shop.test/", **more})
    return Config(checkers=(shop,))


def digests(there: Config, *masks: str) -> tuple[str, dict[str, str]]:
    return config_digest(there, masks), checker_digests(there, masks)


def another(info: structs.FieldInfo) -> Any:
    """Return a value that is not the default."""
    plain, _ = unwrap_annotation(info.type)
    if get_origin(plain) is Literal:
        return next(choice for choice in get_args(plain) if choice != info.default)
    if get_origin(plain) is dict:
        return {"X": (CANARY,)}
    if get_origin(plain) is tuple:
        return (CANARY,)
    return CANARY if plain is str else not info.default if plain is bool else 7


def changed(*families: Mapping[str, type[Struct]], private: bool) -> Iterator[Any]:
    """Yield settings of each kind with one field changed, if that makes sense on its own."""
    for name, kind in (each for family in families for each in family.items()):
        for info in structs.fields(kind):
            if fields_of(kind).table[info.encode_name].is_private is private:
                with suppress(ValueError, TypeError):
                    made = kind(**{info.name: another(info)})
                    yield pytest.param(made, info.name, id=f"{name}-{info.name}")


PUBLIC = [*changed(KINDS.checkers, private=False)]
PRIVATE = [*changed(KINDS.checkers, KINDS.storages, KINDS.notifiers, private=True)]


def test_digests_are_those_that_they_have_always_been() -> None:
    there = config(JSON)
    assert (there.digest, there.checker_digests) == AS_EVER


@pytest.mark.row("152")
def test_same_configuration_has_the_same_digests_however_it_is_written() -> None:
    first, second = config(JSON), config(YAML, "checkup.yaml")
    assert (first.digest, first.checker_digests) == (second.digest, second.checker_digests)


@pytest.mark.parametrize(
    "odd", [b'{"concurrent_checks": 99999999999999999999}', b'{"page": {"title": "\\ud800"}}']
)
def test_no_number_or_text_is_too_odd_for_a_digest(odd: bytes) -> None:
    assert len(config(odd).digest) == 12


def test_one_place_needs_no_definitions() -> None:
    alone = config(JSON.replace(b'"eu-central-1", "us-east-1"', b""))
    assert alone.checker_digests == {}
    assert alone.digest not in {"", AS_EVER[0]}


@pytest.mark.row("152")
@pytest.mark.parametrize(
    "told",
    [
        {"endpoint_name": "The shop"},
        {"description": "Where we sell"},
        {"failure_threshold": 2},
        {"tags": ("web",)},
        {"hidden": True},
    ],
    ids=str,
)
def test_what_is_told_of_a_checker_is_no_part_of_what_it_looks_at(told: dict[str, Any]) -> None:
    before, after = digests(with_shop()), digests(with_shop(**told))
    assert before[0] != after[0]
    assert before[1] == after[1]


@pytest.mark.row("152")
@pytest.mark.parametrize(
    "looked_at",
    [
        {"endpoint_url": "https://shop.test/health"},
        {"timeout": 1},
        {"threshold_rtt": 1},
        {"up_status": 204},
        {"must_contain": "cart"},
        {"headers": {"Accept": ("text/html",)}},
    ],
    ids=str,
)
def test_what_a_checker_looks_at_is_its_definition(looked_at: dict[str, Any]) -> None:
    before, after = digests(with_shop()), digests(with_shop(**looked_at))
    assert before[0] != after[0]
    assert before[1] != after[1]


@pytest.mark.row("152")
def test_another_kind_is_another_definition() -> None:
    tcp, tls = (KINDS.checkers[kind](id="a", endpoint_url="a.test:443") for kind in ("tcp", "tls"))
    assert digests(Config(checkers=(tcp,)))[1] != digests(Config(checkers=(tls,)))[1]


@pytest.mark.row("152")
@pytest.mark.parametrize(
    "address",
    [
        "https://db.eu-central-1.test/",
        "https://db.${AWS_REGION}.test/",
        "https://${AWS_REGION}.test/eu-central-1",
        "$${AWS_REGION} eu-central-1",
    ],
)
def test_what_the_environment_says_elsewhere_makes_no_other_definition(address: str) -> None:
    body = JSON.replace(b"https://shop.test/", address.encode())
    file = body.replace(b"{", b'{"heartbeat_url": "https://hc.test/${AWS_REGION}",', 1)
    home, away = (config(file, AWS_REGION=region) for region in ("eu-central-1", "us-east-1"))
    assert home.checker_digests == away.checker_digests


@pytest.mark.row("159")
@pytest.mark.parametrize(
    "secrets",
    [
        ({"password": "one"}, {"password": "two"}),
        ({"headers": {"X-Key": ("one",)}}, {"headers": {"X-Key": ("two",)}}),
        ({"body": "key=one"}, {"body": "key=two"}),
        ({"endpoint_url": "https://me:one@a.test/"}, {"endpoint_url": "https://me:two@a.test/"}),
        ({"endpoint_url": "https://a.test/?key=one"}, {"endpoint_url": "https://a.test/?key=two"}),
        ({"must_contain": "one"}, {"must_contain": "two"}),
    ],
    ids=["secret", "header", "body", "userinfo", "query", "environment"],
)
def test_secret_is_no_part_of_a_digest(
    secrets: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    one, two = (digests(with_shop(**fields), "one", "two") for fields in secrets)
    assert one == two


@pytest.mark.row("159")
def test_fields_for_secrets_and_free_contents_are_private() -> None:
    names = {parameters.values[1] for parameters in PRIVATE}
    free = {"headers", "body", "send", "arguments", "environment"}
    assert names > free | {"webhook", "password", "bearer_token", "dsn", "access_token"}


@pytest.mark.row("159")
@pytest.mark.parametrize(("settings", "name"), PRIVATE)
def test_of_a_private_field_it_says_only_that_it_is_set(settings: Struct, name: str) -> None:
    tree = _public(settings, _TextMasker((), {}))
    assert tree[name] is True
    assert CANARY not in str(tree)


@pytest.mark.row("152")
def test_nearly_every_public_key_is_tried() -> None:
    assert len(PUBLIC) > 150


@pytest.mark.row("152")
@pytest.mark.parametrize(("settings", "name"), PUBLIC)
def test_every_public_key_counts(settings: Checker, name: str) -> None:
    assert name in _public(settings, _TextMasker((), {}))
    plain = Config(checkers=(type(settings)(),))
    assert digests(Config(checkers=(settings,)))[0] != digests(plain)[0]
