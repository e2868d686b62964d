"""Two stacks in one emulator, with everything that parameters can name and no program."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from tests.emulators import REGION, ministack
from tests.stack.skeleton import Clients, Skeleton, make

ELSEWHERE = "eu-west-1"
CONFIG, BACKUPS, OTHER = "config-of-the-test", "backups-of-the-test", "bucket-of-somebody-else"

ROLES = {
    "CheckPolicy": ("CheckRole", "check"),
    "HomePolicy": ("CheckRole", "home"),
    "VotePolicy": ("CheckRole", "vote"),
    "PublishPolicy": ("PublishRole", "publish"),
    "PagePolicy": ("PublishRole", "page"),
    "SchedulePolicy": ("ScheduleRole", "invoke"),
}
"""The policies of roles: whose they are, and under which name."""


@dataclass(frozen=True)
class Stacks:
    """A stack at home and one in another region, with everything that parameters can name.

    Attributes:
        topic: one that the home may publish to.
        version: of the configuration.
        slots: moments that no run has had yet.
    """

    home: Skeleton
    elsewhere: Skeleton
    topic: str
    version: str
    slots: Iterator[int]

    @property
    def state(self) -> str:
        return self.home.ids["StateBucket"]

    @property
    def page(self) -> str:
        return self.home.ids["PageBucket"]

    def clients(self, policy: str) -> Clients:
        """Return what makes clients with the rights of the role that has a policy."""
        return self.stack(policy).clients(ROLES[policy][0])

    def stack(self, policy: str) -> Skeleton:
        return self.elsewhere if policy == "VotePolicy" else self.home

    def pages(self) -> set[str]:
        """Return the names of all files of the page."""
        listed = self.home.emulator.client("s3").list_objects_v2(Bucket=self.page)
        return {item["Key"] for item in listed.get("Contents", [])}

    def put(self, key: str, body: bytes) -> None:
        """Write into the state bucket as its owner."""
        self.home.emulator.client("s3").put_object(Bucket=self.state, Key=key, Body=body)


@pytest.fixture(scope="session")
def stacks(translated: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    with ministack(tmp_path_factory.mktemp("rights") / "aws", auth=True, tls=True) as emulator:
        s3 = emulator.client("s3")
        for bucket in (CONFIG, BACKUPS, OTHER):
            s3.create_bucket(Bucket=bucket)
        enabled = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=CONFIG, VersioningConfiguration=enabled)
        version = s3.put_object(Bucket=CONFIG, Key="checkup.json", Body=b"{}")["VersionId"]
        s3.put_object(Bucket=BACKUPS, Key="db/1", Body=b"")
        topic = emulator.client("sns").create_topic(Name="on-call")["TopicArn"]
        emulator.client("ssm").put_parameter(Name="/checkup/a", Value="b", Type="SecureString")
        emulator.client("ssm").put_parameter(Name="/other/a", Value="b", Type="SecureString")
        emulator.client("secretsmanager").create_secret(Name="checkup/a", SecretString="b")
        home = make(
            *(emulator, translated, "checkup", REGION),
            ConfigBucket=CONFIG,
            HeartbeatBuckets=f"arn:aws:s3:::{BACKUPS}",
            NotifyTopics=topic,
        )
        state = home.ids["StateBucket"]
        elsewhere = make(
            *(emulator, translated, "elsewhere", ELSEWHERE), HomeBucket=state, HomeRegion=REGION
        )
        slots = count(int(time.time()) // 60 * 60 - 24 * 3600, 60)
        yield Stacks(home, elsewhere, topic, version, slots)
