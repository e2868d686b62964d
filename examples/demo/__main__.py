"""`make run` and `make serve`: Checkup at work, on the demo world or on a file of your own."""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from checkup.app import read_config
from checkup.config import Config
from checkup.errors import ConfigError
from checkup.times import format_duration
from examples.demo.chat import transcript
from examples.demo.world import World

CHECKUP = str(Path(sys.executable).with_name("checkup"))
VAR = Path("var")
PAGE = VAR / "page"


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("action", choices=["run", "serve"])
    parser.add_argument("--config", help="a checkup.json; without it, the demo world")
    parser.add_argument("--listen", default="127.0.0.1:3000")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _leave)
    try:
        if options.action == "run":
            return run_own(options.config) if options.config else run_demo()
        if options.config:
            return serve_own(options.config, options.listen)
        return serve_demo(options.listen)
    except KeyboardInterrupt:
        return 0


def run_own(path: str) -> int:
    """Check what the file says and, if it has a storage, keep the results and write the page."""
    config = readable(path)
    if config is None:
        return checkup("-c", path)  # which says what is wrong with it
    if config.storage is None:
        checkup("-c", path, "-v")  # a service that is down is no failure of this command
        print(
            "Nothing was kept, so there is no page: the file has no storage. Add one to it, as in"
        )
        print('  "storage": {"type": "fs", "dir": "./checks"}')
        return 0
    if checkup("-c", path, "--store", "-v") != 0 or checkup("-c", path, "page", str(PAGE)) != 0:
        return 1
    print(f"To keep checking and see it live: make serve CONFIG={shlex.quote(path)}")
    return 0


def run_demo() -> int:
    """Check the demo world three times while one of its services goes down and comes back."""
    shutil.rmtree(VAR / "demo", ignore_errors=True)
    world = World(VAR / "demo")
    os.environ.update(world.environment)
    config = str(world.write_config())
    print("A demo world is running on this machine: six services, some of them in trouble.")
    print("Run 1 of 3: as they are.")
    failed = checkup("-c", config, "--store")
    print("Run 2 of 3: the API goes down; Checkup looks again twice before it believes it.")
    world.api.stop()
    failed = checkup("-c", config, "--store") or failed
    print("Run 3 of 3: the API is back. This is what Checkup saw:\n")
    world.api.start()
    failed = checkup("-c", config, "--store", "-v") or failed
    failed = checkup("-c", config, "page", str(PAGE)) or failed
    print("\nMeanwhile, in Slack:\n")
    print(transcript(world.chat.received))
    world.close()
    print(f"Results   {VAR / 'demo' / 'checks'}")
    print(f"Page      {PAGE / 'index.html'}   open it in a browser; nothing checks any more, so it")
    print("                                soon says by itself that the status is unknown")
    print("Next      make serve                  watch the demo live")
    print("          make run CONFIG=my.json     check your own services")
    return failed


def serve_demo(listen: str) -> int:
    """Keep the demo world alive, check it every ten seconds and serve its page."""
    world = World(VAR / "demo")
    os.environ.update(world.environment)
    config = str(world.write_config())
    try:
        return watch(config, "10s", listen)
    finally:
        world.close()


def serve_own(path: str, listen: str) -> int:
    """Check what the file says at its interval and serve its page."""
    config = readable(path)
    if config is None or config.storage is None:
        return checkup("-c", path, "serve", "--listen", listen)  # which says what is missing
    return watch(path, format_duration(config.interval), listen)


def watch(config: str, interval: str, listen: str) -> int:
    """Check again and again, and serve the page until that is stopped."""
    every = subprocess.Popen([CHECKUP, "-c", config, "every", interval])
    try:
        return checkup("-c", config, "serve", "--listen", listen)
    finally:
        every.terminate()
        every.wait()


def readable(path: str) -> Config | None:
    """Return the configuration, or None if it is refused."""
    try:
        return read_config(path, os.environ)
    except ConfigError:
        return None


def checkup(*arguments: str) -> int:
    """Run the command line as a user would and return its exit code."""
    sys.stdout.flush()
    return subprocess.call([CHECKUP, *arguments])


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
