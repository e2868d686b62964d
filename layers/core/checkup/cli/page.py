"""``checkup page``: write the status page into a folder."""

from __future__ import annotations

import time
from pathlib import Path

import click

from checkup.cli import recording, session
from checkup.cli.flags import config_flag, examples, verbose_flag
from checkup_page.publish import publish
from checkup_page.publishers.folder import FolderPublisher


@click.command(
    epilog=examples("checkup page public", "checkup -c shop.yaml page /var/www/status"),
)
@config_flag
@verbose_flag
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def page(config_file: str | None, *, verbose: bool, folder: Path) -> int:
    """Write the status page of the stored runs into DIR, for any web server.

    Only files whose content changed are written, and index.html comes last.
    """
    config = session.begin(config_file, verbose=verbose)
    storage = recording.open_storage(config)
    written = publish(config, storage, FolderPublisher(folder), time.time_ns())
    print(f"{len(written)} files written; the page is {folder / 'index.html'}")
    return 0
