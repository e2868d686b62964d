"""Alerts on their way out of the state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkup.alerting import outbox
from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState
from checkup.model import Alert
from tests.alerting.worlds import script, slot, toy

ALERTS = apply_runs(
    AlertState(), script("dh" * 600), AlertRules(checkers=[toy("a")]), slot(9)
).alerts


def waiting(state: AlertState, channel: str = "slack") -> list[Alert]:
    return [entry.alert for entry in outbox.queued(state, channel)]


def filled(count: int) -> AlertState:
    return outbox.enqueue(
        outbox.enqueue(AlertState(), "slack", ALERTS[:count]), "mail", ALERTS[:count]
    )


def claimed(state: AlertState, until: int = 10) -> AlertState:
    return outbox.claim(state, "slack", outbox.next_batch(state, "slack"), "me", until)


@pytest.mark.row("126")
def test_outboxes_are_independent() -> None:
    state = filled(2)

    state = outbox.mark_delivered(state, "slack", outbox.next_batch(state, "slack"))

    assert (waiting(state), waiting(state, "mail")) == ([], list(ALERTS[:2]))


def test_empty_outbox_leaves_no_trace() -> None:
    state = outbox.enqueue(AlertState(), "slack", ALERTS[:1])

    assert outbox.mark_delivered(state, "slack", outbox.next_batch(state, "slack")) == AlertState()


def test_receipt_removes_only_what_was_claimed() -> None:
    state = claimed(filled(2))
    batch = outbox.next_batch(filled(2), "slack")
    state = outbox.enqueue(state, "slack", ALERTS[2:3])

    assert waiting(outbox.mark_delivered(state, "slack", batch)) == [ALERTS[2]]


def test_claim_counts_the_attempt_and_says_that_it_may_be_sent() -> None:
    (entry,) = outbox.queued(claimed(filled(1)), "slack")

    assert (entry.claimed_by, entry.claimed_until, entry.attempts, entry.maybe_delivered) == (
        "me",
        10,
        1,
        True,
    )


def test_claim_of_another_holds_until_it_is_over() -> None:
    state = claimed(filled(1), until=10)

    assert outbox.is_claimed(state, "slack", "you", now=9)
    assert not outbox.is_claimed(state, "slack", "you", now=10)
    assert not outbox.is_claimed(state, "slack", "me", now=9)
    assert not outbox.is_claimed(state, "mail", "you", now=9)


def test_refused_alert_is_fresh_again() -> None:
    before = filled(1)

    after = outbox.mark_not_delivered(
        claimed(before), "slack", outbox.next_batch(before, "slack"), "me"
    )

    (entry,) = outbox.queued(after, "slack")
    assert (entry.claimed_by, entry.attempts, entry.maybe_delivered) == ("", 1, False)


def test_refused_repeat_is_still_a_possible_repeat() -> None:
    fresh = filled(1)
    before = outbox.mark_delivery_unknown(
        claimed(fresh), "slack", outbox.next_batch(fresh, "slack"), "me"
    )

    after = outbox.mark_not_delivered(
        claimed(before), "slack", outbox.next_batch(before, "slack"), "me"
    )

    assert outbox.queued(after, "slack")[0].maybe_delivered


def test_unclear_alert_is_a_possible_repeat() -> None:
    before = filled(1)

    after = outbox.mark_delivery_unknown(
        claimed(before), "slack", outbox.next_batch(before, "slack"), "me"
    )

    (entry,) = outbox.queued(after, "slack")
    assert (entry.claimed_by, entry.maybe_delivered) == ("", True)


def test_claim_that_somebody_else_took_over_is_not_given_back() -> None:
    before = filled(1)
    batch = outbox.next_batch(before, "slack")
    theirs = outbox.claim(claimed(before), "slack", batch, "you", 99)

    assert outbox.mark_not_delivered(theirs, "slack", batch, "me") == theirs
    assert outbox.mark_delivery_unknown(theirs, "slack", batch, "me") == theirs


def test_only_exactly_the_claim_that_was_written_is_mine() -> None:
    before = filled(2)
    batch = outbox.next_batch(before, "slack")
    state = claimed(before, until=10)

    assert outbox.holds_claim(state, "slack", batch, "me", 10)
    assert not outbox.holds_claim(state, "slack", batch, "me", 11)
    assert not outbox.holds_claim(state, "slack", batch, "you", 10)
    assert not outbox.holds_claim(state, "slack", batch[:1], "me", 10)
    assert not outbox.holds_claim(before, "slack", batch, "me", 10)


def test_possible_repeats_and_news_are_never_in_one_message() -> None:
    before = filled(2)
    state = outbox.mark_delivery_unknown(
        claimed(before), "slack", outbox.next_batch(before, "slack"), "me"
    )
    state = outbox.enqueue(state, "slack", ALERTS[2:4])

    first = outbox.next_batch(state, "slack")
    second = outbox.next_batch(outbox.mark_delivered(state, "slack", first), "slack")

    assert [entry.alert for entry in first] == list(ALERTS[:2])
    assert [entry.alert for entry in second] == list(ALERTS[2:4])


@pytest.mark.row("112")
def test_rejected_alert_is_kept_apart_and_holds_nothing_up() -> None:
    before = filled(1)
    state = outbox.mark_rejected(
        before, "slack", outbox.next_batch(before, "slack"), "invalid_payload"
    )

    assert waiting(state) == []
    assert [(lost.channel, lost.alert, lost.error) for lost in state.dead_letters] == [
        ("slack", ALERTS[0], "invalid_payload")
    ]
    assert waiting(state, "mail") == [ALERTS[0]]


@pytest.mark.row("114")
@given(st.integers(0, len(ALERTS)))
def test_outbox_of_a_dead_channel_has_an_end(count: int) -> None:
    state = filled(count)

    assert waiting(state) == list(ALERTS[max(0, count - outbox.MAX_QUEUED) : count])
    assert len(state.dead_letters) <= outbox.MAX_DEAD_LETTERS
    assert bool(state.dead_letters) == (count > outbox.MAX_QUEUED)
