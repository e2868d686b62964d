"""The built functions under AWS's Lambda runtime, with nothing of AWS around them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.emulators import free_port
from tests.stack.lambdas import Environment, Function, running
from tests.stack.project import Project
from tests.stack.services import REACHABLE, Service

NOWHERE = {
    "STATE_BUCKET": "state",
    "PAGE_BUCKET": "page",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
}


def check_function(project: Project) -> Function:
    return Function(
        name="check",
        handler="check.handler",
        task=project.built / "CheckFunction",
        layers=project.built / "CoreLayer",
        environ={**NOWHERE, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"},
    )


@pytest.fixture(scope="session")
def check(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    function = check_function(project)
    reaching = replace(function, environ={**function.environ, **REACHABLE})
    with running(reaching, tmp_path_factory.mktemp("check") / "environment") as environment:
        yield environment


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


@pytest.mark.row("15")
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
    assert answer.error == "RunNotStoredError"


@pytest.mark.row("155")
def test_function_does_not_look_at_its_own_loopback(project: Project, tmp_path: Path) -> None:
    with running(check_function(project), tmp_path / "environment") as environment:
        results = environment.invoke({"checkers": []}).payload
    assert [result["times"][0]["failure"] for result in results] == ["address_refused"] * 2


@pytest.mark.row("13")
def test_fault_of_the_configuration_is_named_and_the_good_checkers_run(
    project: Project, website: Service, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    shutil.copytree(project.built / "CheckFunction", task)
    good = {"type": "http", "endpoint_name": "Website", "endpoint_url": website.url}
    bad = {"type": "http", "endpoint_name": "Shop", "attempts": "many"}
    (task / "checkup.json").write_text(json.dumps({"checkers": [bad, good]}))
    function = check_function(project)
    faulty = replace(function, task=task, environ={**function.environ, **REACHABLE})
    with running(faulty, tmp_path / "environment") as environment:
        results = environment.invoke({"checkers": []}).payload
        log = environment.log.read_text()
    assert [result.get("healthy", False) for result in results] == [False, True]
    assert results[0]["times"][0]["failure"] == "config"
    assert "checkers[0].attempts" in log
    assert '"unreadable_config":1' in log.replace(" ", "")


@pytest.mark.row("13")
def test_configuration_of_which_nothing_is_left_is_an_error(
    project: Project, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    shutil.copytree(project.built / "CheckFunction", task)
    (task / "checkup.json").write_text('{"checkers": [')
    with running(
        replace(check_function(project), task=task), tmp_path / "environment"
    ) as environment:
        assert environment.invoke({"checkers": []}).error == "ConfigError"
        assert environment.invoke({"no": "event of ours"}).error == "EventError"


@pytest.mark.row("161")
def test_a_name_with_line_breaks_forges_no_line_of_the_log(
    project: Project, website: Service, tmp_path: Path
) -> None:
    task = tmp_path / "task"
    shutil.copytree(project.built / "CheckFunction", task)
    forged = 'Shop\n{"level":"ERROR","message":"forged"}\r\x1b[2K'
    checker = {
        "type": "http",
        "endpoint_name": forged,
        "endpoint_url": website.url,
        "attempts": "x",
    }
    (task / "checkup.json").write_text(json.dumps({"checkers": [checker]}))
    function = check_function(project)
    with running(replace(function, task=task), tmp_path / "environment") as environment:
        environment.invoke({"checkers": []})
        environment.invoke({"checkers": [f"no {forged}"]})
        lines = environment.log.read_text().splitlines()
    assert any("no Shop" in line for line in lines)
    assert [line for line in lines if line.startswith('{"level":"ERROR","message":"forged"')] == []
