"""``checkup --stack NAME restore``: go on from an earlier version of the state."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import click

from checkup import bootstrap
from checkup.alerting.document import STATE_KEY
from checkup.cli import session
from checkup.cli.aws import AwsNotFoundError, call_aws
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.errors import CheckupError
from checkup.protocol.restoring import restore_state as put_back

_SHOWN = 20
"""Versions that are listed."""


@click.command(
    epilog=examples_epilog(
        "checkup --stack checkup restore              list the versions that there are",
        "checkup --stack checkup restore VERSION      go on from that one",
    ),
)
@config_options
@verbose_option
@click.argument("version", required=False)
def restore(config_file: str | None, *, verbose: bool, version: str | None) -> int:
    """List the versions of a stack's state, or put what one of them knew back.

    The runs since then are folded again without a word, so nobody is told anything twice; what
    waits to be delivered goes on waiting. It takes your own rights to s3:ListBucketVersions,
    s3:GetObjectVersion and s3:PutObject, which the stack's functions do not have.
    """
    config = session.load_config(config_file, verbose=verbose, quiet=True)
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        raise CheckupError("name the stack with --stack; other storages keep no versions")
    s3 = bootstrap.s3_client(bootstrap.LiveClients(os.environ))
    if version is None:
        _list(s3, bucket)
        return 0
    body = _body(s3, bucket, version)
    head = put_back(bootstrap.run_context(config, os.environ), body)
    print(f"restored: {len(head.checkers)} checkers")
    return 0


def _list(s3: Any, bucket: str) -> None:  # noqa: ANN401 - boto3 has no static type
    answer = call_aws(
        "s3:ListBucketVersions", s3.list_object_versions, Bucket=bucket, Prefix=STATE_KEY
    )
    for version in answer.get("Versions", ())[:_SHOWN]:
        written: datetime = version["LastModified"]
        now = "  now" if version["IsLatest"] else ""
        print(f"{written:%Y-%m-%d %H:%M:%S} UTC  {version['VersionId']}{now}")


def _body(s3: Any, bucket: str, version: str) -> bytes:  # noqa: ANN401 - boto3
    try:
        answer = call_aws(
            "s3:GetObjectVersion", s3.get_object, Bucket=bucket, Key=STATE_KEY, VersionId=version
        )
    except AwsNotFoundError:
        raise CheckupError(f"there is no version {version}; list them without it") from None
    body: bytes = answer["Body"].read()
    return body
