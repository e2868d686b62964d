"""Deployed stacks: ``--stack NAME``, and the commands ``pause`` and ``resume``.

The stack's outputs name its bucket and functions. Its configuration is the one that its functions
use: the file in their package, or the object in S3. A file given with ``-c`` takes its place.
Everything happens with the permissions of the user.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache
from io import BytesIO
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile, ZipFile

import click

from checkup import app
from checkup.aws import deployed_config
from checkup.cli import output
from checkup.cli.options import STACK, config_options, examples_epilog, verbose_option
from checkup.config.settings import Config
from checkup.config.source import DEFAULT_FILE_NAMES
from checkup.errors import CheckupError

# Calls to AWS, whose errors become readable messages.


_DENIED: Final = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}

_NOT_FOUND: Final = {
    "ValidationError",  # also of an update of a stack that changes nothing
    "ResourceNotFoundException",
    "NoSuchVersion",
}

_EXPIRED: Final = "your AWS credentials have expired; log in again"
_INVALID: Final = "your AWS credentials are not valid"
_AWAY: Final = "cannot reach AWS; check the network and the region"

_PROBLEMS: Final = {
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "UnauthorizedSSOTokenError": _EXPIRED,
    "SSOTokenLoadError": _EXPIRED,
    "TokenRetrievalError": _EXPIRED,
    "InvalidClientTokenId": _INVALID,
    "SignatureDoesNotMatch": _INVALID,
    "UnrecognizedClientException": _INVALID,
    "NoCredentialsError": "no AWS credentials; log in, or use --profile",
    "PartialCredentialsError": "your AWS credentials are incomplete",
    "EndpointConnectionError": _AWAY,
    "ConnectTimeoutError": _AWAY,
}


class AwsNotFoundError(Exception):
    """The stack, function or version does not exist."""


def call_aws(action: str, call: Callable[..., Any], **question: Any) -> Any:
    """Call AWS; errors get messages of ours, because those of AWS contain account numbers.

    Raises:
        AwsNotFoundError: the stack, function or version does not exist.
        CheckupError: anything else.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # an extra

    try:
        return call(**question)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_FOUND:
            raise AwsNotFoundError from None
        if code in _DENIED:
            raise CheckupError(f"permission denied: {action} is required") from None
        raise CheckupError(_PROBLEMS.get(code, f"{action} failed ({code})")) from None
    except BotoCoreError as error:
        code = type(error).__name__
        raise CheckupError(_PROBLEMS.get(code, f"request to AWS failed ({code})")) from None


# The Python of the functions, and until when AWS supports it.


PYTHON_DEPRECATED: Final = {
    "python3.11": date(2027, 6, 30),
    "python3.12": date(2028, 10, 31),
    "python3.13": date(2029, 6, 30),
    "python3.14": date(2029, 6, 30),
}
"""When Lambda deprecates a runtime, as of 2026-11-22: from then on it gets no security updates,
and later its functions cannot be updated
(https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html)."""

_NOTICE: Final = timedelta(days=180)


def retiring_python(runtime: str, today: date) -> tuple[str, str] | None:
    """Return the warning and the fix if AWS is about to retire a runtime; None if not."""
    until = PYTHON_DEPRECATED.get(runtime)
    if until is None or today < until - _NOTICE:
        return None
    newer = max(PYTHON_DEPRECATED, key=lambda name: (PYTHON_DEPRECATED[name], len(name), name))
    verb = "deprecates" if today < until else "deprecated"
    return f"AWS Lambda {verb} {runtime} on {until}", f"deploy with PythonRuntime={newer}"


_DOWNLOAD_SECONDS: Final = 20.0
_PUBLISHER: Final = "PUBLISH_FUNCTION"


class StackDescription(NamedTuple):
    """Outputs and parameters of a CloudFormation stack.

    Attributes:
        outputs, parameters: by their names in the template.
    """

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


def open_stack(name: str, path: str | None) -> Config:
    """Set this process up to work on a stack as its functions do; return the configuration.

    Args:
        path: a file to use instead of the stack's configuration.

    Raises:
        ConfigError: the configuration cannot be used.
        CheckupError: the stack does not exist, or access is denied.
    """
    clients = app.LiveClients(os.environ)
    outputs = _outputs(name)
    os.environ["STATE_BUCKET"] = outputs["StateBucketName"]
    os.environ["PAGE_URL"] = outputs.get("PageUrl", "")
    os.environ[_PUBLISHER] = outputs.get("PublishFunctionName", "")
    if path is not None:
        output.log_line(f"using {path} instead of the configuration of the stack {name}")
        return app.read_config(path, os.environ)
    function = _function(clients, outputs["CheckFunctionName"])
    variables = function["Configuration"].get("Environment", {}).get("Variables", {})
    os.environ.update(variables)
    named = os.environ.get("CONFIG_BUCKET")
    bundled = None if named else _bundled(function["Code"]["Location"])
    counted = deployed_config.DeployedConfigReader(os.environ, bundled).current()
    if counted.error is not None:
        used = "an earlier version is" if counted.version else "only its valid parts are"
        output.log_line(f"the configuration of {name} has errors; {used} used:\n{counted.error}")
    return counted.config


