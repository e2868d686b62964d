"""The verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.config.settings import StatusText
from checkup_page.reasons import SLOW
from checkup_page.state import State
from checkup_page.view import Component
from checkup_page.words import clean, counted

_WORDS = {State.OPERATIONAL: "All systems operational", State.UNKNOWN: "Status unknown"}
_WORD_LIMIT, _NAME_LIMIT = 80, 60


def sentence(state: State, components: Sequence[Component], texts: StatusText) -> str:
    """Return ``Partial outage: API is down``: the state, and whom it concerns."""
    word = word_for(state, texts)
    if state is State.OPERATIONAL or not components:
        return word
    return f"{word}: {_concerned(state, components)}"


def word_for(state: State, texts: StatusText) -> str:
    """Return the state of the whole as the owner of the page wants it called, or as we do."""
    own = {
        State.OPERATIONAL: texts.healthy,
        State.DEGRADED: texts.degraded,
        State.PARTIAL: texts.down,
        State.MAJOR: texts.down,
        State.UNKNOWN: texts.unknown,
    }
    return clean(own[state], _WORD_LIMIT) or _WORDS.get(state, state.word)


def _concerned(state: State, components: Sequence[Component]) -> str:
    bad = State.MAJOR if state is State.PARTIAL else state
    affected = [component for component in components if component.state is bad]
    if len(affected) == 1:
        return f"{clean(affected[0].name, _NAME_LIMIT)} {_complaint(affected[0])}"
    if len(affected) == len(components):
        return f"all {counted(len(components), 'service')} {_complaints(bad)}"
    return f"{len(affected)} of {counted(len(components), 'service')} {_complaints(bad)}"


def _complaint(component: Component) -> str:
    if component.state is State.UNKNOWN:
        never = component.checked_at is None
        return "has not been checked yet" if never else "could not be checked"
    if component.state is State.MAJOR:
        return "is down"
    return "is slow" if component.note == SLOW else "is degraded"


def _complaints(state: State) -> str:
    if state is State.UNKNOWN:
        return "could not be checked"
    return "down" if state is State.MAJOR else "degraded"
