"""From a configuration and an environment to the objects that do the work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from checkup import app
from checkup.checkers.heartbeat import store_heartbeat
from checkup.checkers.runner import run_checks
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import ConfigError, NotDeliveredError, UnavailableError
from checkup.interfaces import Clients, Notification, Notifier, NotifierSettings
from checkup.model import Alert, AlertKind, Status
from checkup.storage.folder import FolderStorage
from checkup.storage.memory import MemoryStorage
from checkup.times import SECOND
from checkup_page.build import build_page

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
}
ALERT = Alert(
    id="a/open:down/1/1",
    checker="a",
    title="a",
    kind=AlertKind.OPEN,
    status=Status.DOWN,
    previous_status=Status.HEALTHY,
    slot=1,
    since=1,
    opened=1,
)


def configured(folder: Path, **content: Any) -> Config:
    path = folder / "checkup.json"
    path.write_text(json.dumps(content))
    return app.read_config(str(path), {})


def test_monitor_is_what_the_configuration_says(tmp_path: Path) -> None:
    storage = {"type": "fs", "dir": str(tmp_path), "check_expiry": "24h"}
    page = {"url": "https://status.example.test/"}
    config = configured(
        tmp_path, storage=storage, page=page, concurrent_checks=7, timestamp="1970-01-01T00:00:01Z"
    )

    monitor = app.run_context(config, {})

    assert monitor.retention == 24 * 3600 * SECOND
    assert (monitor.page_url, monitor.concurrency) == ("https://status.example.test/", 7)
    assert (monitor.timestamp, monitor.region) == (SECOND, "")
    assert monitor.mask("http://user:word@host/?key=1") == "http://user:***@host/?key=***"


def test_monitor_without_a_storage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"^no storage configured$"):
        app.run_context(configured(tmp_path), {})


def test_negative_concurrency_is_refused_where_checks_run(tmp_path: Path) -> None:
    config = configured(tmp_path, concurrent_checks=-1)

    with pytest.raises(ConfigError, match="invalid value for ConcurrentChecks: -1"):
        app.run_context(config, {}, storage=MemoryStorage())


def test_channels_of_one_kind_have_numbers(tmp_path: Path) -> None:
    slack = {"type": "slack", "webhook": "env:HOOK"}
    config = configured(tmp_path, notifiers=[slack, slack])

    monitor = app.run_context(config, {}, storage=MemoryStorage())

    assert list(monitor.channels) == ["slack", "slack-2"]


class Pigeons(NotifierSettings, frozen=True, kw_only=True):
    """A channel that needs what is not installed."""

    kind: ClassVar[str] = "pigeons"

    def open(self, clients: Clients) -> Notifier:
        raise UnavailableError("pigeons need an extra")


def test_channel_that_cannot_be_used_keeps_its_alerts_and_says_why(tmp_path: Path) -> None:
    slack = {"type": "slack", "webhook": "env:HOOK"}
    config = configured(tmp_path, notifiers=[slack])
    config = replace(config, notifiers=(Pigeons(), *config.notifiers))

    monitor = app.run_context(config, {}, storage=MemoryStorage())

    assert list(monitor.channels) == ["pigeons", "slack"]
    with pytest.raises(NotDeliveredError, match="pigeons need an extra"):
        monitor.channels["pigeons"].send(Notification(alerts=(ALERT,)))


def test_bucket_of_a_stack_replaces_the_storage_and_keeps_its_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    storage = {"type": "fs", "dir": str(tmp_path / "never"), "check_expiry": "24h"}
    config = configured(tmp_path, storage=storage, regions=["eu-west-1", "us-east-1"])
    environ = {
        "STATE_BUCKET": "state",
        "AWS_LAMBDA_FUNCTION_NAME": "check",
        "AWS_REGION": "us-east-1",
        "PAGE_URL": "https://d1.cloudfront.test/",
    }

    monitor = app.run_context(config, environ)

    assert type(monitor.storage).__name__ == "S3Storage"
    assert (monitor.retention, monitor.page_url) == (0, "https://d1.cloudfront.test/")
    assert (monitor.region, monitor.region_index, monitor.is_voting) == ("us-east-1", 1, True)


def test_laptop_with_a_region_in_its_environment_does_not_vote(tmp_path: Path) -> None:
    config = configured(tmp_path, regions=["eu-west-1"])

    monitor = app.run_context(config, {"AWS_REGION": "eu-west-1"}, storage=MemoryStorage())

    assert (monitor.region, monitor.is_voting) == ("", False)


def test_library_of_aws_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.exceptions", None)

    with pytest.raises(UnavailableError, match=r"needs the extra 'aws'"):
        app.LiveClients({}).aws("s3")


@pytest.mark.row("C25")
def test_client_without_a_region_works_in_the_one_of_the_environment() -> None:
    clients = app.LiveClients({"AWS_REGION": "eu-west-3"})

    assert clients.aws("s3", region_name="").meta.region_name == "eu-west-3"
    assert clients.aws("s3", region_name="sa-east-1").meta.region_name == "sa-east-1"


@pytest.mark.row("83")
@pytest.mark.parametrize(
    ("environ", "failure"),
    [
        pytest.param({}, "", id="on-a-machine"),
        pytest.param({"AWS_LAMBDA_FUNCTION_NAME": "check"}, "unsupported", id="in-lambda"),
    ],
)
def test_programs_run_on_machines_only(
    tmp_path: Path, environ: dict[str, str], failure: str
) -> None:
    path = tmp_path / "checkup.json"
    path.write_text(json.dumps({"checkers": [{"type": "exec", "name": "A", "command": "true"}]}))

    config = app.read_config(str(path), environ)
    (result,) = run_checks(config.checkers, deadline=Deadline.after(30), concurrency=1)

    assert (result.title, result.failure) == ("A", failure)
    assert result.healthy is not bool(failure)


def test_checkers_read_the_storage_of_the_configuration(tmp_path: Path) -> None:
    jobs = [{"type": "heartbeat", "endpoint_name": name} for name in ("A", "B")]
    storage = {"type": "fs", "dir": str(tmp_path / "checks")}
    config = configured(tmp_path, checkers=jobs, storage=storage)
    store_heartbeat(FolderStorage(tmp_path / "checks"), "a")

    first, second = run_checks(config.checkers, deadline=Deadline.after(30), concurrency=2)

    assert first.healthy
    assert second.failure == "heartbeat_none"


def test_storage_that_cannot_be_opened_harms_only_who_needs_it(tmp_path: Path) -> None:
    checkers = [
        {"type": "heartbeat", "endpoint_name": "A"},
        {"type": "exec", "name": "B", "command": "true"},
    ]
    storage = {"type": "postgres", "dsn": "postgres://127.0.0.1:1/checkup"}
    config = configured(tmp_path, checkers=checkers, storage=storage)

    job, program = run_checks(config.checkers, deadline=Deadline.after(30), concurrency=2)

    assert (job.status, job.failure) == (Status.UNKNOWN, "storage")
    assert program.healthy


def test_links_to_components_lead_to_the_pages_that_were_published_first(tmp_path: Path) -> None:
    """The page moves; its ids, which are in the addresses of components, stay."""
    checkers = [{"type": "tcp", "id": "db", "endpoint_name": "DB", "endpoint_url": "127.0.0.1:1"}]
    storage, urls = MemoryStorage(), ("https://old.example/", "https://new.example/status")
    old, new = (configured(tmp_path, checkers=checkers, page={"url": url}) for url in urls)
    files = build_page(old, storage, storage.now_ns())
    (path,) = (it for it in files if it.startswith("components/") and it.endswith(".html"))

    def links(config: Config, there: MemoryStorage = storage) -> dict[str, str]:
        return dict(app.run_context(config, {}, storage=there).component_urls())

    assert links(new) == {"db": f"https://new.example/status/{path}"}
    assert links(old) == links(old, MemoryStorage()) == {"db": f"https://old.example/{path}"}
    named = configured(tmp_path, checkers=checkers, page={"url": urls[1], "id": urls[0]})
    assert links(named, MemoryStorage()) == links(new)
