"""The deployed stack, updated in place so that its schedules are on, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.stack.bridge import Handled
from tests.stack.deployment import Deployment, deploy, wait_for

if TYPE_CHECKING:
    from tests.stack.killing import Torn
    from tests.stack.operating import Consulted
    from tests.stack.sight import Sight


@dataclass(frozen=True)
class SwitchedOn:
    """The stack after an update that turned its schedules on.

    Attributes:
        outputs: what the stack says of itself.
        seen: how many events the check function had been given before.
    """

    outputs: dict[str, str]
    seen: int


@pytest.fixture(scope="session")
def switched_on(stack: Deployment, torn: Torn) -> SwitchedOn:
    assert torn
    seen = len(stack.handled("CheckFunctionName"))
    updated = deploy(
        *(stack.project, stack.emulator, stack.bridge), Enabled="true", RunDeadline="20"
    )
    return SwitchedOn(dict(updated.outputs), seen)


@dataclass(frozen=True)
class Update:
    """The stack some time after that.

    Attributes:
        handled: the first event that a schedule sent by itself.
        runs: all runs by then.
        variables: the environment of the check function by then.
        outputs: what the stack says of itself.
    """

    handled: Handled
    runs: list[str]
    variables: dict[str, str]
    outputs: dict[str, str]


@pytest.fixture(scope="session")
def update(
    stack: Deployment, switched_on: SwitchedOn, consulted: Consulted, sight: Sight
) -> Update:
    assert consulted and sight  # noqa: PT018 - they come first
    handled = wait_for(
        lambda: stack.handled("CheckFunctionName")[switched_on.seen :], "a schedule of one minute"
    )[0]
    function = stack.emulator.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["CheckFunctionName"]
    )
    variables = function["Environment"]["Variables"]
    return Update(handled, stack.keys("runs/"), variables, switched_on.outputs)
