"""A function that does what its event says, and tells what came of it or the name of the error."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def handler(event: dict[str, Any], _: object) -> Any:
    try:
        return DEEDS[event["do"]](*event["with"])
    except OSError as error:
        return errno.errorcode[error.errno or 0]


def write(folder: str) -> str:
    file = Path(folder, "probe")
    file.touch()
    file.unlink()
    return "written"


def who() -> dict[str, Any]:
    rights = Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]
    return {
        "uid": os.geteuid(),
        "gid": os.getegid(),
        "groups": os.getgroups(),
        "rights": int(rights, 16),
        "can gain rights": not os.statvfs("/").f_flag & os.ST_NOSUID,
        "processes": len([it for it in Path("/proc").iterdir() if it.name.isdecimal()]),
        "temporary": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
    }


def take(megabytes: int) -> int:
    return len(bytearray(b"x") * (megabytes * 2**20))


def wait(seconds: float) -> str:
    time.sleep(seconds)
    return "waited"


def reach(host: str) -> str:
    with socket.create_connection((host, 80), 5):
        return "reached"


def serve(port: int) -> str:
    with socket.create_server(("127.0.0.1", port)):
        return "served"


DEEDS: dict[str, Callable[..., Any]] = {
    deed.__name__: deed for deed in (write, who, take, wait, reach, serve)
}
