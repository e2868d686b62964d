"""Secrets by reference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from checkup.app import LiveClients
from checkup.errors import UnavailableError

CANARY = "https://hooks.slack.test/services/CANARY"


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveClients]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield LiveClients({"HOOK": CANARY, "EMPTY": ""})


def aws(service: str) -> Any:
    return boto3.client(service)  # type: ignore[call-overload]


@pytest.mark.parametrize("text", [CANARY, "xoxb-1:2", "", "envelope"])
def test_plain_text_is_the_secret_itself(clients: LiveClients, text: str) -> None:
    assert clients.secret(text) == text


def test_environment_variable(clients: LiveClients) -> None:
    assert clients.secret("env:HOOK") == CANARY


def test_file_without_its_line_end(clients: LiveClients, tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(f"{CANARY}\n")

    assert clients.secret(f"file:{tmp_path}/hook") == CANARY


def test_parameter_is_decrypted(clients: LiveClients) -> None:
    aws("ssm").put_parameter(Name="/checkup/hook", Value=CANARY, Type="SecureString")

    assert clients.secret("ssm:/checkup/hook") == CANARY


def test_secret_whole_and_by_key(clients: LiveClients) -> None:
    manager = aws("secretsmanager")
    manager.create_secret(Name="checkup/hook", SecretString=CANARY)
    manager.create_secret(Name="checkup/all", SecretString=json.dumps({"hook": CANARY}))

    assert clients.secret("secretsmanager:checkup/hook") == CANARY
    assert clients.secret("secretsmanager:checkup/all#hook") == CANARY


@pytest.mark.row("125")
def test_rotated_secret_counts_from_its_first_refusal_on(clients: LiveClients) -> None:
    ssm = aws("ssm")
    ssm.put_parameter(Name="hook", Value="old", Type="SecureString")
    first = clients.secret("ssm:hook")
    ssm.put_parameter(Name="hook", Value="new", Type="SecureString", Overwrite=True)
    clients.clear_secrets()

    assert (first, clients.secret("ssm:hook")) == ("old", "new")


@pytest.mark.row("125")
@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("env:MISSING", "environment variable MISSING is not set"),
        ("env:EMPTY", "environment variable EMPTY is empty"),
        ("file:/nowhere/hook", "No such file or directory"),
        ("ssm:missing", "AWS returned ParameterNotFound"),
        ("secretsmanager:missing", "AWS returned ResourceNotFoundException"),
        ("secretsmanager:plain#key", "the secret is not JSON; leave out #key"),
        ("secretsmanager:json#other", "the secret has no string under other"),
        ("secretsmanager:json#number", "the secret has no string under number"),
    ],
)
def test_error_names_the_reference_and_never_the_value(
    clients: LiveClients, reference: str, problem: str
) -> None:
    manager = aws("secretsmanager")
    manager.create_secret(Name="plain", SecretString=CANARY)
    manager.create_secret(Name="json", SecretString=json.dumps({"key": CANARY, "number": 1}))

    with pytest.raises(UnavailableError) as caught:
        clients.secret(reference)

    named = "" if reference.startswith("env:") else f"{reference}: "
    assert str(caught.value) == f"{named}{problem}"
    assert "CANARY" not in repr([caught.value.__cause__, caught.value.__context__])


def test_binary_file_is_no_secret(clients: LiveClients, tmp_path: Path) -> None:
    (tmp_path / "hook").write_bytes(b"\xff\xfe")

    with pytest.raises(UnavailableError, match="the file is not text"):
        clients.secret(f"file:{tmp_path}/hook")


def test_aws_without_a_region_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")

    with pytest.raises(UnavailableError, match=r"^ssm: no region of AWS is known; set AWS_REGION"):
        LiveClients({}).aws("ssm", region_name="")
