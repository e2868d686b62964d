"""``checkup page``: the page, put where the configuration says."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.program import Program, wait_until
from tests.cli.service import Service
from tests.servers.github import NAME, OWNER, TOKEN, FakeGitHub, fake_github


@pytest.fixture
def stored(checkup: Program, service: Service) -> Program:
    """A program that has stored one run."""
    configured(checkup, service, None)
    assert checkup("--store").returncode == 0
    configured(checkup, service, {"type": "fs", "dir": "public"})
    return checkup


def configured(checkup: Program, service: Service, publish: Any) -> None:
    checker = {"type": "http", "endpoint_name": "Web Shop", "endpoint_url": service.url}
    checkup.write(
        {
            "checkers": [checker],
            "storage": {"type": "fs", "dir": "checks"},
            "page": {"url": "https://status.example/"},
            **({"publish": publish} if publish else {}),
        }
    )


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as server:
        yield server


def test_it_goes_into_the_configured_folder(stored: Program) -> None:
    ended = stored("page")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(" written; the page is public\n")
    assert "Web Shop" in (stored.folder / "public/index.html").read_text()


def test_it_goes_into_every_configured_place_and_a_dead_one_is_named(
    stored: Program, service: Service
) -> None:
    (stored.folder / "file").write_text("no folder")
    configured(
        stored,
        service,
        [{"type": "fs", "dir": "one"}, {"type": "fs", "dir": "file"}, {"type": "fs", "dir": "two"}],
    )
    ended = stored("page")
    assert ended.returncode == 0
    assert re.findall("the page is (.+)", ended.stdout) == ["one", "two"]
    assert re.fullmatch(r"\S+ \S+ file: cannot write file: .*\n", ended.stderr)
    assert (stored.folder / "one/index.html").exists()
    assert (stored.folder / "two/index.html").exists()
    configured(stored, service, [{"type": "fs", "dir": "file"}])
    assert stored("page").returncode == 1


def test_a_folder_that_is_named_comes_first(stored: Program) -> None:
    ended = stored("page", "here")
    assert ended.stdout.endswith("; the page is here/index.html\n")
    assert not (stored.folder / "public").exists()


def test_it_goes_to_a_branch_of_github(
    stored: Program, service: Service, github: FakeGitHub
) -> None:
    about = {"repository_owner": OWNER, "repository_name": NAME, "access_token": "env:TOKEN"}
    configured(stored, service, {"type": "github", "api_url": github.url, **about})

    ended = stored("page", TOKEN=TOKEN)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.endswith(f"; the page is github.com/{OWNER}/{NAME}, gh-pages\n")
    assert b"Web Shop" in github.git.files("gh-pages")["index.html"]
    assert all(TOKEN.encode() not in body for body in github.git.files("gh-pages").values())


@pytest.mark.parametrize(
    ("folder", "said"), [("", "DIR is empty"), ("checks", "checks contains stored runs")]
)
def test_it_goes_nowhere_by_accident(stored: Program, folder: str, said: str) -> None:
    ended = stored("page", folder)
    assert (ended.returncode != 0, said in ended.stderr) == (True, True), ended.stderr
    assert not [*stored.folder.rglob("index.html")]


def test_what_the_page_warns_of_is_a_line_like_any_other(stored: Program) -> None:
    head = stored.folder / "checks" / "incidents" / "head.json"
    head.parent.mkdir()
    head.write_text('{"schema": 9}')
    ended = stored("page")
    assert ended.returncode == 0
    assert re.fullmatch(
        r"\d{4}/\d\d/\d\d [\d:]{8} page published without incidents and maintenance: .*\n",
        ended.stderr,
    )


def test_without_a_place_it_says_what_to_do(stored: Program, service: Service) -> None:
    configured(stored, service, None)
    ended = stored("page")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "give a folder, or configure `publish`" in ended.stderr


@pytest.mark.row("130")
def test_a_newer_page_stays_and_the_command_says_so(stored: Program) -> None:
    stored("page")
    manifest = stored.folder / "public/manifest.json"
    manifest.write_text(manifest.read_text().replace('"position":1', '"position":2'))

    ended = stored("page")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "a newer page is already published" in ended.stderr


@pytest.mark.parametrize(
    "words", [pytest.param(["--store"], id="store"), pytest.param(["every", "1h"], id="every")]
)
def test_page_is_published_with_each_stored_run_where_that_is_configured(
    checkup: Program, service: Service, tmp_path: Path, words: list[str]
) -> None:
    configured(checkup, service, {"type": "fs", "dir": "public"})
    index = tmp_path / "public" / "index.html"

    with checkup.start(*words) as process:
        wait_until(index.exists)
        process.send_signal(signal.SIGTERM) if words[0] == "every" else None
        assert process.wait(30) == 0

    assert "Web Shop" in index.read_text()


def test_run_is_stored_where_the_page_cannot_be_published(
    checkup: Program, service: Service, tmp_path: Path
) -> None:
    (tmp_path / "public").write_text("a file")
    configured(checkup, service, {"type": "fs", "dir": "public"})

    ended = checkup("--store")

    assert ended.returncode == 1
    assert "public" in ended.stderr
    assert len(checkup.runs()) == 1
