from __future__ import annotations

import json
import re
from typing import Any

import pytest

from checkup import model
from checkup.alerting.state import decode_state
from tests.emulators import ROOT
from tests.servers.slack import FakeSlack
from tests.stack.day import MINUTE
from tests.stack.deployment import Deployment
from tests.stack.ending import Gone
from tests.stack.invoking import ByHand
from tests.stack.mending import DAMAGED, Mended
from tests.stack.outage import Outage
from tests.stack.sight import Sight
from tests.stack.updating import Update

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")


def test_each_run_says_what_it_saw(outage: Outage) -> None:
    statuses = [summary["statuses"] for summary in outage.summaries]
    well, ill = {"healthy": 2}, {"down": 1, "healthy": 1}
    assert statuses == [well, ill, ill, well, well]


def test_slack_is_told_once_of_an_outage_and_once_of_its_end(outage: Outage) -> None:
    assert outage.told == [0, 1, 1, 2, 2]
    assert "User Service" in outage.texts[0]
    assert "User Service" in outage.texts[1]
    assert not any("Website" in text for text in outage.texts)


def test_nothing_is_left_undelivered(outage: Outage) -> None:
    assert [summary["undelivered"] for summary in outage.summaries] == [0] * 5


def test_each_slot_has_its_run_in_the_bucket(outage: Outage) -> None:
    assert list(outage.runs) == [f"runs/{summary['run']}" for summary in outage.summaries]
    for body in outage.runs.values():
        assert [result.title for result in model.decode_results(body)] == [
            "Website",
            "User Service",
        ]


@pytest.mark.row("160", "S3.1")
def test_webhook_is_in_no_run_page_or_log(outage: Outage, slack: FakeSlack) -> None:
    secret = slack.webhook.rpartition("/")[2]
    everything = [*map(bytes.decode, outage.runs.values()), *(it.body for it in outage.pages)]
    assert not any(secret in text for text in [*everything, outage.log])


def test_write_of_state_starts_the_publisher(outage: Outage) -> None:
    assert outage.published
    for handled in outage.published:
        assert handled.answer.error == ""
        record = handled.event["Records"][0]
        assert record["eventName"].startswith("ObjectCreated:")
        assert record["s3"]["object"]["key"].startswith("state/")


def test_event_file_has_the_form_of_the_real_event(outage: Outage) -> None:
    file = json.loads((ROOT / "events" / "state-changed.json").read_text())
    assert form_of(outage.published[-1].event) == form_of(file)


def form_of(event: Any) -> Any:
    """Return an event without its values."""
    if isinstance(event, dict):
        return {key: form_of(value) for key, value in event.items()}
    return [form_of(item) for item in event] if isinstance(event, list) else type(event).__name__


def test_page_is_served_by_cloudfront(outage: Outage) -> None:
    for page in outage.pages:
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["x-cache"].endswith("cloudfront")
        assert "Status of the stack" in page.body


@pytest.mark.row("S6.2")
def test_browser_shows_the_page_and_nothing_from_elsewhere(sight: Sight) -> None:
    assert sight.title.endswith("Status of the stack")
    assert {"Website", "User Service"} <= set(sight.text.splitlines())
    assert "User Service" in sight.followed
    assert (sight.elsewhere, sight.complaints) == ([], [])


def test_missing_page_is_a_404(outage: Outage) -> None:
    assert outage.missing.status == 404


@pytest.mark.row("S1.5", "S10.2")
def test_log_entries_are_json_with_the_run_they_belong_to(outage: Outage) -> None:
    lines = [line for line in outage.log.splitlines() if line.startswith("{")]
    recorded = [it for it in map(json.loads, lines) if it.get("message") == "run recorded"]
    runs = [(entry["run"], entry["statuses"]) for entry in recorded]
    assert all((it["run"], it["statuses"]) in runs for it in outage.summaries)
    assert all(entry["service"] == "checkup" for entry in recorded)
    names = [key.removeprefix("runs/") for key in outage.runs]
    assert [entry["run"] for entry in recorded] == names
    facts = {"slot", "region", "config", "version", "function_request_id"}
    assert all(entry[fact] for entry in recorded for fact in facts)
    # Otherwise AWS would take each line for one of the level INFO, of when it came.
    assert all(RFC_3339.fullmatch(entry["timestamp"]) for entry in recorded)


def test_look_by_hand_returns_the_results(by_hand: ByHand) -> None:
    seen = {result["title"]: result for result in by_hand.results}
    assert seen["Website"]["healthy"]
    assert seen["User Service"]["down"]


def test_page_can_be_published_by_hand(by_hand: ByHand) -> None:
    assert list(by_hand.changed) == ["changed"]


@pytest.mark.row("14")
def test_look_by_hand_touches_no_state_and_tells_nobody(by_hand: ByHand) -> None:
    assert by_hand.before == by_hand.after
    assert by_hand.told == 0


def test_schedule_of_one_minute_checks_by_itself(update: Update) -> None:
    assert update.handled.answer.error == ""
    run = update.handled.answer.payload["run"]
    assert f"runs/{run}" in update.runs
    assert int(run.partition("-")[0]) % (MINUTE * 1_000_000_000) == 0


def test_update_changes_what_it_was_told_to_and_replaces_nothing(
    update: Update, stack: Deployment
) -> None:
    assert update.variables["RUN_DEADLINE"] == "20"
    assert update.outputs == stack.outputs


@pytest.mark.row("94")
def test_damaged_state_is_set_aside_and_made_anew(mended: Mended) -> None:
    assert mended.aside == [DAMAGED]
    assert set(decode_state(mended.head).checkers) == {"website", "user-service"}


def test_publisher_counts_the_days(mended: Mended) -> None:
    assert "history/head.json" in mended.history


def test_deleted_stack_leaves_nothing_that_runs(gone: Gone) -> None:
    assert (gone.functions, gone.schedules) == ([], [])


def test_deleted_stack_leaves_what_it_has_recorded(gone: Gone, stack: Deployment) -> None:
    assert stack.outputs["StateBucketName"] in gone.buckets
    assert stack.outputs["PageBucketName"] not in gone.buckets
