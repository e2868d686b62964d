"""``checkup --stack NAME pause`` and ``resume``: the schedules of a deployed stack, off and on.

Both set the stack's own parameter, so that the stack stays what its template and its parameters
say, and a later deployment keeps the choice.
"""

from __future__ import annotations

import os
from typing import Any

import click

from checkup import bootstrap
from checkup.cli.aws import AwsNotFoundError, call_aws
from checkup.cli.deployed import describe_stack
from checkup.cli.flags import STACK, config_options, examples_epilog, verbose_option
from checkup.errors import CheckupError

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
"""What the template was deployed with; the second for SAM's transformation."""


@click.command(epilog=examples_epilog("checkup --stack checkup pause"))
@config_options
@verbose_option
@click.pass_context
def pause(context: click.Context, config_file: str | None, *, verbose: bool) -> int:
    """Stop the schedules of a stack: nothing is checked, and the page says that nothing is known.

    The functions can still be invoked by hand.
    """
    del config_file, verbose
    _set(context, "false")
    print("paused; go on with: resume")
    return 0


@click.command(epilog=examples_epilog("checkup --stack checkup resume"))
@config_options
@verbose_option
@click.pass_context
def resume(context: click.Context, config_file: str | None, *, verbose: bool) -> int:
    """Start the schedules of a stack again."""
    del config_file, verbose
    _set(context, "true")
    print("resumed; the next run is due within its interval")
    return 0


def _set(context: click.Context, enabled: str) -> None:
    """Update the stack in place, in nothing but its parameter Enabled, and wait for the end."""
    name = context.meta.get(STACK)
    if name is None:
        raise CheckupError("name the stack with --stack; elsewhere, stop what starts the runs")
    parameters = [_parameter(parameter, enabled) for parameter in describe_stack(name).parameters]
    if _parameter("Enabled", enabled) not in parameters:
        raise CheckupError(f"the stack {name} is not one of Checkup's")
    client = bootstrap.LiveClients(os.environ).aws("cloudformation")
    try:
        call_aws(
            "cloudformation:UpdateStack",
            client.update_stack,
            StackName=name,
            UsePreviousTemplate=True,
            Parameters=parameters,
            Capabilities=_CAPABILITIES,
        )
    except AwsNotFoundError:  # "No updates are to be performed": it is what it should be
        return
    _wait(client, name)


def _parameter(name: str, enabled: str) -> dict[str, Any]:
    if name == "Enabled":
        return {"ParameterKey": name, "ParameterValue": enabled}
    return {"ParameterKey": name, "UsePreviousValue": True}


def _wait(client: Any, name: str) -> None:  # noqa: ANN401 - boto3 has no static type
    from botocore.exceptions import WaiterError  # noqa: PLC0415 - an extra

    waiter = client.get_waiter("stack_update_complete")
    try:
        waiter.wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 300})
    except WaiterError:
        raise CheckupError(f"the update of {name} failed; see its events") from None
