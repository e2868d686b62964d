"""The stack, deployed into the emulator of AWS, and the people and services around it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from tests.emulators import Emulator
from tests.stack.bridge import Bridge, Handled
from tests.stack.project import Project

STACK = "checkup"
WEBHOOK = "/checkup/slack-webhook"
PATIENCE = 100.0  # seconds; a schedule of one minute fires within 70


@dataclass(frozen=True)
class Fetched:
    """An answer of CloudFront; headers have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Deployment:
    """A deployed stack.

    Attributes:
        outputs: what the template says of itself.
    """

    project: Project
    emulator: Emulator
    bridge: Bridge
    outputs: Mapping[str, str]

    def check(self, slot: int) -> Any:
        """Deliver the event of a slot, in seconds since the epoch, and return the summary."""
        moment = datetime.fromtimestamp(slot, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self.invoke("CheckFunctionName", {"slot": moment})

    def invoke(self, output: str, event: object) -> Any:
        """Invoke a function and return what its handler returned."""
        answer = self.emulator.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, (payload, self.bridge.logs())
        return payload

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys in the state bucket."""
        listed = self.emulator.client("s3").list_objects_v2(
            Bucket=self.outputs["StateBucketName"], Prefix=prefix
        )
        return [found["Key"] for found in listed.get("Contents", [])]

    def read(self, key: str) -> bytes:
        """Return a document of the state bucket."""
        bucket = self.outputs["StateBucketName"]
        body: bytes = self.emulator.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def fetch(self, path: str) -> Fetched:
        """Ask CloudFront, at its own name and over TLS, as a browser does."""
        host = urlsplit(self.outputs["PageUrl"]).hostname
        server = urlsplit(self.emulator.url)
        context = ssl.create_default_context(cafile=self.emulator.authority)
        viewer = http.client.HTTPSConnection(str(server.hostname), server.port, context=context)
        try:
            viewer.request("GET", path, headers={"Host": str(host)})
            answer = viewer.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return Fetched(answer.status, headers, answer.read().decode())
        finally:
            viewer.close()

    def handled(self, output: str) -> list[Handled]:
        """Return the events that a function has been given so far."""
        return [it for it in list(self.bridge.handled) if it.function == self.outputs[output]]


def deploy(project: Project, emulator: Emulator, bridge: Bridge, **parameters: str) -> Deployment:
    """Create or update the stack as `make deploy` does."""
    built = (project.folder / ".aws-sam" / "parameters").read_text().split()
    # The emulator does not know the conditions that the state bucket would set.
    given = {"ConditionalWrites": "trusted", **parameters}
    overrides = [*built, *(f"{name}={value}" for name, value in given.items())]
    project.sam("deploy", "--parameter-overrides", *overrides, environ=emulator.environ)
    described = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    bridge.attach([outputs["CheckFunctionName"], outputs["PublishFunctionName"]])
    return Deployment(project, emulator, bridge, outputs)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until something holds and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")
