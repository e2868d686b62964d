"""A secret is planted wherever something private can be: no file that is published holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from checkup.app import registered_kinds
from checkup.config import Config, read
from checkup.interfaces import PageFile, Publisher
from checkup.storage.memory import MemoryStorage
from checkup_page.build import build_page
from checkup_page.publish import publish_once
from checkup_page.publishers.folder import FolderPublisher
from checkup_page.publishers.github import GitHubPublisherSettings
from checkup_page.publishers.s3 import S3Publisher
from tests.page.planting import CANARY, holding, texts_of
from tests.page.private_world import ADDRESS, SHOWN, config, storage
from tests.page.worlds import NOW
from tests.servers.github import NAME, OWNER, TOKEN, fake_github
from tests.storage.places import FakeClients


def built(of: Config) -> dict[str, bytes]:
    return bodies(build_page(of, storage(of), NOW))


def few(number: int) -> Config:
    """A world whose page is soon published."""
    world = config(number, languages=("en",))
    return replace(world, checkers=world.checkers[:3])


def bodies(files: Mapping[str, PageFile]) -> dict[str, bytes]:
    return {path: file.body for path, file in files.items()}


@pytest.mark.row("140", "S3.3")
@pytest.mark.parametrize("number", range(len(registered_kinds().publishers)))
def test_no_file_of_any_language_and_format_holds_it(number: int) -> None:
    files = built(config(number))
    assert {"index.html", "ko/index.html", "metrics.txt", "uptime.csv", "history.atom"} < {*files}
    assert any(path.startswith("ko/components/") for path in files)
    assert any(path.startswith("incidents/") for path in files)
    assert any(path.startswith("maintenance/") for path in files)
    assert holding(files) == []


def test_every_kind_and_every_field_that_takes_a_text_is_planted() -> None:
    world = config()
    assert {it.kind for it in world.checkers} == {*registered_kinds().checkers}
    assert {it.kind for it in world.notifiers} == {*registered_kinds().notifiers}
    assert {type(config(number).storage) for number in range(8)} == {
        *registered_kinds().storages.values()
    }
    public = {"endpoint_name", "public_name", *SHOWN} - {"id"}
    for kind, settings in registered_kinds().checkers.items():
        full = {
            name
            for it in world.checkers
            for name in texts_of(settings) - public
            if it.kind == kind and CANARY in str(getattr(it, name))
        }
        assert texts_of(settings) - public - full <= {"answers_equal", "answers_contain", "charset"}


def test_what_is_public_would_be_found_if_it_held_the_secret() -> None:
    """So the fields that are taken for public are, and the search sees them."""
    world, fields = config(), sorted(SHOWN.keys() - {"id"} | {"endpoint_name"})
    shown = (it for it in world.checkers if not it.hidden and not it.public_name)
    changed = {
        it.id: replace(it, **{field: f"https://{CANARY}.example/{field}"})
        for it, field in zip(shown, fields, strict=False)
    }
    checkers = tuple(changed.get(it.id, it) for it in world.checkers)
    files = built(replace(world, checkers=checkers)).items()
    pages = b"".join(body for path, body in files if path.endswith(".html")).decode()
    assert [field for field in fields if f"https://{CANARY}.example/{field}" not in pages] == []


def test_what_is_public_is_there() -> None:
    index = built(config(3))["index.html"].decode()
    assert all(name in index for name in ("Shop", "http service", "Other exec", "Slow", "Disk"))
    assert "Hidden" not in index


def test_no_file_of_a_folder_holds_it(tmp_path: Path) -> None:
    world = few(4)
    publish_once(world, storage(world), FolderPublisher(tmp_path), NOW)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    files = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in found}
    assert {"manifest.json", ".checkup/lock", "index.html"} < {*files}
    assert holding(files) == []


def test_no_object_of_a_bucket_holds_it(client: Any, bucket: str) -> None:
    world = few(5)
    publish_once(world, storage(world), S3Publisher(client, bucket), NOW)
    listed = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [item["Key"] for part in listed for item in part["Contents"]]
    answers = {name: client.get_object(Bucket=bucket, Key=name) for name in names}
    files = {name: answer["Body"].read() for name, answer in answers.items()}
    heads = {
        name: repr((answer["Metadata"], answer["ResponseMetadata"]["HTTPHeaders"])).encode()
        for name, answer in answers.items()
    }
    assert {"manifest.json", "index.html"} < {*files}
    assert holding(files) == []
    assert holding(heads) == []


def test_no_file_and_no_message_of_a_branch_holds_it() -> None:
    world = few(6)
    about = {"repository_owner": OWNER, "repository_name": NAME, "access_token": TOKEN}
    with fake_github() as server:
        settings = GitHubPublisherSettings(**{"api_url": server.url, **about})
        publisher: Publisher = settings.open(FakeClients(secrets={TOKEN: TOKEN}))
        publish_once(world, storage(world), publisher, NOW)
        files, messages = server.git.files("gh-pages"), server.git.messages("gh-pages")
    assert {"manifest.json", "index.html"} < {*files}
    assert holding(files) == []
    assert CANARY not in "".join(messages)
    assert TOKEN not in "".join(messages)


def configured(*public: str) -> Config:
    """A configuration as it is read, with all that is masked in it."""
    seen = {"type": "http", "endpoint_name": "API", "endpoint_url": ADDRESS, "id": f"api-{CANARY}"}
    page = {"title": "Acme", "publish": [*public], "url": "https://status.acme.example"}
    document = {"checkers": [seen], "page": page, "regions": [f"dc-{CANARY}", "west"]}
    return read("checkup.json", json.dumps(document).encode(), registered_kinds(), {})


def test_what_is_published_on_purpose_is_in_one_file_and_masked() -> None:
    files = built(configured("addresses", "certificates"))
    assert holding(files) == ["metrics.txt"]
    masked = f'instance="https://{CANARY}:***@{CANARY}.internal:8443/{CANARY}?key=***#{CANARY}"'
    assert masked in files["metrics.txt"].decode()


def test_a_page_before_the_first_run_holds_it_neither() -> None:
    assert holding(bodies(build_page(config(7), MemoryStorage(), NOW))) == []
