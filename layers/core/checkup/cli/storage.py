"""Commands about the storage: ``provision``, ``rebuild`` and ``restore``."""

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
from checkup.cli.output import plural
from checkup.cli.stack import AwsNotFoundError, call_aws
from checkup.deadline import Deadline
from checkup.errors import CheckupError
from checkup.interfaces import Provisionable, ProvisionStep, StorageSettings
from checkup.pipeline.replay import restore_state
from checkup.storage import STORAGES

# ``checkup provision``: create what a storage needs.


@click.command(
    epilog=examples_epilog(
        "checkup provision",
        "checkup provision --yes",
        "AWS_BUCKET_NAME=my-checks AWS_REGION=eu-central-1 checkup provision s3",
    ),
)
@config_options
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@verbose_option
@click.argument("provider", required=False, default="", metavar="[s3]")
def provision(config_file: str | None, *, yes: bool, verbose: bool, provider: str) -> int:
    """Create what the configured storage needs: a folder, tables, a branch or a bucket.

    It lists the steps and asks before it runs them. What exists is left alone, so it is safe to
    run again. A bucket is private, encrypted, reachable over TLS only, and keeps old versions of
    the state. No access keys and no users are created.

    With s3, no configuration is read: the bucket is AWS_BUCKET_NAME, in AWS_REGION.
    """
    if provider:
        output.configure_logging(verbose=verbose)
        settings = _provider_settings(provider, os.environ)
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
    return _run_steps(storage.provision_steps(settings.check_expiry), is_agreed=yes)


def _provider_settings(provider: str, environ: Mapping[str, str]) -> StorageSettings:
    """Return the storage settings that the environment describes.

    Raises:
        CheckupError: the provider is not s3.
        click.UsageError: the bucket is missing.
    """
    if provider.lower() != "s3":
        raise CheckupError(f"unknown storage provider '{provider}'")
    bucket = environ.get("AWS_BUCKET_NAME", "")
    if not bucket:
        raise click.UsageError("set AWS_BUCKET_NAME and AWS credentials")
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    kind = STORAGES["s3"]
    return kind(bucket=bucket, region=region)  # type: ignore[call-arg]


def _run_steps(steps: Sequence[ProvisionStep], *, is_agreed: bool) -> int:
    if not steps:
        print("nothing to do: everything exists")
        return 0
    print("steps:")
    for step in steps:
        print(f"  {step.description}")
    # Without a terminal there is nobody to confirm.
    if not is_agreed and not (sys.stdin.isatty() and click.confirm("Continue?")):
        raise CheckupError("nothing was changed; confirm with --yes")
    print("One sec...", flush=True)
    for step in steps:
        step.apply()
        print(f"  done: {step.description}", flush=True)
    print("Provision successful")
    return 0


# ``checkup rebuild``: rebuild the history.


@click.command(
    epilog=examples_epilog("checkup rebuild", "checkup -c shop.yaml rebuild -v"),
)
@config_options
@verbose_option
def rebuild(config_file: str | None, *, verbose: bool) -> int:
    """Rebuild the history of the status page from the stored runs.

    Use it after a checker's id or title changed, or after runs were added to the storage by hand.
    Days whose runs are no longer stored are left alone. It can be interrupted and started again
    at any time; the page stays available.
    """
    config = options.load_config(config_file, verbose=verbose)
    storage = app.require_storage(config)
    kept = app.history_store(config, storage, time.time_ns()).rebuild(Deadline(inf))
    if kept is None:
        raise CheckupError("the stored runs do not cover a whole day; nothing was changed")
    print(f"{plural(kept.runs, 'run')} counted")
    return 0


# ``checkup --stack NAME restore``: restore an earlier version of the state.


_MAX_LISTED = 20
"""Versions that are listed."""


@click.command(
    epilog=examples_epilog(
        "checkup --stack checkup restore              list the versions",
        "checkup --stack checkup restore VERSION      restore this one",
    ),
)
@config_options
@verbose_option
@click.argument("version", required=False)
def restore(config_file: str | None, *, verbose: bool, version: str | None) -> int:
    """List the versions of a stack's state, or restore one of them.

    Later runs are evaluated again without alerts, so nothing is sent twice; queued alerts stay
    queued. You need the permissions s3:ListBucketVersions, s3:GetObjectVersion and s3:PutObject,
    which the stack's functions do not have.
    """
    config = options.load_config(config_file, verbose=verbose, hide_warnings=True)
    bucket = os.environ.get("STATE_BUCKET")
    if not bucket:
        raise CheckupError("give the stack with --stack; other storages keep no versions")
    s3 = app.s3_client(app.LiveClients(os.environ))
    if version is None:
        _list_versions(s3, bucket)
        return 0
    body = _read_version(s3, bucket, version)
    state = restore_state(app.run_context(config, os.environ), body)
    print(f"restored: {plural(len(state.checkers), 'checker')}")
    return 0


def _list_versions(s3: Any, bucket: str) -> None:
    answer = call_aws(
        "s3:ListBucketVersions", s3.list_object_versions, Bucket=bucket, Prefix=STATE_KEY
    )
    for version in answer.get("Versions", ())[:_MAX_LISTED]:
        written: datetime = version["LastModified"]
        now = "  current" if version["IsLatest"] else ""
        print(f"{written:%Y-%m-%d %H:%M:%S} UTC  {version['VersionId']}{now}")


def _read_version(s3: Any, bucket: str, version: str) -> bytes:
    try:
        answer = call_aws(
            "s3:GetObjectVersion", s3.get_object, Bucket=bucket, Key=STATE_KEY, VersionId=version
        )
    except AwsNotFoundError:
        raise CheckupError(
            f"no version {version}; run restore without VERSION to list them"
        ) from None
    body: bytes = answer["Body"].read()
    return body
