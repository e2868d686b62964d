"""The verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.config.page import StatusText
from checkup_page.reasons import SLOW
from checkup_page.speech.voice import Voice
from checkup_page.speech.words import clean
from checkup_page.state import State
from checkup_page.view import Component

_WORD_LIMIT, _NAME_LIMIT = 80, 60


def sentence(state: State, components: Sequence[Component], texts: StatusText, voice: Voice) -> str:
    """Return ``Partial outage: API is down``: the state, and whom it concerns."""
    word = word_for(state, texts, voice)
    if state is State.OPERATIONAL or not components:
        return word
    return voice.say("verdict.of", state=word, whom=_concerned(state, components, voice))


def told(state: State, title: str, texts: StatusText, voice: Voice) -> str:
    """Return ``Major outage: Payments fail``: the state, and what people say of it."""
    return voice.say("verdict.of", state=word_for(state, texts, voice), whom=title)


def word_for(state: State, texts: StatusText, voice: Voice) -> str:
    """Return the state of the whole as the owner of the page wants it called, or as we do."""
    own = {
        State.OPERATIONAL: texts.healthy,
        State.DEGRADED: texts.degraded,
        State.PARTIAL: texts.down,
        State.MAJOR: texts.down,
        State.UNKNOWN: texts.unknown,
    }
    return clean(own.get(state, ""), _WORD_LIMIT) or voice.say(f"verdict.{state}")


def _concerned(state: State, components: Sequence[Component], voice: Voice) -> str:
    bad = State.MAJOR if state is State.PARTIAL else state
    affected = [component for component in components if component.state is bad]
    if len(affected) == 1:
        name = clean(affected[0].name, _NAME_LIMIT)
        return voice.say(f"concerned.one.{_complaint(affected[0], voice)}", name=name)
    if len(affected) == len(components):
        return voice.say(f"concerned.all.{bad}", n=len(components))
    return voice.say(f"concerned.some.{bad}", bad=len(affected), n=len(components))


def _complaint(component: Component, voice: Voice) -> str:
    if component.state is State.UNKNOWN and component.checked_at is None:
        return "never"
    if component.state is State.DEGRADED and component.note == voice.say(SLOW):
        return "slow"
    return component.state
