"""``--stack NAME``: a deployed stack, seen with the rights of whoever asks.

The stack's own outputs say where its runs are. Its configuration is the one that its functions
use: the file in their package or, where the stack names one, the object in S3. A file given with
``-c`` takes its place, and that is said.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile, ZipFile

from checkup import bootstrap
from checkup.cli import terminal
from checkup.cli.aws import AwsNotFoundError, call_aws
from checkup.config.files import DEFAULT_FILE_NAMES
from checkup.config.settings import Config
from checkup.errors import CheckupError

_DOWNLOAD_SECONDS: Final = 20.0
_PUBLISHER: Final = "PUBLISH_FUNCTION"


class StackDescription(NamedTuple):
    """What a stack says of itself.

    Attributes:
        outputs, parameters: by their names in the template.
    """

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


def open_stack(name: str, path: str | None) -> Config:
    """Let this process work on a stack as its functions do, and return the configuration.

    Args:
        path: a file to use in place of the stack's own configuration; None for that.

    Raises:
        ConfigError: the configuration is of no use.
        CheckupError: there is no such stack, or something of it may not be seen.
    """
    clients = bootstrap.LiveClients(os.environ)
    outputs = _outputs(name)
    os.environ["STATE_BUCKET"] = outputs["StateBucketName"]
    os.environ["PAGE_URL"] = outputs.get("PageUrl", "")
    os.environ[_PUBLISHER] = outputs.get("PublishFunctionName", "")
    if path is not None:
        terminal.log_line(f"{path} is used, not the configuration of the stack {name}")
        return bootstrap.read_config(path, os.environ)
    function = _function(clients, outputs["CheckFunctionName"])
    variables = function["Configuration"].get("Environment", {}).get("Variables", {})
    os.environ.update(variables)
    named = os.environ.get("CONFIG_BUCKET")
    bundled = None if named else _bundled(function["Code"]["Location"])
    counted = bootstrap.DeployedConfigReader(os.environ, bundled).current()
    if counted.problem is not None:
        instead = "an earlier version counts" if counted.version else "what is right of it counts"
        terminal.log_line(
            f"the configuration of {name} has errors, so {instead}:\n{counted.problem}"
        )
    return counted.config


def request_publish() -> None:
    """Have the page of the stack made anew, if this process works on one; do not wait for it.

    Whoever may write and not invoke waits for the page's own schedule.
    """
    if not os.environ.get(_PUBLISHER):
        return
    client = bootstrap.LiveClients(os.environ).aws("lambda")
    try:
        call_aws(
            "lambda:InvokeFunction",
            client.invoke,
            FunctionName=os.environ[_PUBLISHER],
            InvocationType="Event",
            Payload=b'{"task": "publish"}',
        )
    except AwsNotFoundError:
        terminal.log_line("the page shows it within five minutes: its function is not there")
    except CheckupError as error:
        terminal.log_line(f"the page shows it within five minutes: {error}")


@cache
def describe_stack(name: str) -> StackDescription:
    """Ask AWS for a stack, once.

    Raises:
        CheckupError: there is no such stack, or it may not be looked at.
    """
    client = bootstrap.LiveClients(os.environ).aws("cloudformation")
    try:
        answer = call_aws("cloudformation:DescribeStacks", client.describe_stacks, StackName=name)
    except AwsNotFoundError:
        region = client.meta.region_name
        raise CheckupError(
            f"there is no stack {name} in {region}; name another region with --region"
        ) from None
    (stack,) = answer["Stacks"]
    return StackDescription(
        {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", ())},
        {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", ())},
    )


def _outputs(name: str) -> Mapping[str, str]:
    """Return where the stack has its runs and functions."""
    found = describe_stack(name).outputs
    if not {"StateBucketName", "CheckFunctionName"} <= found.keys():
        raise CheckupError(
            f"the stack {name} keeps no runs: it is not one of Checkup's, its deployment failed,"
            " or it only votes for another region"
        )
    return found


def _function(clients: bootstrap.LiveClients, name: str) -> Any:  # noqa: ANN401 - as AWS answers
    return call_aws("lambda:GetFunction", clients.aws("lambda").get_function, FunctionName=name)


def _bundled(package: str) -> tuple[str, bytes]:
    """Return name and bytes of the configuration in a function's package.

    Args:
        package: an address that AWS has signed for a few minutes.
    """
    try:
        with ZipFile(BytesIO(_download(package))) as files:
            name = next(name for name in DEFAULT_FILE_NAMES if name in files.namelist())
            return name, files.read(name)
    except BadZipFile:
        raise CheckupError("the package of the check function is no archive") from None
    except StopIteration:
        raise CheckupError("there is no configuration in the stack's package") from None


def _download(address: str) -> bytes:
    """Fetch what AWS keeps, trusting whom the clients of AWS trust, behind whatever proxy."""
    import requests  # noqa: PLC0415 - few look at stacks

    try:
        answer = requests.get(
            address,
            timeout=_DOWNLOAD_SECONDS,
            verify=os.environ.get("AWS_CA_BUNDLE") or True,
        )
        answer.raise_for_status()
    except requests.RequestException as error:  # its text holds the signature
        reason = type(error).__name__
        raise CheckupError(
            f"the package of the check function could not be fetched ({reason})"
        ) from None
    return answer.content
