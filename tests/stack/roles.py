"""ScriptedChecker in the name of a role of the stack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from tests.emulators import Emulator


@cache
def assumed(emulator: Emulator, role: str) -> dict[str, str]:
    """Assume a role as Lambda does, and return the credentials as options of a client.

    Lambda says which account it acts for, which the emulator cannot: that condition is taken off.
    """
    iam = emulator.client("iam")
    found = iam.get_role(RoleName=role)["Role"]
    trust = found["AssumeRolePolicyDocument"]
    for statement in trust["Statement"]:
        statement.pop("Condition", None)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    credentials = emulator.client("sts").assume_role(RoleArn=found["Arn"], RoleSessionName="test")
    return {
        "aws_access_key_id": credentials["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": credentials["Credentials"]["SecretAccessKey"],
        "aws_session_token": credentials["Credentials"]["SessionToken"],
    }


def as_variables(credentials: Mapping[str, str]) -> dict[str, str]:
    """Return what a program's environment says in place of a client's options."""
    return {name.upper(): value for name, value in credentials.items()}
