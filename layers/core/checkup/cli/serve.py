"""``checkup serve``: the status page on this machine."""

from __future__ import annotations

import re
import time
from ipaddress import ip_address
from typing import Final

import click

from checkup.cli import recording, session, terminal
from checkup.cli.flags import config_options, examples_epilog, verbose_option
from checkup.cli.serving.hosts import AllowedHosts
from checkup.cli.serving.server import PageServer
from checkup.cli.serving.site import SiteRoutes
from checkup.cli.stopping import SIGNAL_POLL_SECONDS, run_until_stopped
from checkup.errors import CheckupError
from checkup_page.building import PageCache, build_page

_LAST_PORT: Final = 65_535


@click.command(
    epilog=examples_epilog(
        "checkup serve",
        "checkup serve --listen 127.0.0.1:8080",
        "checkup serve --host status.internal     (behind a proxy that passes this name on)",
        "checkup -c shop.yaml serve --listen :3000     (all addresses of this machine)",
    ),
)
@config_options
@click.option(
    "--listen",
    metavar="ADDR",
    default="127.0.0.1:3000",
    show_default=True,
    help="Host and port.",
)
@click.option(
    "--host",
    "names",
    metavar="NAME",
    multiple=True,
    help="A further name under which it may be asked; addresses and localhost always are.",
)
@verbose_option
def serve(config_file: str | None, *, listen: str, names: tuple[str, ...], verbose: bool) -> int:
    """Show the status page and the stored runs over HTTP; nothing is checked.

    The page is rendered from the storage when it is asked for. Beside it lie index.json and the
    run files, as the Go program served them. These hold addresses and error texts, which the
    page does not: think of that before listening on more than this machine. It answers who asks
    for an address, for localhost, or for the host of the page's configured url; behind a name
    of another kind it needs --host. Ctrl-C and SIGTERM end it with exit code 0.
    """
    config = session.load_config(config_file, verbose=verbose)
    storage = recording.require_storage(config)
    memory = PageCache()
    site = SiteRoutes(lambda: build_page(config, storage, time.time_ns(), memory=memory), storage)
    hosts = AllowedHosts.of(config.page.url, names)
    with run_until_stopped(), _listening(listen, site, hosts, verbose=verbose) as server:
        print(f"The status page is on {server.url} until Ctrl-C", flush=True)
        if not ip_address(server.host).is_loopback:
            terminal.log_line("warning: other machines can read the page and the stored runs")
        server.serve_forever(poll_interval=SIGNAL_POLL_SECONDS)
    return 0


def _listening(listen: str, site: SiteRoutes, hosts: AllowedHosts, *, verbose: bool) -> PageServer:
    match = re.fullmatch(r"\[?(.*?)\]?:([0-9]{1,5})", listen)
    if match is None or int(match[2]) > _LAST_PORT:
        raise CheckupError(f'--listen "{listen}": write it like 127.0.0.1:3000 or :3000')
    try:
        return PageServer((match[1], int(match[2])), site, hosts, verbose=verbose)
    except OSError as error:
        raise CheckupError(f"cannot listen on {listen}: {error.strerror}") from error
