"""The limits of a function, each of which has to bite here as it does on Lambda."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.stack import probe
from tests.stack.lambdas import Environment, Function, running

MEGABYTES = 128
MIB = 2**20


@pytest.fixture(scope="module")
def function(tmp_path_factory: pytest.TempPathFactory) -> Function:
    folder = tmp_path_factory.mktemp("probe")
    for name in ("task", "layers"):
        (folder / name).mkdir()
    shutil.copy(probe.__file__, folder / "task")
    return Function(
        name="probe",
        handler="probe.handler",
        task=folder / "task",
        layers=folder / "layers",
        memory=MEGABYTES,
    )


@pytest.fixture(scope="module")
def environment(
    function: Function, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Environment]:
    with running(function, tmp_path_factory.mktemp("probe") / "environment") as environment:
        yield environment


def tried(environment: Environment, deed: str, *arguments: object) -> Any:
    answer = environment.invoke({"do": deed, "with": arguments})
    assert answer.error == "", answer
    return answer.payload


@pytest.mark.needs("a sandbox")
@pytest.mark.parametrize(
    "folder",
    [
        *("/", "/var/task", "/opt", "/var/lang", "/var/runtime", "/mnt"),
        *("/etc", "/home", "/var/tmp", "/dev/shm"),
    ],
)
def test_root_is_read_only(environment: Environment, folder: str) -> None:
    assert tried(environment, "write", folder) == "EROFS"


def test_temporary_folder_can_be_written(environment: Environment) -> None:
    assert tried(environment, "write", "/tmp") == "written"


@pytest.mark.needs("a sandbox")
def test_function_is_nobody_in_particular_with_no_more_than_lambda_gives(
    environment: Environment,
) -> None:
    assert tried(environment, "who") == {
        "uid": 993,
        "gid": 990,
        "groups": [],
        "rights": 0,
        "can gain rights": False,
        "processes": 2,  # the runtime emulator's and its own
        "temporary": 512 * MIB,
    }


@pytest.mark.needs("a sandbox")
def test_function_has_no_port_of_the_system(environment: Environment) -> None:
    assert tried(environment, "serve", 80) == "EACCES"
    assert tried(environment, "serve", 0) == "served"


@pytest.mark.needs("a network of their own")
@pytest.mark.parametrize("host", ["192.0.2.1", "169.254.169.254", "2001:db8::1"])
def test_function_reaches_nobody_beyond_the_loopback(environment: Environment, host: str) -> None:
    assert tried(environment, "reach", host) in {"ENETUNREACH", "EADDRNOTAVAIL"}


@pytest.mark.needs("a memory limit")
def test_11_function_that_takes_more_memory_than_it_has_is_killed(
    function: Function, tmp_path: Path
) -> None:
    with running(function, tmp_path / "environment") as environment:
        assert tried(environment, "take", MEGABYTES // 4) == MEGABYTES // 4 * MIB
        killed = environment.invoke({"do": "take", "with": [2 * MEGABYTES]})
        assert killed.error == "Runtime.ExitError"
        assert "signal: killed" in killed.payload["errorMessage"]
        assert tried(environment, "take", 1) == MIB  # as a new one


def test_11_function_that_takes_longer_than_it_may_is_killed(
    function: Function, tmp_path: Path
) -> None:
    with running(replace(function, timeout=1), tmp_path / "environment") as environment:
        killed = environment.invoke({"do": "wait", "with": [120]})
        assert killed.payload == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": "Task timed out after 1.00 seconds",
        }
        assert killed.seconds < 60
        assert tried(environment, "wait", 0) == "waited"  # as a new one
