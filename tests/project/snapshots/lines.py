"""What both Lambda functions write into their log, and answer: the keys, and the types of values.

They run on a server that plays S3, whose clock is that of today.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import boto3
from moto.server import ThreadedMotoServer

from tests.machine import Invoked, Machine, machine
from tests.project.snapshots.parts import parts_of, schema
from tests.servers.provider import Provider, Say

MINUTE: Final = 60 * 10**9
DAY: Final = 24 * 60 * MINUTE
REGION: Final = "eu-central-1"
FURTHER: Final = "us-east-1"

_AWS: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BUCKETS: Final = ("state", "page", "settings")


class Stack:
    """The functions of a stack, its buckets and its only channel.

    Attributes:
        noticed: each kind of line and of answer, in the order in which it was seen first.
    """

    def __init__(self, here: Machine, s3: Any, provider: Provider) -> None:
        self.here, self.s3, self.provider = here, s3, provider
        self.buckets = {name: f"{name}-{uuid4().hex}" for name in BUCKETS}  # S3 is all tests'
        self.start = (time.time_ns() // MINUTE - 10) * MINUTE
        self.noticed: list[Any] = []

    def configure(self, **more: Any) -> None:
        job = {"type": "heartbeat", "endpoint_name": "Job"}
        hook = {"type": "webhook", "id": "hook", "url": f"{self.provider.url}/hook"}
        config = {"recheck": 0, "checkers": [job], "notifiers": [hook], **more}
        (self.here.folder / "checkup.json").write_text(json.dumps(config))

    def put(self, bucket: str, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.buckets[bucket], Key=key, Body=body)

    def report(self, *, failed: bool) -> None:
        """Have the job report in."""
        body = json.dumps({"at": time.time_ns(), "failed": failed}).encode()
        self.put("state", "heartbeats/job", body)

    def check(self, *events: Any, **environ: str) -> None:
        """Start the check function and hand over events; a number is the minute of a slot."""
        self._invoke("check", [self._event(event) for event in events], environ)

    def publish(self, *events: Any, **environ: str) -> None:
        self._invoke("publish", list(events), environ)

    def _invoke(self, function: str, events: list[Any], environ: Mapping[str, str]) -> None:
        given = {
            "STATE_BUCKET": self.buckets["state"],
            "PAGE_BUCKET": self.buckets["page"],
            "AWS_REGION": REGION,
            "AWS_LAMBDA_FUNCTION_NAME": function,
            **environ,
        }
        now = time.time_ns()
        invoked = self.here.invoke(function, *((now, event) for event in events), environ=given)
        self._notice(function, invoked)

    def _event(self, event: Any) -> Any:
        if not isinstance(event, int):
            return event
        seconds = (self.start + event * MINUTE) // 10**9
        return {"slot": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))}

    def _notice(self, function: str, invoked: Invoked) -> None:
        for answer in invoked.answers:
            self._add({"function": function, **_kind(answer)})
        for line in invoked.log:
            said = {name: _still(line[name]) for name in ("level", "message", "service")}
            keys = {name: value for name, value in line.items() if name not in said}
            self._add({"function": function, **said, "keys": schema(keys)})

    def _add(self, noticed: Any) -> None:
        if noticed not in self.noticed:
            self.noticed.append(noticed)


def _kind(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        return {"error": answer["error"]}
    return {"answer": schema(answer["answer"])}


def _still(text: str) -> str:
    """Return a text without what is different each time."""
    return re.sub(r"\d+", "N", re.sub(r"-[0-9a-f]{32}", "", text))


@contextmanager
def _stack(folder: Path) -> Iterator[Stack]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    with ExitStack() as stack:
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        session = boto3.session.Session("test", "test", region_name=REGION)
        s3 = session.client("s3", endpoint_url=f"http://{host}:{port}")
        stack.callback(s3.close)
        environ = {**_AWS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        provider = stack.enter_context(Provider(Say(200)))
        found = Stack(stack.enter_context(machine(folder, {}, environ=environ)), s3, provider)
        for name in found.buckets.values():
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        yield found


def made(folder: Path) -> dict[str, str]:
    """Return each kind of line of both functions, and of what they answer; the folder is empty."""
    with _stack(folder) as stack:
        stack.configure()
        _asked_by_hand(stack)
        _runs(stack)
        _regions(stack)
        _pages(stack)
        _configurations(stack)
    lines = [it for it in stack.noticed if "keys" in it]
    answers = [it for it in stack.noticed if "keys" not in it]
    return {
        **parts_of("functions/log.jsonl", lines),
        **parts_of("functions/answers.jsonl", answers),
    }


def _asked_by_hand(stack: Stack) -> None:
    stack.check({"checkers": []}, {"checkers": ["job"], "record": True}, {"checkers": ["none"]})
    stack.check({"notify_test": []}, {"notify_test": ["none"]}, {"unknown": 1})
    stack.publish({"unknown": 1})


def _runs(stack: Stack) -> None:
    """Let a job fail while its channel is there, refuses, rejects, and is not reached."""
    stack.report(failed=False)
    stack.check(0)
    stack.report(failed=True)
    stack.check(1, 1)
    stack.provider.behave(Say(404))
    stack.report(failed=False)
    stack.check(2)
    stack.provider.behave(Say(500))
    stack.check(3)
    stack.provider.behave(Say(400))
    stack.check(4)
    stack.provider.behave(Say(200))
    stack.check(-1)  # which is over


def _regions(stack: Stack) -> None:
    """Let a second region vote, first with the same configuration and then with another."""
    stack.configure(regions=[REGION, FURTHER])
    stack.check(5, AWS_REGION=FURTHER, HOME_REGION=REGION)
    stack.check(5)
    other = {"type": "heartbeat", "endpoint_name": "Job", "period": "2h"}
    stack.configure(regions=[REGION, FURTHER], checkers=[other])
    stack.check(6, AWS_REGION=FURTHER, HOME_REGION=REGION)
    stack.configure(regions=[REGION, FURTHER])
    stack.check(6)
    stack.configure()


def _pages(stack: Stack) -> None:
    changed = {"eventSource": "aws:s3", "s3": {"object": {"key": "state/head.json"}}}
    stack.publish({"Records": [changed]}, {"Records": [changed]}, {"task": "publish"})
    midnight = stack.start // DAY * DAY
    result = {"title": "Job", "times": [{"rtt": 5}], "healthy": True, "id": "job"}
    for slot in range(midnight - 2 * DAY, midnight, DAY // 4):
        body = json.dumps([{**result, "timestamp": slot}]).encode()
        stack.put("state", f"runs/{slot:019d}-check.json", body)
    stack.publish({"task": "rebuild"}, {"task": "publish"})


def _configurations(stack: Stack) -> None:
    """Use a configuration that is doubtful, in part wrong, no JSON, and in a bucket."""
    stack.configure(colour="blue")
    stack.check(7)
    wrong = {"type": "heartbeat", "endpoint_name": "Wrong", "period": "never"}
    right = {"type": "heartbeat", "endpoint_name": "Job"}
    stack.configure(checkers=[wrong, right])
    stack.check(8)
    stack.publish({"task": "publish"})
    file = stack.here.folder / "checkup.json"
    file.write_text("{")
    stack.check(9)
    stack.publish({"task": "publish"})
    there = {"CONFIG_BUCKET": stack.buckets["settings"], "CONFIG_KEY": "checkup.json"}
    stack.check(9, **there)
    stack.configure()
    stack.put("settings", "checkup.json", file.read_bytes())
    stack.check(9, **there)
    stack.put("settings", "checkup.json", b"{")
    stack.check(10, **there)
