"""Let the emulator of AWS run its functions under AWS's own Lambda runtime.

The emulator keeps schedules, events, roles and buckets. What it would run by itself, in its own
interpreter and as root, it hands over here: each event goes to an environment that holds exactly
the deployed code and layers, with the credentials of the function's role.
"""

from __future__ import annotations

import io
import json
import queue
import shutil
import ssl
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.emulators import REGION, Emulator
from tests.stack.lambdas import Answer, Environment, Function
from tests.stack.roles import as_variables, assumed

PROXY = "MINISTACK_LAMBDA_PROXY_URL"
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"


class Handled(NamedTuple):
    """One event and what came of it."""

    function: str
    event: Any
    answer: Answer


class Bridge:
    """A server on the loopback that the emulator takes for the place where functions run.

    Args:
        world: variables that all functions get beside their own.

    Attributes:
        handled: all events so far, oldest first.
    """

    def __init__(self, emulator: Emulator, folder: Path, world: Mapping[str, str]) -> None:
        self._world = world
        self.handled: list[Handled] = []
        self._emulator = emulator
        self._folder = folder
        self._functions: dict[str, Function] = {}
        self._idle: dict[str, queue.LifoQueue[Environment]] = {}
        self._environments: list[Environment] = []
        self._number = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.bridge = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def attach(self, names: Iterable[str], region: str = REGION) -> None:
        """Take over these functions of a region as they are deployed now."""
        client = self._emulator.client("lambda", region_name=region)
        for name in names:
            self._functions[name] = self._fetched(client, name, region)
            self._idle[name] = queue.LifoQueue()
            configuration = client.get_function_configuration(FunctionName=name)
            variables = configuration.get("Environment", {}).get("Variables", {})
            variables[PROXY] = f"http://127.0.0.1:{self._server.server_port}/{name}"
            client.update_function_configuration(
                FunctionName=name, Environment={"Variables": variables}
            )

    def handle(self, name: str, body: str) -> Answer:
        """Give an event to an idle environment, or to a new one as AWS would."""
        # The emulator leaves this to be filled in, which on AWS the scheduler does.
        event = json.loads(body.replace(SCHEDULED_TIME, _this_minute()))
        idle = self._idle[name]
        try:
            environment = idle.get_nowait()
        except queue.Empty:
            environment = self._started(name)
        answer = environment.invoke(event)
        idle.put(environment)
        self.handled.append(Handled(name, event, answer))
        return answer

    @contextmanager
    def through(self, name: str, variables: Mapping[str, str]) -> Iterator[None]:
        """Serve a function's events in environments with more variables while the block runs."""
        function, idle = self._functions[name], self._idle[name]
        self._functions[name] = replace(function, environ={**function.environ, **variables})
        self._idle[name] = queue.LifoQueue()
        try:
            yield
        finally:
            self._functions[name], self._idle[name] = function, idle

    def at_work(self, name: str) -> list[Environment]:
        """Return the environments of a function that serve an event now, the last one last."""
        busy = [it for it in self._environments if it.is_at_work and it.function.name == name]
        return sorted(busy, key=lambda it: it.began)

    def logs(self, name: str = "") -> str:
        """Return what all environments printed, or those of a function."""
        found = (it.log.read_text() for it in self._environments if name in ("", it.function.name))
        return "".join(found)

    def stop(self) -> None:
        """End the server and every environment."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for environment in self._environments:
            environment.stop()

    def _started(self, name: str) -> Environment:
        with self._number:
            folder = self._folder / f"environment-{len(self._environments)}"
            environment = Environment(self._functions[name], folder)
            self._environments.append(environment)
        return environment

    def _fetched(self, client: Any, name: str, region: str) -> Function:
        deployed = client.get_function(FunctionName=name)
        configuration = deployed["Configuration"]
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "layers").mkdir(parents=True)
        self._unpack(deployed["Code"]["Location"], folder / "task")
        for layer in configuration.get("Layers", []):
            content = client.get_layer_version_by_arn(Arn=layer["Arn"])["Content"]
            self._unpack(content["Location"], folder / "layers")
        variables = dict(configuration.get("Environment", {}).get("Variables", {}))
        variables.pop(PROXY, None)
        return Function(
            name=name,
            handler=configuration["Handler"],
            task=folder / "task",
            layers=folder / "layers",
            memory=configuration["MemorySize"],
            timeout=configuration["Timeout"],
            environ={
                **self._emulator.environ,
                **self._credentials(configuration),
                "AWS_REGION": region,
                "AWS_DEFAULT_REGION": region,
                **variables,
                **self._world,
            },
            authority=self._emulator.authority,
        )

    def _unpack(self, url: str, folder: Path) -> None:
        context = ssl.create_default_context(cafile=self._emulator.authority)
        path = urlsplit(url)._replace(scheme="", netloc="").geturl()  # it says http in any case
        with urlopen(self._emulator.url + path, context=context) as answer:
            zipfile.ZipFile(io.BytesIO(answer.read())).extractall(folder)

    def _credentials(self, configuration: dict[str, Any]) -> dict[str, str]:
        """Assume the function's role, so that it may do what the template allows and no more."""
        return as_variables(assumed(self._emulator, configuration["Role"].rpartition("/")[2]))


class _Server(ThreadingHTTPServer):
    bridge: Bridge


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        answer = self.server.bridge.handle(self.path.strip("/"), body)
        payload = json.dumps(answer.payload).encode()
        # The runtime emulator answers 200 to most errors; the event's source has to see them.
        self.send_response(500 if answer.error else 200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


def _this_minute() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00Z")
