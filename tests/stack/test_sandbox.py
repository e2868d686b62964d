"""The limits of a function, each of which has to bite here as it does on Lambda."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.stack import probe
from tests.stack.bridge import Bridge
from tests.stack.deployment import wait_for
from tests.stack.lambdas import PYTHON, Environment, Function, running
from tests.stack.pair import Stacks

MEGABYTES = 128
MIB = 2**20
HASTE = 2  # seconds
TIMED_OUT = "Task timed out after 2.00 seconds"


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


@pytest.fixture(scope="module")
def deployed(stacks: Stacks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of an AWS that has the function, with little time and with much."""
    folder, emulator = tmp_path_factory.mktemp("deployed"), stacks.home.emulator
    shutil.make_archive(str(folder / "code"), "zip", Path(probe.__file__).parent, "probe.py")
    role = emulator.client("iam").get_role(RoleName=stacks.home.ids["CheckRole"])["Role"]
    client = emulator.client("lambda")
    for name, seconds in (("hasty", HASTE), ("patient", 60)):
        client.create_function(
            FunctionName=name,
            Runtime=PYTHON,
            Handler="probe.handler",
            Role=role["Arn"],
            Code={"ZipFile": (folder / "code.zip").read_bytes()},
            MemorySize=MEGABYTES,
            Timeout=seconds,
        )
    bridge = Bridge(emulator, folder / "lambda", {})
    bridge.attach(["hasty", "patient"])
    yield client
    bridge.stop()


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
def test_function_that_takes_more_memory_than_it_has_is_killed(
    function: Function, tmp_path: Path
) -> None:
    with running(function, tmp_path / "environment") as environment:
        assert tried(environment, "take", MEGABYTES // 4) == MEGABYTES // 4 * MIB
        killed = environment.invoke({"do": "take", "with": [2 * MEGABYTES]})
        assert killed.error == "Runtime.ExitError"
        assert "signal: killed" in killed.payload["errorMessage"]
        assert tried(environment, "take", 1) == MIB  # as a new one


def test_function_that_takes_longer_than_it_may_is_killed(
    function: Function, tmp_path: Path
) -> None:
    with running(replace(function, timeout=HASTE), tmp_path / "environment") as environment:
        killed = environment.invoke({"do": "wait", "with": [120]})
        assert killed.payload == {
            "errorType": "Sandbox.Timedout",
            "errorMessage": TIMED_OUT,
        }
        assert killed.seconds < 60
        # As a new one, for which a busy machine may take more time than the function has.
        assert wait_for(
            lambda: environment.invoke({"do": "who", "with": []}).error == "", "a new one"
        )


@pytest.mark.parametrize(
    ("name", "deed", "sentence"),
    [
        pytest.param("hasty", ("wait", 120), TIMED_OUT, id="time"),
        pytest.param(
            *("patient", ("take", 2 * MEGABYTES), "signal: killed"),
            id="memory",
            marks=pytest.mark.needs("a memory limit"),
        ),
    ],
)
def test_who_asked_is_told_that_the_function_was_killed(
    deployed: Any, name: str, deed: tuple[object, ...], sentence: str
) -> None:
    event = json.dumps({"do": deed[0], "with": deed[1:]})
    answer = deployed.invoke(FunctionName=name, Payload=event)
    assert answer["FunctionError"]
    assert sentence in json.loads(answer["Payload"].read())["errorMessage"]
