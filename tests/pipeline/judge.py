"""The judge of a world: holds what came of it to the invariants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from checkup.alerting.apply import AlertRules, apply_runs
from checkup.alerting.state import AlertState, decode_state
from checkup.interfaces import StoredDocument
from checkup.model import Alert, Result, Run, decode_results, key_time


class Documents(Protocol):
    """Where the runs are."""

    def get(self, key: str) -> StoredDocument | None: ...


class Written(Protocol):
    """A head that was written: its bytes, and the storage's time."""

    @property
    def body(self) -> bytes: ...
    @property
    def now(self) -> int: ...


class Lived(Protocol):
    """A world that has settled.

    Attributes:
        documents: the runs, as they are stored.
        received: the names and the label of each message that a channel has accepted, in order.
        heads: each head that was written.
        folded: the keys of the runs that were folded into them.
        windows: how often a message was accepted whose receipt could not be written.
        setting: what the runs were folded with.
        locks: whether claims end with their owners.
        now: the storage's time.
    """

    @property
    def documents(self) -> Documents: ...
    @property
    def received(self) -> Mapping[str, Sequence[tuple[Sequence[str], bool]]]: ...
    @property
    def heads(self) -> Sequence[Written]: ...
    @property
    def folded(self) -> Sequence[str]: ...
    @property
    def windows(self) -> int: ...
    @property
    def setting(self) -> AlertRules: ...
    @property
    def locks(self) -> bool: ...
    @property
    def now(self) -> int: ...

    def name(self, alert: Alert) -> str:
        """What a message calls an alert."""
        ...


class Verdict(NamedTuple):
    """How many alerts there were, and how many messages that repeated some."""

    alerts: int
    repeats: int


def judge(world: Lived, *, repeats: int | None = None, in_order: bool = True) -> Verdict:
    """Hold a settled world to the invariants.

    Args:
        repeats: how many messages may have been repeats, if not as many as there were events in
            the moment between acceptance and receipt.
        in_order: whether the channels tell everything in the order in which it happened; one
            with threads tells of one incident after another.
    """
    replayed = replay(world)
    last = decode_state(world.heads[-1].body) if world.heads else AlertState()
    allowed = world.windows if repeats is None else repeats
    total = 0
    for channel, messages in world.received.items():
        dead = [world.name(entry.alert) for entry in last.dead_letters if entry.channel == channel]
        seen: list[str] = []
        repeated = 0
        for names, labelled in messages:
            again = set(names) & set(seen)
            assert not again or labelled, f"a repeat that does not say so: {again}"
            repeated += bool(again)
            fresh = [name for name in names if name not in seen]
            # One message shows one card for each checker, so its order says nothing.
            order = {name: place for place, name in enumerate(replayed)}
            seen += sorted(fresh, key=lambda name: order.get(name, len(order)))
        expected = [name for name in replayed if name in seen or name not in dead]
        if not in_order:
            seen, expected = sorted(seen), sorted(expected)
        assert seen == expected, "I12, I15: what was told is not what happened, in order"
        total += repeated
        assert repeated <= allowed, f"I14: {repeated} repeats in {allowed} events"
    assert len(replayed) == len(set(replayed)), "I13"
    assert last.outboxes == {}, "I19: something still waits"
    sequence = [json.loads(written.body)["seq"] for written in world.heads]
    assert sequence == sorted(set(sequence)), "I18"
    if not world.locks:
        judge_claims(world.heads)
    return Verdict(len(replayed), total)


def replay(world: Lived) -> list[str]:
    """Return the alerts that the folded runs amount to, by the pure rules alone."""
    assert list(world.folded) == sorted(set(world.folded)), "I16: not in order, or not just once"
    runs = []
    for key in world.folded:
        stored = world.documents.get(key)
        assert stored is not None
        runs.append(_run(key, decode_results(stored.body), world.setting.regions))
    # Whatever was folded was in a slot that had closed, in time or for lack of it.
    folded = apply_runs(AlertState(), runs, world.setting, now=world.now)
    last = decode_state(world.heads[-1].body) if world.heads else AlertState()
    assert folded.state.checkers == last.checkers, "I15, I17"
    return [world.name(alert) for alert in folded.alerts]


def judge_claims(heads: Sequence[Written]) -> None:
    """I20: at most one claim is alive per channel, and none is taken over before it has ended."""
    before: dict[str, tuple[str, int]] = {}
    for written in heads:
        claims: dict[str, tuple[str, int]] = {}
        for channel, waiting in decode_state(written.body).outboxes.items():
            alive = {
                (e.claimed_by, e.claimed_until)
                for e in waiting
                if e.claimed_by and e.claimed_until > written.now
            }
            assert len(alive) <= 1, "I20: two claims are alive"
            for claim in alive:
                claims[channel] = claim
                owner, until = before.get(channel, claim)
                assert owner == claim[0] or until <= written.now, "I20: a claim was taken over"
        before = claims


def _run(key: str, results: tuple[Result, ...], regions: Sequence[str]) -> Run:
    region = results[0].region if results else ""
    position = regions.index(region) if region in regions else 0
    at = (key_time(key) or 0) - position
    return Run(slot=at, results=results, region=region, region_index=position)
