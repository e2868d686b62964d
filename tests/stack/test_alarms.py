"""Who watches the watchman: the alarms, over what the functions have really written."""

from __future__ import annotations

from tests.stack.policies import Resources, of_type
from tests.stack.trouble import BROKEN, Trouble
from tests.stack.watching import rings

FREE = 10  # https://aws.amazon.com/cloudwatch/pricing/
MINUTE = 60


def last(trouble: Trouble, metric: str) -> float:
    """Return the end of the minute in which a metric had its last value."""
    latest = max(point.at for point in trouble.found if point.metric == metric)
    return latest // MINUTE * MINUTE + MINUTE


def test_alarms_and_metrics_are_no_more_than_aws_gives_away(resources: Resources) -> None:
    alarms = dict(of_type(resources, "AWS::CloudWatch::Alarm"))
    filters = dict(of_type(resources, "AWS::Logs::MetricFilter"))
    assert len(alarms) <= FREE
    assert len(filters) <= FREE
    assert all(alarm["Period"] >= MINUTE for alarm in alarms.values())


def test_every_alarm_tells_somebody_and_says_what_missing_numbers_mean(
    resources: Resources,
) -> None:
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        is_a_sign_of_life = name in {"NoRunsAlarm", "StalePageAlarm"}
        expected = "breaching" if is_a_sign_of_life else "notBreaching"
        assert alarm["TreatMissingData"] == expected, name
        assert alarm["AlarmDescription"], name


def test_alarms_for_a_silence_are_off_while_the_schedules_are(resources: Resources) -> None:
    for name in ("NoRunsAlarm", "StalePageAlarm"):
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


def test_5_stopped_schedule_rings_within_three_intervals(trouble: Trouble) -> None:
    alarm, end = trouble.alarms["NoRunsAlarm"], last(trouble, "Runs")
    states = [rings(alarm, trouble.found, end + n * MINUTE) for n in range(4)]
    assert states == [False, False, False, True]


def test_page_that_is_published_no_more_rings_within_twenty_minutes(trouble: Trouble) -> None:
    alarm, end = trouble.alarms["StalePageAlarm"], last(trouble, "Pages")
    assert not rings(alarm, trouble.found, end + 5 * MINUTE)
    assert rings(alarm, trouble.found, end + 20 * MINUTE)


def test_in_good_times_there_are_two_numbers_and_no_more(trouble: Trouble) -> None:
    assert trouble.quiet == {"Runs", "Pages"}


def test_alert_that_waits_for_more_than_ten_minutes_rings(trouble: Trouble) -> None:
    waited = [point.value for point in trouble.found if point.metric == "OldestAlertSeconds"]
    assert waited == [12 * MINUTE]
    assert trouble.alarms["UndeliveredAlertsAlarm"]["StateValue"] == "ALARM"


def test_alert_that_is_given_up_rings(trouble: Trouble) -> None:
    dead = [point.value for point in trouble.found if point.metric == "DeadAlerts"]
    assert dead == [1]
    assert trouble.alarms["DeadAlertsAlarm"]["StateValue"] == "ALARM"


def test_15_event_that_is_given_up_is_kept_with_the_reason(trouble: Trouble) -> None:
    assert trouble.failed["requestPayload"] == BROKEN
    assert "EventError" in trouble.failed["responsePayload"]["errorMessage"]


def test_function_that_fails_twice_rings(trouble: Trouble) -> None:
    assert trouble.alarms["CheckErrorsAlarm"]["StateValue"] == "ALARM"


def test_who_has_subscribed_to_the_topic_is_told(trouble: Trouble) -> None:
    assert trouble.told >= {"DeadAlertsAlarm"}
