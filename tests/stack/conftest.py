"""What the tests of the stack share: one build, one copy of the tools.

All of them run in one worker, for a build and a deployment are made once.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.emulators import REGION, ROOT, require
from tests.stack import isolation, network
from tests.stack.day import slack, stack
from tests.stack.doubling import doubled
from tests.stack.ending import gone
from tests.stack.freezing import freeze
from tests.stack.invoking import by_hand
from tests.stack.killing import killed, repeated, torn
from tests.stack.mending import mended
from tests.stack.operating import commanded, consulted, operator, reader, restored
from tests.stack.outage import outage
from tests.stack.pair import stacks
from tests.stack.project import OTHER, PROCESSOR, SAM, Project, copy_to
from tests.stack.rebuilding import rebuilt
from tests.stack.regions import regions
from tests.stack.services import Service
from tests.stack.sight import sight
from tests.stack.silence import silence
from tests.stack.trouble import trouble
from tests.stack.updating import switched_on, update

HERE = Path(__file__).parent
__all__ = [  # fixtures
    "by_hand",
    "commanded",
    "consulted",
    "doubled",
    "freeze",
    "gone",
    "killed",
    "mended",
    "operator",
    "outage",
    "reader",
    "rebuilt",
    "regions",
    "repeated",
    "restored",
    "sight",
    "silence",
    "slack",
    "stack",
    "stacks",
    "switched_on",
    "torn",
    "trouble",
    "update",
]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "xdist_group(name): known without the plug-in too")
    config.addinivalue_line("markers", "needs(what): one of tests.stack.isolation.PARTS")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    with network.own() if item.path.is_relative_to(HERE) else nullcontext():
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in isolation.told():
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group("stack"))
            item.add_marker(pytest.mark.timeout(600))  # it may be the one that waits for the build
    isolation.leave_out(config, items)
    # By then it is built.
    items.sort(key=lambda item: "the other processor" in item.name.replace("_", " "))


@pytest.fixture(scope="session")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template as CloudFormation sees it, after SAM's translation."""
    file = tmp_path_factory.mktemp("translated") / "template.json"
    command = [require(SAM / "python"), HERE / "translate.py", ROOT / "template.yaml"]
    environ = {"AWS_DEFAULT_REGION": REGION}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    file.write_text(done.stdout)
    return file


@pytest.fixture(scope="session")
def resources(translated: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(translated.read_text())["Resources"]
    return found


@pytest.fixture(scope="session")
def website() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture(scope="session")
def users() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, website: Service, users: Service) -> Project:
    """The stack, built for this machine, with two services of the test as its configuration."""
    project = copy_to(tmp_path_factory.mktemp("stack") / "project")
    project.configure(
        {
            "checkers": [
                {"type": "http", "endpoint_name": "Website", "endpoint_url": website.url},
                {"type": "http", "endpoint_name": "User Service", "endpoint_url": users.url},
            ],
            "notifiers": [{"type": "slack", "webhook": "ssm:/checkup/slack-webhook"}],
            "page": {"title": "Status of the stack"},
            # The day has more outages than days have, and each is to be announced at once.
            "flapping": False,
            "recheck": 0,
        }
    )
    project.build(PROCESSOR)
    return project


@pytest.fixture(scope="session")
def other_project(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[Project]]:
    """The stack, being built for the processor that this machine does not have."""
    # Of the first one's sources, so that nothing but the processor can make a difference.
    other = copy_to(tmp_path_factory.mktemp("other") / "project", project.folder)

    def build() -> Project:
        other.build(OTHER)
        return other

    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(build)
