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

from tests.emulators import REGION, ROOT, Emulator
from tests.stack.bridge import Bridge, Handled
from tests.stack.project import Project

STACK = "checkup"
SETTINGS = "settings-of-the-test"
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
        region: where it is.
    """

    project: Project
    emulator: Emulator
    bridge: Bridge
    outputs: Mapping[str, str]
    region: str = REGION

    def configure(self, configuration: Mapping[str, Any]) -> None:
        """Put a configuration into the place in S3 from which the functions read it."""
        self.configure_with(json.dumps(configuration).encode())

    def configure_with(self, body: bytes) -> None:
        """Put anything there."""
        self.emulator.client("s3").put_object(Bucket=SETTINGS, Key="checkup.json", Body=body)

    def check(self, slot: int) -> Any:
        """Deliver the event of a slot, in seconds since the epoch, and return the summary."""
        return self.invoke("CheckFunctionName", due(slot))

    def invoke(self, output: str, event: object) -> Any:
        """Invoke a function and return what its handler returned."""
        answer = self.client("lambda").invoke(
            FunctionName=self.outputs[output], Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, (payload, self.bridge.logs())
        return payload

    def invoke_later(self, output: str, event: object) -> None:
        """Leave an event to be served when there is time, as schedules and buckets do."""
        self.client("lambda").invoke(
            FunctionName=self.outputs[output],
            Payload=json.dumps(event),
            InvocationType="Event",
        )

    def client(self, service: str) -> Any:
        """Return an administrator's client in the stack's region."""
        return self.emulator.client(service, region_name=self.region)

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


def due(slot: int) -> dict[str, str]:
    """Return the event of a slot, in seconds since the epoch."""
    return {"slot": datetime.fromtimestamp(slot, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def deploy(
    project: Project,
    emulator: Emulator,
    bridge: Bridge,
    name: str = STACK,
    region: str = REGION,
    **parameters: str,
) -> Deployment:
    """Create or update a stack as `make deploy` does."""
    # The emulator does not know the conditions that the state bucket would set.
    given = {"ConditionalWrites": "trusted", **parameters}
    project.run(
        [ROOT / "scripts" / "deploy-stack", name, *(f"{k}={v}" for k, v in given.items())],
        {**emulator.environ, "AWS_REGION": region},
    )
    client = emulator.client("cloudformation", region_name=region)
    described = client.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    functions = [value for key, value in outputs.items() if key.endswith("FunctionName")]
    bridge.attach(functions, region)
    return Deployment(project, emulator, bridge, outputs, region)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until something holds and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")