def request_publish() -> None:
    """Publish the page of the stack that this process works on, if any; do not wait for it.

    Without permission to invoke the function, the page follows on its schedule.
    """
    if not os.environ.get(_PUBLISHER):
        return
    client = app.LiveClients(os.environ).aws("lambda")
    try:
        call_aws(
            "lambda:InvokeFunction",
            client.invoke,
            FunctionName=os.environ[_PUBLISHER],
            InvocationType="Event",
            Payload=b'{"task": "publish"}',
        )
    except AwsNotFoundError:
        output.log_line("the page will be updated within five minutes: its function does not exist")
    except CheckupError as error:
        output.log_line(f"the page will be updated within five minutes: {error}")


@cache
def describe_stack(name: str) -> StackDescription:
    """Describe a stack; the answer is cached.

    Raises:
        CheckupError: the stack does not exist, or access is denied.
    """
    client = app.LiveClients(os.environ).aws("cloudformation")
    try:
        answer = call_aws("cloudformation:DescribeStacks", client.describe_stacks, StackName=name)
    except AwsNotFoundError:
        region = client.meta.region_name
        raise CheckupError(
            f"no stack {name} in {region}; choose another region with --region"
        ) from None
    (stack,) = answer["Stacks"]
    return StackDescription(
        {it["OutputKey"]: it["OutputValue"] for it in stack.get("Outputs", ())},
        {it["ParameterKey"]: it["ParameterValue"] for it in stack.get("Parameters", ())},
    )


def _outputs(name: str) -> Mapping[str, str]:
    """Return the outputs of a stack that stores runs."""
    found = describe_stack(name).outputs
    if not {"StateBucketName", "CheckFunctionName"} <= found.keys():
        raise CheckupError(
            f"the stack {name} stores no runs: it is not a Checkup stack, its deployment failed,"
            " or it only checks for another region"
        )
    return found


def _function(clients: app.LiveClients, name: str) -> Any:
    return call_aws("lambda:GetFunction", clients.aws("lambda").get_function, FunctionName=name)


def _bundled(package: str) -> tuple[str, bytes]:
    """Return name and bytes of the configuration in a function's package.

    Args:
        package: a presigned URL.
    """
    try:
        with ZipFile(BytesIO(_download(package))) as files:
            name = next(name for name in DEFAULT_FILE_NAMES if name in files.namelist())
            return name, files.read(name)
    except BadZipFile:
        raise CheckupError("the package of the check function is not a zip archive") from None
    except StopIteration:
        raise CheckupError("no configuration in the package of the check function") from None


def _download(address: str) -> bytes:
    """Download a presigned URL with the CA bundle and the proxy of the AWS clients."""
    import requests  # slow to import

    try:
        answer = requests.get(
            address,
            timeout=_DOWNLOAD_SECONDS,
            verify=os.environ.get("AWS_CA_BUNDLE") or True,
        )
        answer.raise_for_status()
    except requests.RequestException as error:  # its message contains the signature
        reason = type(error).__name__
        raise CheckupError(
            f"cannot download the package of the check function ({reason})"
        ) from None
    return answer.content


# ``checkup --stack NAME pause`` and ``resume``: both set a parameter of the stack, so that a later
# deployment keeps it.


_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
"""What the template was deployed with; the second for SAM's transformation."""


@click.command(epilog=examples_epilog("checkup --stack checkup pause"))
@config_options
@verbose_option
@click.pass_context
def pause(context: click.Context, config_file: str | None, *, verbose: bool) -> int:
    """Pause the schedules of a stack: no checks run, and the page shows no data.

    The functions can still be invoked by hand.
    """
    del config_file, verbose
    _set_enabled(context, "false")
    print("paused; continue with: resume")
    return 0


@click.command(epilog=examples_epilog("checkup --stack checkup resume"))
@config_options
@verbose_option
@click.pass_context
def resume(context: click.Context, config_file: str | None, *, verbose: bool) -> int:
    """Resume the schedules of a stack."""
    del config_file, verbose
    _set_enabled(context, "true")
    print("resumed; the next run is due within its interval")
    return 0


def _set_enabled(context: click.Context, enabled: str) -> None:
    """Update only the parameter Enabled of the stack, and wait until that is done."""
    name = context.meta.get(STACK)
    if name is None:
        raise CheckupError("give the stack with --stack; outside AWS, stop what starts the runs")
    parameters = [_parameter(parameter, enabled) for parameter in describe_stack(name).parameters]
    if _parameter("Enabled", enabled) not in parameters:
        raise CheckupError(f"the stack {name} is not a Checkup stack")
    client = app.LiveClients(os.environ).aws("cloudformation")
    try:
        call_aws(
            "cloudformation:UpdateStack",
            client.update_stack,
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=parameters,
            Capabilities=_CAPABILITIES,
        )
    except AwsNotFoundError:  # "No updates are to be performed": Enabled has this value
        return
    _wait(client, name)


def _parameter(name: str, enabled: str) -> dict[str, Any]:
    if name == "Enabled":
        return {"ParameterKey": name, "ParameterValue": enabled}
    return {"ParameterKey": name, "UsePreviousValue": True}


def _wait(client: Any, name: str) -> None:
    from botocore.exceptions import WaiterError  # an extra

    waiter = client.get_waiter("stack_update_complete")
    try:
        waiter.wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 300})
    except WaiterError:
        raise CheckupError(f"the update of the stack {name} failed; see its events") from None
