"""The built functions under AWS's Lambda runtime, with nothing of AWS around them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators import free_port
from tests.stack.lambdas import Environment, Function
from tests.stack.project import Project
from tests.stack.services import Service

NOWHERE = {
    "STATE_BUCKET": "state",
    "PAGE_BUCKET": "page",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


def function(project: Project, name: str) -> Function:
    return Function(
        name=name,
        handler=f"{name}.handler",
        task=project.built / f"{name.capitalize()}Function",
        layers=project.built / "CoreLayer",
        environ={**NOWHERE, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"},
    )


@pytest.fixture(scope="session")
def check(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    folder = tmp_path_factory.mktemp("functions") / "check"
    environment = Environment(function(project, "check"), folder)
    yield environment
    environment.stop()


def test_look_by_hand_returns_what_a_run_file_would_hold(check: Environment) -> None:
    results = check.invoke({"checkers": []}).payload
    assert [(result["title"], result["healthy"]) for result in results] == [
        ("Website", True),
        ("User Service", True),
    ]


def test_look_by_hand_is_at_the_named_checkers_only(
    check: Environment, website: Service, users: Service
) -> None:
    asked = website.asked, users.asked
    results = check.invoke({"checkers": ["USER SERVICE"]}).payload
    assert [result["id"] for result in results] == ["user-service"]
    assert (website.asked, users.asked) == (asked[0], asked[1] + 1)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        ({"checkers": ["web site"]}, 'no checker "web site"; did you mean "Website"?'),
        (
            {"slot": "<aws.scheduler.scheduled-time>"},
            "the sender did not put the time in its place",
        ),
        ({"source": "aws.events"}, 'send {"slot": '),
    ],
)
def test_event_that_cannot_be_served_is_refused_with_the_reason(
    check: Environment, event: object, sentence: str
) -> None:
    answer = check.invoke(event)
    assert answer.error == "EventError"
    assert sentence in answer.payload["errorMessage"]


def test_run_that_cannot_be_stored_is_an_error(check: Environment) -> None:
    answer = check.invoke({"slot": "2026-01-31T12:00:00Z"})
    assert answer.error == "NotRecorded"


def test_configuration_with_a_fault_is_named_at_the_start(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("faulty")
    task = folder / "task"
    task.mkdir()
    for file in (project.built / "CheckFunction").glob("*.py"):
        (task / file.name).write_text(file.read_text())
    (task / "checkup.json").write_text('{"checkers": [{"type": "http", "attempts": "many"}]}')
    faulty = function(project, "check")
    environment = Environment(
        Function(faulty.name, faulty.handler, task, faulty.layers, environ=faulty.environ),
        folder / "environment",
    )
    try:
        answer = environment.invoke({"checkers": []})
    finally:
        environment.stop()
    assert answer.error
    assert "checkers[0].attempts" in environment.log.read_text()
