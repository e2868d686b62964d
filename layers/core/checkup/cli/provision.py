"""``checkup provision``: make what a storage needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

import click

from checkup import bootstrap
from checkup.cli import session, terminal
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.errors import CheckupError
from checkup.ports import Provisionable, ProvisionStep, StorageSettings
from checkup.storage import STORAGES


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
        terminal.configure_logging(verbose=verbose)
        settings = _named(provider, os.environ)
        clients = bootstrap.LiveClients(os.environ)
    else:
        config = session.load_config(config_file, verbose=verbose, quiet=True)
        if config.storage is None:
            raise CheckupError("no storage configuration found")
        settings = config.storage
        clients = bootstrap.LiveClients(os.environ)
    storage = settings.open(clients)
    if not isinstance(storage, Provisionable):
        raise CheckupError("configured storage type does not have provisioning capabilities")
    return _go_through(storage.missing(settings.check_expiry), is_agreed=yes)


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
        print(f"  {step.says}")
    if not is_agreed and not _ask():
        raise CheckupError("nothing was done; run it with --yes to do it")
    print("One sec...", flush=True)
    for step in steps:
        step.take()
        print(f"  done: {step.says}", flush=True)
    print("Provision successful")
    return 0


def _ask() -> bool:
    """Ask whoever sits at the terminal; nobody is no agreement."""
    return sys.stdin.isatty() and click.confirm("Go on?")
