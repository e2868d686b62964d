"""``checkup run``: one process that checks, stores, alerts, publishes and serves; ``every``.

The main thread runs the checks. Beside it are the threads of the web server, one that publishes,
and one that reports to systemd. A configuration that was edited is used from the next run on;
``SIGHUP`` starts that run at once.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Final, NamedTuple, Self

import click

from checkup import __version__, app
from checkup.cli import options, output, process
from checkup.cli.check import RunRecorder, parse_interval, seconds_to_next
from checkup.cli.options import config_options, examples_epilog, verbose_option
from checkup.cli.output import plural
from checkup.cli.page import PublishThread, listen_on
from checkup.cli.process import SIGNAL_POLL_SECONDS, StopHandler, run_until_stopped
from checkup.cli.server import AllowedHosts, PageResponse, PageServer, SiteRoutes
from checkup.config.settings import Config
from checkup.errors import CheckupError, ConfigError
from checkup.interfaces import PageFile, Storage
from checkup.model import Result, Run, Status
from checkup.times import SECOND, format_duration
from checkup_page.build import PageCache, build_page

MISSED_RUNS: Final = 3
"""After so many intervals without a stored run, and the time that a run may take, the health
endpoint and systemd's watchdog report a failure."""


@click.command(
    epilog=examples_epilog(
        "checkup run",
        "checkup run 30s --listen :8080 --host status.example.com",
        "checkup -c shop.yaml run --listen none",
    ),
)
@config_options
@click.option(
    "--listen",
    metavar="ADDR",
    default="127.0.0.1:3000",
    show_default=True,
    help="Host and port of the status page and of /healthz, or none.",
)
@click.option(
    "--host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Additional allowed host name; IP addresses and localhost always are.",
)
@verbose_option
@click.argument("interval", default="")
def run(
    config_file: str | None,
    *,
    listen: str,
    names: tuple[str, ...],
    verbose: bool,
    interval: str,
) -> int:
    """Check, store, alert, publish and serve the status page, in one process.

    Checks run now and at every INTERVAL (default: `interval` of the configuration, one minute).
    The page is served on --listen, and published where `publish` is configured. Every event is a
    line on stderr: the start, each change of a status, each error. An edited configuration is used
    from the next run on, after SIGHUP at once; if it is invalid, the last valid one stays in use.
    /healthz responds with 200 while runs are stored on time, else with 503. Under systemd, use
    Type=notify and WatchdogSec. Ctrl-C and SIGTERM end the program with exit code 0.
    """
    step = parse_interval(interval) if interval else 0
    config = options.load_config(config_file, verbose=verbose)
    service = Service(config, config_file, step, verbose=verbose)
    output.log_line(f"checkup {__version__} started; {service.summary()}")
    serving = nullcontext() if listen == "none" else service.serving(listen, names)
    with run_until_stopped() as stopping, serving:
        service.run_until(stopping)
    output.log_line("stopped")
    return 0


