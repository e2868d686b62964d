"""What the README tells people to type works as typed, in a clean clone with an empty home."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.program import Program, wait_until

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
PAGE = "http://127.0.0.1:3000/"
NOWHERE = "http://127.0.0.1:1/"


def example_on_loopback() -> str:
    """Return the configuration of the README, with addresses at which nobody listens."""
    example = re.search(r"```json\n(.+?)```", README, re.DOTALL)
    assert example
    text = example[1].replace("www.example.com", "127.0.0.1:1")
    return text.replace("db.example.com:5432", "127.0.0.1:1")


@pytest.fixture
def checkup(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of the working tree, with what is not committed yet."""
    folder = tmp_path_factory.mktemp("clone") / "checkup"
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source = ROOT / name
        if source.exists():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
            target.chmod(source.stat().st_mode)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """That of a stranger: an empty home, and the same Python as here."""
    names = {"PATH", "LANG", "CI", "NO_APT"} | {n for n in os.environ if n.startswith("PIP_")}
    kept = {name: value for name, value in os.environ.items() if name in names}
    home = tmp_path_factory.mktemp("home")
    return {**kept, "HOME": str(home), "PYTHON": str(Path(sys.base_prefix) / "bin" / "python3")}


def make(clone: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", f"PYTHON={environment['PYTHON']}", *words]
    return subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


class FirstRun(NamedTuple):
    """The very first ``make run`` of the clone, and the names that it added to it."""

    done: subprocess.CompletedProcess[str]
    added: set[str]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture(scope="module")
def first_run(clone: Path, environment: dict[str, str]) -> FirstRun:
    before = names(clone)
    done = make(clone, environment, "run")
    return FirstRun(done, names(clone) - before)


@pytest.mark.timeout(300)
@pytest.mark.xdist_group("readme")
class TestMake:
    def test_run_shows_an_outage_and_its_end_and_names_the_page(self, first_run: FirstRun) -> None:
        done = first_run.done
        assert done.returncode == 0, done.stdout + done.stderr
        assert "API is down since" in done.stdout
        assert "recovered: API" in done.stdout
        assert "var/page/index.html" in done.stdout

    def test_run_prints_the_blocks_of_the_last_run(self, first_run: FirstRun) -> None:
        assessments = re.findall(r"^ Assessment: (\w+)$", first_run.done.stdout, re.MULTILINE)
        assert sorted(assessments) == ["degraded", "degraded", "down", *["healthy"] * 3]

    def test_run_writes_nothing_outside_var(self, first_run: FirstRun, clone: Path) -> None:
        assert first_run.added == {".venv", "var"}
        assert (clone / "var" / "page" / "index.html").stat().st_size > 1000
        assert len(list((clone / "var" / "demo" / "checks").glob("*-check.json"))) == 3

    @pytest.mark.usefixtures("first_run")
    def test_run_with_a_configuration_checks_that(
        self, clone: Path, environment: dict[str, str]
    ) -> None:
        (clone / "my.json").write_text(example_on_loopback())
        webhook = {"SLACK_WEBHOOK": NOWHERE}

        done = make(clone, environment | webhook, "run", "CONFIG=my.json")

        assert done.returncode == 0, done.stdout + done.stderr
        assert "== Website - https://127.0.0.1:1/" in done.stdout
        assert "connection refused" in done.stdout
        assert " written; the page is " in done.stdout

    @pytest.mark.usefixtures("first_run")
    def test_run_with_a_configuration_without_storage_looks_and_says_what_is_missing(
        self, clone: Path, environment: dict[str, str]
    ) -> None:
        checker = {"type": "tcp", "endpoint_name": "Nobody", "endpoint_url": "127.0.0.1:1"}
        (clone / "my file.json").write_text(json.dumps({"checkers": [checker]}))

        done = make(clone, environment, "run", "CONFIG=my file.json")

        assert (done.returncode, "== Nobody - 127.0.0.1:1" in done.stdout) == (0, True), done.stderr
        assert "no page" in done.stdout

    @pytest.mark.usefixtures("first_run")
    def test_serve_shows_a_living_page_until_it_is_stopped(
        self, clone: Path, environment: dict[str, str]
    ) -> None:
        with serving(clone, environment) as served:
            assert "Demo shop" in next(pages(served))

    @pytest.mark.usefixtures("first_run")
    def test_serve_with_a_configuration_checks_and_shows_that(
        self, clone: Path, environment: dict[str, str]
    ) -> None:
        checker = {"type": "tcp", "endpoint_name": "Nobody", "endpoint_url": "127.0.0.1:1"}
        storage = {"type": "fs", "dir": "var/mine"}
        own = {"checkers": [checker], "storage": storage, "page": {"title": "My own page"}}
        (clone / "mine.json").write_text(json.dumps(own))

        place = f"127.0.0.1:{free_port()}"
        with serving(clone, environment, "CONFIG=mine.json", f"LISTEN={place}") as served:
            assert "My own page" in next(pages(served, f"http://{place}/"))
            assert any("Major outage" in page for page in pages(served, f"http://{place}/"))


@contextmanager
def serving(
    clone: Path, environment: dict[str, str], *words: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Keep ``make serve`` running, and stop it as Ctrl-C does."""
    with subprocess.Popen(
        ["make", f"PYTHON={environment['PYTHON']}", "serve", *words],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as served:
        try:
            yield served
        finally:
            os.killpg(served.pid, signal.SIGINT)
            served.communicate(timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def pages(served: subprocess.Popen[bytes], address: str = PAGE) -> Iterator[str]:
    """Yield the page as soon as it is there."""
    for _ in range(600):
        assert served.poll() is None, "make serve ended by itself"
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                yield answer.read().decode()
        except urllib.error.URLError:
            pass
        time.sleep(0.1)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_relative_link_of_a_document_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / name).read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


COMMANDS = [shlex.split(line) for line in re.findall(r"^\| `checkup(.*?)`", README, re.MULTILINE)]
LASTING = {"every", "run", "serve"}


def test_the_command_table_has_what_matters() -> None:
    assert [] in COMMANDS
    assert {words[0] for words in COMMANDS if words} >= LASTING | {"--json", "--store", "message"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command_of_the_table_does_with_the_example_as_it_says(
    checkup: Program, words: list[str]
) -> None:
    (checkup.folder / "checkup.json").write_text(example_on_loopback())
    if {"history", "status"} & set(words):
        checkup("--store", SLACK_WEBHOOK=NOWHERE)
    if LASTING & set(words):
        port = ["--listen", "127.0.0.1:0"] if {"run", "serve"} & set(words) else []
        with checkup.start(*words, *port, SLACK_WEBHOOK=NOWHERE) as process:
            assert process.stdout is not None
            if "serve" in words:
                assert process.stdout.readline().startswith("The status page is on http://")
            else:
                wait_until(checkup.runs)
            process.terminate()
            process.communicate(timeout=60)
        assert process.returncode == 0
    else:
        consent = ["--yes"] if "provision" in words else []  # there is no terminal to ask on
        ended = checkup(*words, *consent, SLACK_WEBHOOK=NOWHERE)
        looked = "== Website" in ended.stdout or ended.stdout.startswith('[{"title"')
        expected = 3 if words == ["--store"] else int(looked or words == ["status"])
        assert ended.returncode == expected, ended.stderr


def test_every_make_target_that_a_document_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    text = "\n".join((ROOT / name).read_text() for name in DOCUMENTS)
    named = set(re.findall(r"`make ([a-z0-9-]+)", text)) | set(
        re.findall(r"^make ([a-z0-9-]+)", text, re.MULTILINE)
    )
    assert named
    assert [target for target in sorted(named) if f"\n{target}:" not in makefile] == []
