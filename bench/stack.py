"""The functions of the stack as they are deployed by default, without AWS and without a build.

Each function runs in a process of its own with the variables, the time and the memory of
``template.yaml``, on the code of this folder, compiled to byte-code as ``make build`` leaves it. S3
is an emulator that takes 25 ms for an answer. Unlike S3 it does not speak TLS.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.request import urlopen

import boto3
import cpu_share
from cores import CLIENT, ROOT
from s3_server import SEEN
from servers import https, s3

S3_LATENCY = 0.025
TIMEOUT, PUBLISH_TIMEOUT = 60, 300
RUN_DEADLINE = 25
STATE, PAGE = "checkup-state", "checkup-page"
PACKAGES = sysconfig.get_paths()["purelib"]
CODE = ("layers/core", "statuspage")


class Answer(NamedTuple):
    """What came of an event.

    Attributes:
        error: empty if all went well.
        memory: the most that the process has had by then, in megabytes; 0 if it was ended.
    """

    value: Any
    error: str
    seconds: float
    memory: float


@dataclass(frozen=True)
class Stack:
    """A stack with its endpoints.

    Attributes:
        folder: the functions and their configuration.
        url: where S3 is.
    """

    folder: Path
    url: str
    environ: Mapping[str, str]

    def function(self, module: str, group: str = "whole", **environ: str) -> Function:
        """Return a function as it is before its first event, to use in a `with` statement."""
        return Function(self, module, group, {**self.environ, **environ})

    def client(self) -> Any:
        """Return a client of its S3."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )

    def puts(self, bucket: str) -> Counter[str]:
        """Return how often each key of a bucket was written."""
        with urlopen(self.url + SEEN) as answer:
            seen = json.load(answer)
        names = (name.partition("/") for verb, name in seen if verb == "PUT")
        return Counter(key for place, _, key in names if place == bucket and key)


class Function:
    """A function with one environment at a time, which is made anew after it was ended."""

    def __init__(self, stack: Stack, module: str, group: str, environ: Mapping[str, str]) -> None:
        self._stack = stack
        self._environ = environ
        self._module = module
        self._group = group
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def invoke(self, event: object, timeout: int = TIMEOUT) -> Answer:
        """Hand over one event and wait for what comes of it."""
        process = self._process or self._start(timeout)
        assert process.stdin
        assert process.stdout
        started = time.monotonic()
        print(json.dumps(event), file=process.stdin, flush=True)
        line = process.stdout.readline()
        if line:
            return Answer(**json.loads(line))
        self._process = None
        code = process.wait()
        return Answer(None, f"ended by signal {-code}", time.monotonic() - started, 0)

    def _start(self, timeout: int) -> subprocess.Popen[str]:
        runtime = str(ROOT / "bench" / "lambda_runtime.py")
        with (self._stack.folder / f"{self._module}.log").open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-S", runtime, self._module, str(timeout), self._group],
                cwd=self._stack.folder,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        os.sched_setaffinity(self._process.pid, CLIENT)
        return self._process


@contextmanager
def stack(endpoints: int) -> Iterator[Stack]:
    """Set up a stack that checks so many HTTPS endpoints of 100 ms, while the block runs."""
    with tempfile.TemporaryDirectory() as place, https() as server, s3(S3_LATENCY) as url:
        folder = Path(place) / "functions"
        shutil.copytree(ROOT / "functions", folder)
        checkers = [
            {"type": "http", "endpoint_name": f"Service {n}", "endpoint_url": f"{server.url}/{n}"}
            for n in range(endpoints)
        ]
        configuration = {"checkers": checkers, "page": {"title": "Status"}}
        (folder / "checkup.json").write_text(json.dumps(configuration))
        code = [folder, *(ROOT / part for part in CODE)]
        for it in code:
            compileall.compile_dir(it, quiet=1)
        environ = {
            **server.environ,
            "PATH": os.environ["PATH"],
            "HOME": place,
            "PYTHONPATH": ":".join(map(str, [*code, PACKAGES])),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_LAMBDA_FUNCTION_NAME": "function",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(cpu_share.MEGABYTES),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(TIMEOUT),
            "ALLOW_ADDRESSES": "127.0.0.0/8",
            "RUN_DEADLINE": str(RUN_DEADLINE),
            "STATE_BUCKET": STATE,
            "PAGE_BUCKET": PAGE,
        }
        it = Stack(folder, url, environ)
        client = it.client()
        for bucket in (STATE, PAGE):
            client.create_bucket(Bucket=bucket)
        yield it
