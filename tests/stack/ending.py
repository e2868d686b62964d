"""The end of the deployed stack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.emulators import ROOT
from tests.stack.deployment import STACK, Deployment

if TYPE_CHECKING:
    from tests.stack.operating import Commanded


@dataclass(frozen=True)
class Gone:
    """What is left after the stack was deleted."""

    functions: list[str]
    schedules: list[str]
    buckets: list[str]


@pytest.fixture(scope="session")
def gone(stack: Deployment, commanded: Commanded) -> Gone:
    assert commanded
    stack.project.run([ROOT / "scripts" / "destroy-stack", STACK], stack.emulator.environ)
    client = stack.emulator.client
    return Gone(
        [it["FunctionName"] for it in client("lambda").list_functions()["Functions"]],
        [it["Name"] for it in client("scheduler").list_schedules()["Schedules"]],
        [it["Name"] for it in client("s3").list_buckets()["Buckets"]],
    )
