"""Where the page is put: the section `publish`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from checkup import config
from checkup.errors import ConfigError
from checkup.interfaces.kinds import Registry, secret_fields
from checkup_page.publishers.folder import FolderPublisherSettings
from checkup_page.publishers.github import GitHubPublisherSettings
from checkup_page.publishers.s3 import S3PublisherSettings
from tests.config.world import KINDS

TOKEN = {"access_token": "env:TOKEN", "repository_owner": "acme", "repository_name": "status"}


def read(folder: Path, publish: Any, **more: Any) -> config.Config:
    path = folder / "checkup.json"
    path.write_text(json.dumps({"publish": publish}, indent=1))
    return config.load(str(path), more.get("kinds", KINDS), {"TOKEN": "set"})


@pytest.mark.parametrize(
    ("written", "settings", "address"),
    [
        ({"type": "fs", "dir": "public"}, FolderPublisherSettings(dir="public"), "public"),
        (
            {"type": "s3", "bucket": "page", "prefix": "/status/"},
            S3PublisherSettings(bucket="page", prefix="/status/"),
            "s3://page/status",
        ),
        (
            {"type": "github", **TOKEN},
            GitHubPublisherSettings(**TOKEN, branch="gh-pages"),
            "github.com/acme/status, gh-pages",
        ),
    ],
    ids=["fs", "s3", "github"],
)
def test_a_place_is_read(tmp_path: Path, written: Any, settings: Any, address: str) -> None:
    found = read(tmp_path, written)
    assert (found.publish, found.warnings) == ((settings,), ())
    assert settings.address == address


def test_several_places_are_a_list(tmp_path: Path) -> None:
    found = read(tmp_path, [{"type": "fs", "dir": "one"}, {"type": "s3", "bucket": "two"}])
    assert found.warnings == ()
    assert found.publish == (FolderPublisherSettings(dir="one"), S3PublisherSettings(bucket="two"))
    assert read(tmp_path, []).publish == ()


def test_a_place_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'publish\[1\].*duplicate place "one"'):
        read(tmp_path, [{"type": "fs", "dir": "one"}, {"type": "fs", "dir": "one"}])


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ([{"type": "fs", "dir": "x"}, {"type": "ftp"}], "publish[1].type: unknown publish type"),
        ({"type": "ftp"}, "publish.type: unknown publish type: ftp; known types: fs, github, s3"),
        ({"dir": "public"}, 'publish: publish has no type; add "type": one of fs, github, s3'),
        ("public", "publish: unknown publish type: expected an object"),
        ({"type": "fs"}, 'publish: publish.dir: is required; add "dir"'),
        ({"type": "fs", "dir": 5}, "publish.dir: expected a string"),
    ],
    ids=["second", "unknown", "no-type", "no-object", "incomplete", "no-text"],
)
def test_what_is_wrong_is_named(tmp_path: Path, written: Any, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, written)
    assert problem.rpartition(": ")[2] in str(caught.value)


@pytest.mark.parametrize("written", [None, {"type": "fs", "dir": "public"}, {"type": "ftp"}])
def test_where_there_is_no_page_nothing_is_said_of_its_place(tmp_path: Path, written: Any) -> None:
    found = read(tmp_path, written, kinds=replace(KINDS, publishers=Registry({})))
    assert (found.publish, found.warnings) == ((), ())


def test_secrets_are_secrets() -> None:
    assert secret_fields(GitHubPublisherSettings) == ("access_token",)
    assert secret_fields(S3PublisherSettings) == ("access_key_id", "secret_access_key")
