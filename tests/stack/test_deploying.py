"""What `make deploy` makes of the parameters that it is given."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.emulators import ROOT, ministack
from tests.stack.project import PROCESSOR, Project, copy_to

DEPLOY = ROOT / "scripts" / "deploy-stack"


@pytest.fixture
def unbuilt(tmp_path: Path) -> Project:
    project = copy_to(tmp_path / "project")
    (project.folder / ".aws-sam").mkdir()
    (project.folder / ".aws-sam" / "parameters").write_text(f"Architecture={PROCESSOR}\n")
    return project


def test_value_may_hold_spaces_and_commas(unbuilt: Project, tmp_path: Path) -> None:
    networks = "127.0.0.0/8,fe80::/10"
    given = f'Schedule=rate(5 minutes) AllowAddresses={networks} AlarmEmail= NoRunsMinutes="15"'
    with ministack(tmp_path / "aws", tls=True) as emulator:
        command: list[str | Path] = [DEPLOY, "checkup", given, "ConditionalWrites=trusted"]
        unbuilt.run(command, emulator.environ)
        described = emulator.client("cloudformation").describe_stacks(StackName="checkup")
    listed = described["Stacks"][0]["Parameters"]
    found = {it["ParameterKey"]: it["ParameterValue"] for it in listed}
    names = ("Schedule", "AllowAddresses", "NoRunsMinutes", "Architecture", "ConditionalWrites")
    assert [found[name] for name in names] == [
        *("rate(5 minutes)", networks, "15", PROCESSOR, "trusted")
    ]


@pytest.mark.parametrize("script", ["deploy-stack", "destroy-stack"])
def test_stack_of_somebody_else_is_left_alone(
    unbuilt: Project, tmp_path: Path, script: str
) -> None:
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with ministack(tmp_path / "aws", tls=True) as emulator:
        client = emulator.client("cloudformation")
        client.create_stack(StackName="payments", TemplateBody=json.dumps(template))
        done = subprocess.run(
            [ROOT / "scripts" / script, "payments"],
            cwd=unbuilt.folder,
            env={"PATH": os.environ["PATH"], **emulator.environ},
            capture_output=True,
            text=True,
            check=False,
        )
        (stack,) = client.describe_stacks(StackName="payments")["Stacks"]
    assert (done.returncode, done.stderr) == (1, "stack payments is not a Checkup stack\n")
    assert stack["StackStatus"] == "CREATE_COMPLETE"


@pytest.mark.parametrize("word", ["Memorysize=512", "512"])
def test_parameter_that_there_is_not_is_named(unbuilt: Project, word: str) -> None:
    done = subprocess.run(
        [DEPLOY, "checkup", word], cwd=unbuilt.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert word.partition("=")[0] in done.stderr
    assert "MemorySize" in done.stderr
