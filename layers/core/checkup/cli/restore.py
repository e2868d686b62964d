"""``checkup --stack NAME restore``: go on from an earlier version of the state."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

import click

from checkup import bootstrap
from checkup.alerting.document import HEAD
from checkup.cli import session
from checkup.cli.aws import NotFound, asked
from checkup.cli.flags import config_flag, examples, verbose_flag
from checkup.errors import CheckupError
from checkup.protocol.restoring import restore as put_back

_SHOWN = 20
"""Versions that are listed."""


@click.command(
    epilog=examples(
        "checkup --stack checkup restore              list the versions that there are",
        "checkup --stack checkup restore VERSION      go on from that one",
    ),
)
@config_flag
@verbose_flag
@click.argument("version", required=False)
def restore(config_file: str | None, *, verbose: bool, version: str | None) -> int:
    """List the versions of a stack's state, or put what one of them knew back.

    The runs since then are folded again without a word, so nobody is told anything twice; what
    waits to be delivered goes on waiting. It takes your own rights to s3:ListBucketVersions,
    s3:GetObjectVersion and s3:PutObject, which the stack's functions do not have.
    """
    config = session.begin(config_file, verbose=verbose, quiet=True)
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        raise CheckupError("name the stack with --stack; other storages keep no versions")
    s3 = bootstrap.make_s3(bootstrap.LiveClients(os.environ))
    if version is None:
        _list(s3, bucket)
        return 0
    body = _body(s3, bucket, version)
    head = put_back(bootstrap.make_monitor(config, os.environ), body)
    print(f"restored: {len(head.checkers)} checkers")
    return 0


def _list(s3: Any, bucket: str) -> None:  # noqa: ANN401 - boto3 has no static type
    answer = asked("s3:ListBucketVersions", s3.list_object_versions, Bucket=bucket, Prefix=HEAD)
    for version in answer.get("Versions", ())[:_SHOWN]:
        written: datetime = version["LastModified"]
        now = "  now" if version["IsLatest"] else ""
        print(f"{written:%Y-%m-%d %H:%M:%S} UTC  {version['VersionId']}{now}")


def _body(s3: Any, bucket: str, version: str) -> bytes:  # noqa: ANN401 - boto3
    try:
        answer = asked(
            "s3:GetObjectVersion", s3.get_object, Bucket=bucket, Key=HEAD, VersionId=version
        )
    except NotFound:
        raise CheckupError(f"there is no version {version}; list them without it") from None
    body: bytes = answer["Body"].read()
    return body
