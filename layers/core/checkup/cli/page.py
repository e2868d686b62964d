"""Commands about the status page: ``page`` writes or publishes it, ``serve`` serves it."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

import click

from checkup import app
from checkup.cli import options, output, process
from checkup.cli.options import config_options, examples_epilog, verbose_option
from checkup.cli.output import plural
from checkup.cli.process import SIGNAL_POLL_SECONDS, run_until_stopped
from checkup.cli.server import AllowedHosts, PageServer, SiteRoutes
from checkup.config.settings import Config
from checkup.errors import CheckupError
from checkup.interfaces import Storage
from checkup.times import SECOND, short_duration
from checkup_page.build import PageCache, build_page
from checkup_page.publish import PagePublisher, TargetResult, publish_once
from checkup_page.publishers.folder import FolderPublisher


@click.command(
    epilog=examples_epilog(
        "checkup page public",
        "checkup -c shop.yaml page /var/www/status",
        "checkup page     (publish as configured)",
    ),
)
@config_options
@verbose_option
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path())
def page(config_file: str | None, *, verbose: bool, folder: str | None) -> int:
    """Write the status page of the stored runs to DIR, for any web server.

    Without DIR, publish it as `publish` of the configuration says: to folders, S3 buckets or
    branches of GitHub Pages. Only changed files are written, index.html last. In a bucket and on a
    branch, minor changes are written every five or ten minutes. If a newer page is already there,
    it is left alone and the command fails.
    """
    if folder == "":
        raise click.UsageError("DIR is empty; use . for the current folder")
    config = options.load_config(config_file, verbose=verbose)
    storage = app.require_storage(config)
    if not config.page.url:
        output.log_line(
            "warning: page.url is not set; feeds and the JSON API have no links to the page"
        )
    if folder is not None:
        written = publish_once(config, storage, FolderPublisher(folder), time.time_ns())
        print(f"{plural(len(written), 'file')} written; the page is {Path(folder) / 'index.html'}")
        return 0
    publisher = page_publisher(config, storage)
    if publisher is None:
        raise CheckupError("no destination for the page: give a folder, or configure `publish`")
    results = publisher.publish_if_due(config, time.time_ns())
    if results and all(result.error for result in results) and results[0].error:
        raise results[0].error
    for result in results:
        if result.error:
            output.log_line(f"{result.address}: {result.error}")
        else:
            print(f"{plural(len(result.written), 'file')} written; the page is {result.address}")
    return 0


# Publishing after each stored run: ``checkup --store``, ``every`` and ``run``.


def page_publisher(config: Config, storage: Storage) -> PagePublisher | None:
    """Return what publishes the page as configured; None if nothing is configured.

    Raises:
        CheckupError: the place cannot be used.
    """
    if not config.publish:
        return None
    clients = app.make_clients(config, os.environ)
    return PagePublisher(storage, {place.address: place.open(clients) for place in config.publish})


def publish_after_run(config: Config, storage: Storage) -> None:
    """Publish the page of a run that was stored; a place that fails is logged.

    Raises:
        CheckupError: the page could not be rendered, or no place could be written.
    """
    publisher = page_publisher(config, storage)
    if publisher is not None:
        _report_failures(publisher.publish_if_due(config, time.time_ns()))


def _report_failures(results: Sequence[TargetResult]) -> None:
    """Log the places that could not be written; raise the error if that is all of them."""
    if results and results[0].error and all(result.is_failed for result in results):
        raise results[0].error
    for result in results:
        if result.is_failed:
            age = short_duration(result.age_ns // SECOND * SECOND) if result.age_ns else ""
            last = f" (last published there {age} ago)" if age else ""
            output.log_line(f"the page was not published: {result.error}{last}")


class PublishThread:
    """Publishes the page beside the runs: a slow publisher must not delay the next check."""

    @classmethod
    def of(cls, config: Config, storage: Storage) -> Self | None:
        """Start a thread that publishes as configured; None if nothing is configured.

        Raises:
            CheckupError: the place cannot be used.
        """
        publisher = page_publisher(config, storage)
        return cls(publisher, config) if publisher else None

    def __init__(self, publisher: PagePublisher, config: Config) -> None:
        self._publisher = publisher
        self._config = config
        self._requested = threading.Event()
        self._ended = False
        threading.Thread(target=self._publish_until_ended, daemon=True).start()

    def request(self) -> None:
        """Publish soon; requests during a publication become one."""
        self._requested.set()

    def end(self) -> None:
        """Publish no more, once a publication that has begun is over."""
        self._ended = True
        self._requested.set()

    def _publish_until_ended(self) -> None:
        while self._requested.wait() and not self._ended:
            self._requested.clear()
            try:
                _report_failures(self._publisher.publish_if_due(self._config, time.time_ns()))
            except CheckupError as error:
                output.log_line(f"the page was not published: {error}")
            except Exception as error:  # noqa: BLE001 - the next run publishes again
                process.report_internal_error(error, verbose=False)


# ``checkup serve``: the status page over HTTP.


_LAST_PORT: Final = 65_535


@click.command(
    epilog=examples_epilog(
        "checkup serve",
        "checkup serve --listen 127.0.0.1:8080",
        "checkup serve --host status.internal     (behind a proxy that forwards this host name)",
        "checkup -c shop.yaml serve --listen :3000     (on all interfaces)",
    ),
)
@config_options
@click.option(
    "--listen",
    metavar="ADDR",
    default="127.0.0.1:3000",
    show_default=True,
    help="Host and port to listen on.",
)
@click.option(
    "--host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Additional allowed host name; IP addresses and localhost always are.",
)
@verbose_option
def serve(config_file: str | None, *, listen: str, names: tuple[str, ...], verbose: bool) -> int:
    """Serve the status page and the stored runs over HTTP; no checks run.

    The page is rendered from the storage on request. As in the Go program, index.json and the run
    files are served too. Unlike the page they contain addresses and error messages, so take care
    before listening on other interfaces. Requests must be for an IP address, localhost or the
    host of the page's configured url; allow other host names with --host. Ctrl-C and SIGTERM end
    the server with exit code 0.
    """
    config = options.load_config(config_file, verbose=verbose)
    storage = app.require_storage(config)
    cache = PageCache()
    site = SiteRoutes(lambda: build_page(config, storage, time.time_ns(), cache=cache), storage)
    hosts = AllowedHosts.of(config.page.url, names)
    with run_until_stopped(), listen_on(listen, site, hosts, verbose=verbose) as server:
        print(f"The status page is on {server.url} until Ctrl-C", flush=True)
        if not ip_address(server.host).is_loopback:
            output.log_line("warning: the page and the stored runs are visible to other machines")
            output.log_line("requests by a host name need --host NAME, or page.url with that name")
        server.serve_forever(poll_interval=SIGNAL_POLL_SECONDS)
    return 0


def listen_on(address: str, site: SiteRoutes, hosts: AllowedHosts, *, verbose: bool) -> PageServer:
    """Return a server that listens on ``host:port``.

    Raises:
        CheckupError: the address is invalid or in use.
    """
    match = re.fullmatch(r"\[?(.*?)\]?:([0-9]{1,5})", address)
    if match is None or int(match[2]) > _LAST_PORT:
        raise CheckupError(
            f'invalid --listen "{address}"; use a form such as 127.0.0.1:3000 or :3000'
        )
    try:
        return PageServer((match[1], int(match[2])), site, hosts, verbose=verbose)
    except OSError as error:
        raise CheckupError(f"cannot listen on {address}: {error.strerror}") from error
