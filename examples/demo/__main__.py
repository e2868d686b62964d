"""`make run` and `make serve`: Checkup at work, on the demo or on your own configuration."""

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
from examples.demo.chat import transcript
from examples.demo.world import World

CHECKUP = str(Path(sys.executable).with_name("checkup"))
VAR = Path("var")
PAGE = VAR / "page"


def main() -> int:
    """Run the chosen action."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__)
    parser.add_argument("action", choices=["run", "serve"])
    parser.add_argument("--config", help="your checkup.json; the demo by default")
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
    """Run the checks of a file and, if it has a storage, store the results and write the page."""
    config = readable(path)
    if config is None:
        return checkup("-c", path)  # prints what is wrong with it
    if config.storage is None:
        checkup("-c", path, "-v")  # a service that is down does not fail this command
        print(
            "The file has no storage, so nothing was stored and there is no page. Add one, such as"
        )
        print('  "storage": {"type": "fs", "dir": "./checks"}')
        return 0
    stored = checkup("-c", path, "--store", "-v")
    # With 3 the run is stored, and a channel cannot deliver: there is a page to look at.
    if stored not in (0, 3) or checkup("-c", path, "page", str(PAGE)) != 0:
        return 1
    print(f"To keep checking and see the page live: make serve CONFIG={shlex.quote(path)}")
    return 0


def run_demo() -> int:
    """Run the demo's checks three times while one of its services goes down and recovers."""
    shutil.rmtree(VAR / "demo", ignore_errors=True)
    world = World(VAR / "demo")
    os.environ.update(world.environment)
    config = str(world.write_config())
    print("Started six demo services on this machine; some of them have problems.")
    print("Run 1 of 3: the initial state.")
    failed = checkup("-c", config, "--store")
    print("Run 2 of 3: the API goes down. Checkup checks it twice more before it counts.")
    world.api.stop()
    failed = checkup("-c", config, "--store") or failed
    print("Run 3 of 3: the API is up again. The results:\n")
    world.api.start()
    failed = checkup("-c", config, "--store", "-v") or failed
    failed = checkup("-c", config, "page", str(PAGE)) or failed
    print("\nMessages sent to Slack:\n")
    print(transcript(world.chat.received))
    world.close()
    print(f"Results   {VAR / 'demo' / 'checks'}")
    print(f"Page      {PAGE / 'index.html'}   open it in a browser; the checks have stopped, so it")
    print("                                soon shows the status as unknown")
    print("Next      make serve                  run the demo live")
    print("          make run CONFIG=my.json     check your own services")
    return failed


def serve_demo(listen: str) -> int:
    """Keep the demo running, check it every ten seconds and serve its page."""
    world = World(VAR / "demo")
    os.environ.update(world.environment)
    config = str(world.write_config())
    try:
        return checkup("-c", config, "run", "10s", "--listen", listen)
    finally:
        world.close()


def serve_own(path: str, listen: str) -> int:
    """Run the checks of a file at its interval and serve its page."""
    config = readable(path)
    if config is None or config.storage is None:
        return checkup("-c", path, "serve", "--listen", listen)  # prints what is missing
    return checkup("-c", path, "run", "--listen", listen)


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
