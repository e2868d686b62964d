"""The commands of an operator on the deployed stack, each seen to have its effect."""

from __future__ import annotations

import pytest

from tests.stack.deployment import Deployment
from tests.stack.operating import Commanded, Consulted, Restored
from tests.stack.rebuilding import Rebuilt


def test_who_may_only_read_is_told_what_there_is_to_know(
    consulted: Consulted, stack: Deployment
) -> None:
    said = consulted.answers
    assert "User Service  healthy" in said["status"]
    assert "healthy since" in said["explain"]
    assert "Outage of User Service" in said["incidents"]
    assert said["maintenance"] == "no maintenance\n"
    assert said["channels"] == "slack\n"
    assert "total (USD)" in said["cost"]
    assert stack.outputs["StateBucketName"] not in str(said)


@pytest.mark.row("166")
def test_who_may_only_read_cannot_tell_people_anything(consulted: Consulted) -> None:
    assert consulted.refusal.returncode == 1
    assert "s3:PutObject" in consulted.refusal.stderr
    assert "Nobody hears of this" not in consulted.opened.body


def test_channel_is_tried_with_the_operators_own_rights(consulted: Consulted) -> None:
    said, texts = consulted.tried
    assert said == "slack  accepted\n"
    assert ["to channel slack" in text for text in texts] == [True]


def test_incident_is_on_the_page_as_soon_as_it_is_written(consulted: Consulted) -> None:
    assert "Payments fail" in consulted.opened.body
    assert "A disk is full." not in consulted.opened.body


def test_resolved_incident_tells_its_whole_story(consulted: Consulted) -> None:
    for words in ("We look into it.", "A disk is full.", "There is a larger disk."):
        assert words in consulted.resolved.body


def test_maintenance_is_announced_and_called_off(consulted: Consulted) -> None:
    assert "New database" in consulted.planned.body
    assert consulted.called_off == "no maintenance\n"


def test_words_about_a_checker_are_on_the_page_at_once(commanded: Commanded) -> None:
    assert "Soon back" in commanded.message.body


def test_paused_stack_checks_nothing_and_raises_no_alarm_for_that(commanded: Commanded) -> None:
    assert commanded.paused == {("DISABLED", False)}
    assert commanded.resumed == {("ENABLED", True)}


@pytest.mark.row("174")
def test_forged_state_is_restored_from_a_version_of_before(restored: Restored) -> None:
    assert restored.chosen in restored.listed
    assert restored.said == "restored: 2 checkers\n"
    assert "down since" in restored.known


@pytest.mark.row("174")
def test_after_a_restoration_nobody_is_told_twice_and_the_end_is_told(
    restored: Restored,
) -> None:
    assert restored.told == [1, 1, 2]


def test_days_that_are_counted_again_have_the_same_bytes(rebuilt: Rebuilt) -> None:
    over = {key for key in rebuilt.kept if not key.endswith("/head.json")}
    assert over
    assert {key: rebuilt.again[key] for key in over} == {key: rebuilt.kept[key] for key in over}


def test_runs_that_were_put_into_the_bucket_are_counted_then(rebuilt: Rebuilt) -> None:
    assert rebuilt.said.endswith(" runs counted\n")
    assert rebuilt.imported != rebuilt.again


def test_days_are_the_same_whoever_counts_them(rebuilt: Rebuilt) -> None:
    assert rebuilt.confirmed == rebuilt.imported
