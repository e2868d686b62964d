"""``checkup --stack NAME restore``: go on from an earlier version of the state."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import inf
from typing import Any

import click

from checkup import app
from checkup.alerting.state import STATE_KEY
from checkup.cli import options, output
from checkup.cli.options import config_options, examples_epilog, verbose_option
from checkup.cli.stack import AwsNotFoundError, call_aws
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.interfaces import Provisionable, ProvisionStep, StorageSettings
from checkup.pipeline.replay import restore_state as put_back
from checkup.storage import STORAGES

# ``checkup provision``: make what a storage needs.


@click.command(
    epilog=examples_epilog(
        "checkup provision",
        "checkup provision --yes",
        "AWS_BUCKET_NAME=my-checks AWS_REGION=eu-central-1 checkup provision s3",
    ),
)
@config_options
@click.option("--yes", is_flag=True, help="Do it without asking.")
@verbose_option
@click.argument("provider", required=False, default="", metavar="[s3]")
def provision(config_file: str | None, *, yes: bool, verbose: bool, provider: str) -> int:
    """Make what the configured storage needs: a folder, tables, a branch or a bucket.

    It first says what has to be done, and does it once you agree. What is there already stays
    as it is, so it can be run again. A bucket is made private, encrypted, reached over TLS only,
    and keeps old versions of the state. No key is published and no user is made.

    With s3, no configuration is read: the bucket is AWS_BUCKET_NAME, in AWS_REGION.
    """
    if provider:
        output.configure_logging(verbose=verbose)
        settings = _named(provider, os.environ)
        clients = app.LiveClients(os.environ)
    else:
        config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
        if config.storage is None:
            raise CheckupError("no storage configuration found")
        settings = config.storage
        clients = app.LiveClients(os.environ)
    storage = settings.open(clients)
    if not isinstance(storage, Provisionable):
        raise CheckupError("configured storage type does not have provisioning capabilities")
    return _go_through(storage.provision_steps(settings.check_expiry), is_agreed=yes)


def _named(provider: str, environ: Mapping[str, str]) -> StorageSettings:
    """Return the settings of what the environment describes.

    Raises:
        CheckupError: nothing can be described so.
        click.UsageError: the environment does not describe it.
    """
    if provider.lower() != "s3":
        raise CheckupError(f"unknown storage provider '{provider}'")
    bucket = environ.get("AWS_BUCKET_NAME", "")
    if not bucket:
        raise click.UsageError("set AWS_BUCKET_NAME, and AWS credentials as for any tool of AWS")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    kind = STORAGES["s3"]
    return kind(bucket=bucket, region=region)  # type: ignore[call-arg]


def _go_through(steps: Sequence[ProvisionStep], *, is_agreed: bool) -> int:
    if not steps:
        print("nothing has to be done: all is there")
        return 0
    print("this has to be done:")
    for step in steps:
        print(f"  {step.description}")
    if not is_agreed and not _ask():
        raise CheckupError("nothing was done; run it with --yes to do it")
    print("One sec...", flush=True)
    for step in steps:
        step.apply()
        print(f"  done: {step.description}", flush=True)
    print("Provision successful")
    return 0


def _ask() -> bool:
    """Ask whoever sits at the terminal; nobody is no agreement."""
    return sys.stdin.isatty() and click.confirm("Go on?")


# ``checkup rebuild``: count the history again.


@click.command(
    epilog=examples_epilog("checkup rebuild", "checkup -c shop.yaml rebuild -v"),
)
@config_options
@verbose_option
def rebuild(config_file: str | None, *, verbose: bool) -> int:
    """Count the hours and days of the status page again, from the stored runs.

    That is of use after a checker got another id or title, or after runs were put into the
    storage by hand. Days whose runs are no longer kept stay as they are. It may be interrupted
    and started again at any time; the page goes on meanwhile.
    """
    config = options.load_config(config_file, verbose=verbose)
    storage = app.require_storage(config)
    kept = app.history_store(config, storage, time.time_ns()).rebuild(Deadline(inf))
    if kept is None:
        raise CheckupError("the runs that are kept do not cover a whole day; nothing was changed")
    print(f"{kept.runs} runs counted")
    return 0


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
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        raise CheckupError("name the stack with --stack; other storages keep no versions")
    s3 = app.s3_client(app.LiveClients(os.environ))
    if version is None:
        _list(s3, bucket)
        return 0
    body = _body(s3, bucket, version)
    head = put_back(app.run_context(config, os.environ), body)
    print(f"restored: {len(head.checkers)} checkers")
    return 0


def _list(s3: Any, bucket: str) -> None:
    answer = call_aws(
        "s3:ListBucketVersions", s3.list_object_versions, Bucket=bucket, Prefix=STATE_KEY
    )
    for version in answer.get("Versions", ())[:_SHOWN]:
        written: datetime = version["LastModified"]
        now = "  now" if version["IsLatest"] else ""
        print(f"{written:%Y-%m-%d %H:%M:%S} UTC  {version['VersionId']}{now}")


def _body(s3: Any, bucket: str, version: str) -> bytes:
    try:
        answer = call_aws(
            "s3:GetObjectVersion", s3.get_object, Bucket=bucket, Key=STATE_KEY, VersionId=version
        )
    except AwsNotFoundError:
        raise CheckupError(f"there is no version {version}; list them without it") from None
    body: bytes = answer["Body"].read()
    return body