class _Every(click.Command):
    """Takes ``-1s`` for an interval, which gets a better error than an unknown option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        negative = [word for word in args if re.match(r"-[\d.]", word)]
        if negative and "--" not in args:
            args = [*(word for word in args if word not in negative), "--", *negative]
        return super().parse_args(ctx, args)


@click.command(
    cls=_Every,
    epilog=examples_epilog(
        "checkup every 1m",
        "checkup every 1h30m",
        "checkup every day",
        "checkup -c shop.yaml every 30s -v",
    ),
)
@config_options
@verbose_option
@click.option(
    "--region-name",
    metavar="NAME",
    help="Which of the configured regions this machine is; default: CHECKUP_REGION.",
)
@click.argument("interval")
def every(config_file: str | None, *, verbose: bool, region_name: str | None, interval: str) -> int:
    """Run checks now and at every INTERVAL, store the results and send alerts.

    The page is published after each run where `publish` is configured.
    INTERVAL is a duration such as 90s, 10m or 1h30m, or one of: second, minute, hour, day,
    week. Runs never overlap: a run that is due during a longer one is skipped. A run that
    fails is reported and does not stop the next one. Each change of a status is a line on stderr.
    An edited configuration is used from the next run on; if it is invalid, the last valid one stays
    in use. Where several machines vote (`regions`), runs
    start with the slots that they share. Ctrl-C and SIGTERM end the program with exit code 0,
    during a run within two seconds.
    """
    step = parse_interval(interval)
    config = options.load_config(config_file, verbose=verbose)
    if region_name is not None and not config.regions:
        raise CheckupError('no regions are configured; add "regions": ["…"] to use --region-name')
    service = Service(config, config_file, step, verbose=verbose, region=region_name)
    output.log_line(f"started; {service.summary()}")
    with run_until_stopped() as stopping:
        service.run_until(stopping)
    return 0


class Service:
    """The repeated runs of ``checkup run`` and ``checkup every``, their page and their health.

    Args:
        path: the configuration's file, None for the default names.
        interval: nanoseconds between runs; 0 for that of the configuration.
        verbose: log requests and tracebacks.
        region: the name of this machine among ``regions``; by default the environment's.
    """

    def __init__(
        self,
        config: Config,
        path: str | None,
        interval: int,
        *,
        verbose: bool,
        region: str | None = None,
    ) -> None:
        self.config = config
        self._path = path
        self._interval = interval
        self._region = region
        self._verbose = verbose
        self._file = FileVersion.of(config.path)
        self._reload_now = threading.Event()
        self._statuses: dict[str, Status] = {}
        self._last_stored = time.monotonic()
        self._server: PageServer | None = None
        self._publishing: PublishThread | None = None
        self._use(config)

    # Configurations.

    def _use(self, config: Config) -> None:
        """Switch to a configuration, or leave everything as it is.

        Raises:
            CheckupError: it has no checkers, or its storage or publisher cannot be used.
        """
        if not config.checkers:
            raise CheckupError(f"{config.path}: no checkers configured")
        recorder = RunRecorder.of(config, interval=self._interval, region=self._region)
        publishing = PublishThread.of(config, recorder.context.storage)
        if self._publishing:
            self._publishing.end()
        self._publishing = publishing
        self.config, self._recorder = config, recorder
        self._routes = ServiceRoutes(self, config, recorder.context.storage)
        if self._server:
            self._server.site = self._routes

    def _reload(self) -> None:
        """Read the file again if it changed; on an error, keep the last valid configuration."""
        asked, version = self._reload_now.is_set(), FileVersion.of(self.config.path)
        if not asked and version == self._file:
            return
        self._reload_now.clear()
        self._file = version
        try:
            self._use(options.load_config(self._path, verbose=self._verbose))
        except ConfigError as error:
            output.log_line(f"{error}\nthe last valid configuration stays in use")
        except CheckupError as error:
            output.log_line(f"{error}; the last valid configuration stays in use")
        else:
            output.log_line(f"reloaded {self.summary()}")

    def summary(self) -> str:
        """Describe the configuration in one line."""
        storage = self.config.storage
        return (
            f"{self.config.path}: {plural(len(self.config.checkers), 'checker')}"
            f" every {format_duration(self.interval)}, storage: {storage.kind if storage else ''},"
            f" {plural(len(self.config.notifiers), 'notifier')}"
        )

    @property
    def interval(self) -> int:
        """Nanoseconds between runs."""
        return self._interval or self.config.interval

    # Runs.

    def run_until(self, stopping: StopHandler) -> None:
        """Run the checks at every interval until a signal stops it."""
        systemd = Systemd()
        systemd.send(f"READY=1\nSTATUS={self.summary()}")
        before = signal.signal(signal.SIGHUP, self._on_hangup)
        systemd.watch(lambda: self.seconds_late() <= 0)
        try:
            while not stopping.stop_requested:
                with stopping.defer_stop():
                    started = time.monotonic()
                    self._run_reporting_errors()
                if not stopping.stop_requested:
                    self._wait_for_next_run(started, systemd)
        finally:
            signal.signal(signal.SIGHUP, before)
            systemd.send("STOPPING=1")

    def _on_hangup(self, _number: int, _frame: FrameType | None) -> None:
        self._reload_now.set()

    def _wait_for_next_run(self, started: float, systemd: Systemd) -> None:
        """Wait for the next run, or for ``SIGHUP``; then reload. Runs that were due are skipped."""
        aligned = self._recorder.context.shares_slots
        end = time.monotonic() + seconds_to_next(self.interval / SECOND, started, aligned=aligned)
        while (left := end - time.monotonic()) > 0 and not self._reload_now.is_set():
            time.sleep(min(left, SIGNAL_POLL_SECONDS))
        with systemd.reloading() if self._reload_now.is_set() else nullcontext():
            self._reload()

    def _run_reporting_errors(self) -> None:
        try:
            run = self._recorder.run_and_store().run
        except CheckupError as error:
            output.log_line(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the next run is due
            process.report_internal_error(error, verbose=self._verbose)
        else:
            self._last_stored = time.monotonic()
            self._log_changes(run)
            if self._publishing:
                self._publishing.request()

    def _log_changes(self, run: Run) -> None:
        """Log each status that differs from that of the run before; at first, what is wrong."""
        for result in run.results:
            before = self._statuses.get(result.id, Status.HEALTHY)
            if result.status is not before:
                output.log_line(_change_line(result, before))
        self._statuses = {result.id: result.status for result in run.results}

    # Health.

    def seconds_late(self) -> float:
        """How long a stored run is overdue, in seconds; 0 or less if it is not."""
        allowed = MISSED_RUNS * self.interval / SECOND + app.run_deadline_seconds(self.config)
        return time.monotonic() - self._last_stored - allowed

    def health(self) -> PageResponse:
        """Return the response of the health endpoint."""
        late = self.seconds_late() > 0
        text = {
            "status": "late" if late else "ok",
            "seconds_since_last_run": round(time.monotonic() - self._last_stored, 1),
            "checkers": len(self.config.checkers),
        }
        body = json.dumps(text).encode() + b"\n"
        return PageResponse(
            status=HTTPStatus.SERVICE_UNAVAILABLE if late else HTTPStatus.OK,
            file=PageFile(body=body, content_type="application/json", max_age=0),
        )

    # The page.

    @contextmanager
    def serving(self, listen: str, names: tuple[str, ...]) -> Iterator[None]:
        """Serve the page and the health endpoint during the block.

        Raises:
            CheckupError: the address is invalid or in use.
        """
        hosts = AllowedHosts.of(self.config.page.url, names)
        with listen_on(listen, self._routes, hosts, verbose=self._verbose) as server:
            self._server = server
            answering = threading.Thread(
                target=server.serve_forever, args=(SIGNAL_POLL_SECONDS,), daemon=True
            )
            answering.start()
            output.log_line(f"the status page is on {server.url}")
            try:
                yield
            finally:
                server.shutdown()


def _change_line(result: Result, before: Status) -> str:
    reason = next((attempt.error for attempt in result.attempts if attempt.error), "")
    line = f"{result.title} is {result.status.value}, before: {before.value}"
    return f"{line}: {reason}" if reason and result.status is not Status.HEALTHY else line


class FileVersion(NamedTuple):
    """What changes when a file is edited or replaced."""

    inode: int = 0
    size: int = 0
    modified: int = 0

    @classmethod
    def of(cls, path: str) -> Self:
        """Return the version of a file; zeros if it cannot be read."""
        try:
            found = Path(path).stat()
        except OSError:
            return cls()
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


class ServiceRoutes(SiteRoutes):
    """The page and ``/healthz``; not the stored runs, for the page may be public."""

    def __init__(self, service: Service, config: Config, storage: Storage) -> None:
        cache = PageCache()
        super().__init__(lambda: build_page(config, storage, time.time_ns(), cache=cache), storage)
        self._service = service

    def respond(self, path: str) -> PageResponse:
        """See :meth:`SiteRoutes.respond`; the health endpoint needs no storage."""
        return self._service.health() if path == "healthz" else super().respond(path)

    def _data(self, path: str) -> None:
        return None


class Systemd:
    """Reports to systemd as sd_notify(3) says; without its socket, nothing happens."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        watched = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = os.environ.get("WATCHDOG_USEC", "") if watched else ""
        self._watchdog = int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0

    def send(self, text: str) -> None:
        """Send lines of ``NAME=value``; a socket that is gone is ignored."""
        if not self._address:
            return
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify, suppress(OSError):
            notify.sendto(text.encode(), address)

    def watch(self, alive: Callable[[], bool]) -> None:
        """Reset the watchdog twice within its time, as long as ``alive`` says so."""
        if self._watchdog <= 0:
            return

        def reset() -> None:
            while True:
                if alive():
                    self.send("WATCHDOG=1")
                time.sleep(self._watchdog / 2)

        threading.Thread(target=reset, daemon=True).start()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Report that the block reloads the configuration."""
        self.send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            self.send("READY=1")
