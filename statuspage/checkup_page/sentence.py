"""The verdict in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from checkup.config.page import StatusText
from checkup_page.reasons import SLOW
from checkup_page.speech.voice import Locale
from checkup_page.speech.words import clean_line
from checkup_page.state import ComponentStatus
from checkup_page.view import ComponentView

_WORD_LIMIT, _NAME_LIMIT = 80, 60


def describe_status(
    state: ComponentStatus, components: Sequence[ComponentView], texts: StatusText, voice: Locale
) -> str:
    """Return ``Partial outage: API is down``: the state, and whom it concerns."""
    word = status_label(state, texts, voice)
    if state is ComponentStatus.OPERATIONAL or not components:
        return word
    return voice.say("verdict.of", state=word, whom=_concerned(state, components, voice))


def describe_incident(state: ComponentStatus, title: str, texts: StatusText, voice: Locale) -> str:
    """Return ``Major outage: Payments fail``: the state, and what people say of it."""
    return voice.say("verdict.of", state=status_label(state, texts, voice), whom=title)


def status_label(state: ComponentStatus, texts: StatusText, voice: Locale) -> str:
    """Return the state of the whole as the owner of the page wants it called, or as we do."""
    own = {
        ComponentStatus.OPERATIONAL: texts.healthy,
        ComponentStatus.DEGRADED: texts.degraded,
        ComponentStatus.PARTIAL: texts.down,
        ComponentStatus.MAJOR: texts.down,
        ComponentStatus.UNKNOWN: texts.unknown,
    }
    return clean_line(own.get(state, ""), _WORD_LIMIT) or voice.say(f"verdict.{state}")


def _concerned(state: ComponentStatus, components: Sequence[ComponentView], voice: Locale) -> str:
    bad = ComponentStatus.MAJOR if state is ComponentStatus.PARTIAL else state
    affected = [component for component in components if component.state is bad]
    if len(affected) == 1:
        name = clean_line(affected[0].name, _NAME_LIMIT)
        return voice.say(f"concerned.one.{_complaint(affected[0], voice)}", name=name)
    if len(affected) == len(components):
        return voice.say(f"concerned.all.{bad}", n=len(components))
    return voice.say(f"concerned.some.{bad}", bad=len(affected), n=len(components))


def _complaint(component: ComponentView, voice: Locale) -> str:
    if component.state is ComponentStatus.UNKNOWN and component.checked_at is None:
        return "never"
    if component.state is ComponentStatus.DEGRADED and component.note == voice.say(SLOW):
        return "slow"
    return component.state
