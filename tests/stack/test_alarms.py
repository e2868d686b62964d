"""Who watches the watchman: the alarms, over what the functions have really written."""

from __future__ import annotations

import pytest

from tests.stack.alarms import SIGNS_OF_LIFE
from tests.stack.freezing import SECONDS
from tests.stack.outage import Outage
from tests.stack.policies import Resources, of_type
from tests.stack.silence import Silence, minutes_to_ring
from tests.stack.trouble import BROKEN, Trouble
from tests.stack.watching import Point, has_rung

FREE = 10  # https://aws.amazon.com/cloudwatch/pricing/
MINUTE = 60
TROUBLED = {
    *("CheckErrorsAlarm", "CheckThrottlesAlarm", "PublishErrorsAlarm", "FailedEventsAlarm"),
    *("UndeliveredAlertsAlarm", "DeadAlertsAlarm", "UnreadableConfigAlarm"),
}
"""Those for what happens in the bad hour; the others are for a slow run and for silence."""


def values(found: list[Point], metric: str) -> list[float]:
    return [point.value for point in found if point.metric == metric]


def test_alarms_and_metrics_are_no_more_than_aws_gives_away(resources: Resources) -> None:
    alarms = dict(of_type(resources, "AWS::CloudWatch::Alarm"))
    filters = dict(of_type(resources, "AWS::Logs::MetricFilter"))
    assert len(alarms) <= FREE
    assert len(filters) <= FREE
    assert all(alarm["Period"] >= MINUTE for alarm in alarms.values())


@pytest.mark.row("S10.1")
def test_every_alarm_tells_somebody_and_says_what_missing_numbers_mean(
    resources: Resources,
) -> None:
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        expected = "breaching" if name in SIGNS_OF_LIFE else "notBreaching"
        assert alarm["TreatMissingData"] == expected, name
        assert alarm["AlarmDescription"], name


def test_alarms_for_a_silence_are_off_while_the_schedules_are(resources: Resources) -> None:
    for name in SIGNS_OF_LIFE:
        switch = resources[name]["Properties"]["ActionsEnabled"]
        assert switch == {"Fn::If": ["IsEnabled", True, False]}


def test_every_number_that_an_alarm_looks_at_is_counted_by_somebody(resources: Resources) -> None:
    counted = {
        it["MetricName"]
        for _, found in of_type(resources, "AWS::Logs::MetricFilter")
        for it in found["MetricTransformations"]
    }
    looked_at = {
        alarm["MetricName"]
        for _, alarm in of_type(resources, "AWS::CloudWatch::Alarm")
        if isinstance(alarm["Namespace"], dict)
    }
    assert looked_at == counted


def test_every_alarm_has_its_trouble(trouble: Trouble) -> None:
    assert trouble.alarms.keys() == {*TROUBLED, *SIGNS_OF_LIFE, "CheckDurationAlarm"}


@pytest.mark.parametrize("name", sorted(TROUBLED))
def test_alarm_rings_for_its_trouble_and_not_before(trouble: Trouble, name: str) -> None:
    alarm = trouble.alarms[name]
    assert not has_rung(alarm, trouble.quiet)
    assert has_rung(alarm, trouble.found)


def test_in_good_times_the_functions_write_two_numbers_and_no_more(trouble: Trouble) -> None:
    written = {point.metric for point in trouble.quiet if point.namespace != "AWS/Lambda"}
    assert written == {"Runs", "Pages"}


@pytest.mark.row("S10.1")
def test_alert_that_waits_for_more_than_ten_minutes_rings(trouble: Trouble) -> None:
    assert values(trouble.found, "OldestAlertSeconds") == [12 * MINUTE]


def test_alert_that_is_given_up_rings_once(trouble: Trouble) -> None:
    assert values(trouble.found, "DeadAlerts") == [1]


@pytest.mark.row("13")
def test_run_goes_on_with_the_configuration_that_was_good_last_and_rings(
    trouble: Trouble,
) -> None:
    assert trouble.summary["statuses"] == {"healthy": 2}
    assert values(trouble.found, "UnreadableConfig") == [1]


@pytest.mark.row("15")
def test_event_that_is_given_up_is_kept_with_the_reason(trouble: Trouble) -> None:
    assert trouble.failed["requestPayload"] == BROKEN
    assert "EventError" in trouble.failed["responsePayload"]["errorMessage"]


@pytest.mark.row("167")
def test_function_that_may_not_run_more_often_is_refused_by_aws(trouble: Trouble) -> None:
    assert trouble.refusal == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert sum(values(trouble.found, "Throttles")) > 0


def test_run_that_takes_nearly_all_its_time_rings(silence: Silence, trouble: Trouble) -> None:
    alarm = trouble.alarms["CheckDurationAlarm"]
    limit = SECONDS * 1000
    assert has_rung(alarm, silence.found)
    assert not has_rung(alarm, [point for point in silence.found if point.value < limit])


@pytest.mark.row("12")
def test_run_that_was_frozen_for_most_of_its_time_says_what_was_stored_meanwhile(
    silence: Silence, outage: Outage
) -> None:
    stored = outage.summaries[0]
    assert silence.thawed["run"] == stored["run"]
    assert silence.thawed["statuses"] == stored["statuses"] == {"healthy": 2}
    assert silence.thawed["alerts"] == []


@pytest.mark.row("5", "S10.1")
def test_stopped_schedule_rings_within_three_intervals(silence: Silence) -> None:
    assert silence.rung["NoRunsAlarm"] == 3


@pytest.mark.row("S10.1")
def test_page_that_is_published_no_more_rings_within_twenty_minutes(silence: Silence) -> None:
    assert 10 <= silence.rung["StalePageAlarm"] <= 20


@pytest.mark.parametrize(("at", "minutes"), [([7, 8], 16), ([2, 8], 16), ([9], 15)])
def test_silence_before_the_first_page_is_not_taken_for_that_after_the_last(
    resources: Resources, at: list[int], minutes: int
) -> None:
    alarm = {**resources["StalePageAlarm"]["Properties"], "Namespace": "N"}
    found = [Point("N", "Pages", minute * 60.0, 1) for minute in at]
    assert minutes_to_ring(alarm, found) == minutes


def test_who_has_subscribed_to_the_topic_hears_of_every_alarm(
    silence: Silence, trouble: Trouble
) -> None:
    assert silence.told == trouble.alarms.keys()
