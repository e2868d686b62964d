"""``checkup page``: put the status page into a folder, or where the configuration says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from checkup import bootstrap
from checkup.cli import recording, session
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.ports import Publisher
from checkup_page.publish import publish_once
from checkup_page.publishers.folder import FolderPublisher


@click.command(
    epilog=examples_epilog(
        "checkup page public",
        "checkup -c shop.yaml page /var/www/status",
        "checkup page     (where `publish` of the configuration says)",
    ),
)
@config_options
@verbose_option
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path())
def page(config_file: str | None, *, verbose: bool, folder: str | None) -> int:
    """Put the status page of the stored runs into DIR, for any web server.

    Without DIR it goes where `publish` of the configuration says: a folder, a bucket of S3 or a
    branch that GitHub Pages shows. Only files whose content changed are written, and index.html
    comes last. In a bucket and on a branch, where writing costs, what is no news waits for the next
    five or ten minutes. A newer page that is there already stays, which is an error.
    """
    if folder == "":
        raise click.UsageError("DIR is empty; write . for this folder")
    config = session.load_config(config_file, verbose=verbose)
    storage = recording.require_storage(config)
    publisher, address = _place(config, folder)
    written = publish_once(config, storage, publisher, time.time_ns())
    print(f"{len(written)} files written; the page is {address}")
    return 0


def _place(config: Config, folder: str | None) -> tuple[Publisher, str]:
    """Return where the page goes, and how people know it."""
    if folder is not None:
        return FolderPublisher(folder), str(Path(folder) / "index.html")
    if config.publish is None:
        raise CheckupError("no place for the page: name a folder, or configure `publish`")
    clients = bootstrap.make_clients(config, os.environ)
    return config.publish.open(clients), config.publish.address
