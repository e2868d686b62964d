"""The stack without its program, in the emulator of AWS: what it is made of and who may do what.

It needs no build and is there within two seconds, so that rights can be tried one by one.
Everything but the code of the functions is what the template says, as CloudFormation resolves it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.emulators import REGION, Emulator
from tests.stack.policies import listed
from tests.stack.roles import assumed

PATIENCE = 30.0
Clients = Callable[..., Any]
"""Returns a client of the AWS service of that name; options as for ``boto3.client``."""


class Refused(Exception):  # noqa: N818 - it is what CloudFormation said
    """CloudFormation does not make this stack."""


@dataclass(frozen=True)
class Skeleton:
    """A stack as CloudFormation has made it.

    Attributes:
        ids: the physical name of each resource, by its name in the template.
        region: where it is.
    """

    emulator: Emulator
    name: str
    ids: Mapping[str, str]
    region: str = REGION

    def clients(self, role: str) -> Clients:
        """Return what makes clients with the rights of a role of the template."""
        credentials = assumed(self.emulator, self.ids[role])
        return lambda service, **options: self.emulator.client(
            service, **{"region_name": self.region, **options, **credentials}
        )

    @contextmanager
    def without(self, role: str, policy: str, sid: str, action: str) -> Iterator[None]:
        """Take an action out of a statement of a role's policy while the block runs."""
        iam, where = self.emulator.client("iam"), {"RoleName": self.ids[role], "PolicyName": policy}
        document = iam.get_role_policy(**where)["PolicyDocument"]
        iam.put_role_policy(**where, PolicyDocument=json.dumps(_less(document, sid, action)))
        try:
            yield
        finally:
            iam.put_role_policy(**where, PolicyDocument=json.dumps(document))

    def delete(self) -> None:
        """Delete the stack and wait until it is gone."""
        client = self.emulator.client("cloudformation", region_name=self.region)
        stack = client.describe_stacks(StackName=self.name)["Stacks"][0]["StackId"]
        client.delete_stack(StackName=self.name)
        assert _ended(client, stack) == "DELETE_COMPLETE"


def make(
    emulator: Emulator, translated: Path, name: str, region: str = REGION, **parameters: str
) -> Skeleton:
    """Make a stack of the template, with functions that do nothing.

    Raises:
        Refused: with the words of CloudFormation.
    """
    client = emulator.client("cloudformation", region_name=region)
    given = {"ConditionalWrites": "trusted", **parameters}
    try:
        stack = client.create_stack(
            StackName=name,
            TemplateBody=json.dumps(_without_code(json.loads(translated.read_text()))),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
        )["StackId"]
    except ClientError as error:
        raise Refused(error.response["Error"]["Message"]) from error
    assert _ended(client, stack) == "CREATE_COMPLETE"
    found = client.describe_stack_resources(StackName=name)["StackResources"]
    ids = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in found}
    return Skeleton(emulator, name, ids, region)


def _without_code(template: dict[str, Any]) -> dict[str, Any]:
    resources = template["Resources"]
    for name, resource in list(resources.items()):
        if resource["Type"] == "AWS::Lambda::LayerVersion":
            del resources[name]
        elif resource["Type"] == "AWS::Lambda::Function":
            del resource["Properties"]["Layers"]
            resource["Properties"]["Code"] = {"ZipFile": "def handler(*_): pass"}
    return template


def _ended(client: Any, stack: str) -> str:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status = str(client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if not status.endswith("IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{stack} is still at work after {PATIENCE:.0f} s")


def _less(document: Any, sid: str, action: str) -> Any:
    statements = []
    for statement in document["Statement"]:
        left = [it for it in listed(statement["Action"]) if (statement["Sid"], it) != (sid, action)]
        if left:
            statements.append({**statement, "Action": left})
    return {**document, "Statement": statements}
