"""People who work on the deployed stack with the command line, each with rights of their own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.cli.program import Ended, Program
from tests.stack.deployment import STACK, Deployment

READING: Final = (
    *("cloudformation:DescribeStacks", "lambda:GetFunction"),
    *("s3:ListBucket", "s3:GetObject"),
)
"""What it takes to look at a stack."""

WRITING: Final = (
    *("s3:PutObject", "s3:GetObjectVersion", "s3:ListBucketVersions"),
    *("lambda:InvokeFunction", "ssm:GetParameter", "cloudformation:UpdateStack"),
)
"""What it takes besides to tell people something, to try channels, to restore and to pause."""


class Operator:
    """Somebody who may do certain things, and has the program on a machine of their own."""

    def __init__(self, stack: Deployment, folder: Path, actions: Sequence[str]) -> None:
        self._program = Program(folder)
        self._environ = {**stack.emulator.environ, **_user(stack, folder.name, actions)}

    def __call__(self, *words: str) -> Ended:
        """Use the program on the stack."""
        return self._program("--stack", STACK, *words, **self._environ)

    def says(self, *words: str) -> str:
        """Return what the program says when it has done what it was told to."""
        ended = self(*words)
        assert (ended.returncode, ended.stderr) == (0, ""), (words, ended)
        return ended.stdout


def _user(stack: Deployment, name: str, actions: Sequence[str]) -> dict[str, str]:
    iam = stack.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
