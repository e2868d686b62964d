"""What there is to tell at the moment, for those who write about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from checkup.archive import HistoryStore, MonthCache, setting_of, settled_key
from checkup.config.page import IncidentSettings
from checkup.config.settings import Config
from checkup.deadline import Deadline
from checkup.errors import StorageError
from checkup.history.periods import DAY, format_month, month_start, next_month_start
from checkup.incidents import model
from checkup.incidents.model import IncidentDocument, IncidentUpdate
from checkup.ports import Storage
from checkup.protocol import read_state
from checkup.protocol.announcing import load_archive, load_incidents
from checkup_page.announcements.announcement import AffectedComponent, IncidentView, MaintenanceView
from checkup_page.announcements.bulletin import IncidentData, IncidentViews, build_incidents
from checkup_page.announcements.gather import RECENT_PERIOD, DisruptionCache, IncidentLoader
from checkup_page.announcements.public import PublicComponents
from checkup_page.announcements.written import incident_view as written_down
from checkup_page.components.component import display_name
from checkup_page.components.tracks import results_by_checker
from checkup_page.speech.language import load_translations
from checkup_page.speech.voice import Locale

FOLD_SECONDS = 30.0
"""How long to wait for the history to catch up with the runs."""

_EVERYTHING = IncidentSettings(automatic=True, after=0, minimum=0)


class EditableIncidents(Struct, frozen=True, kw_only=True):
    """Everything that is announced or could be, in which components go by their checkers' ids.

    Attributes:
        incidents: by id, the one that began last first; outages too that the page does not tell of.
        maintenances: by id, in the order of their beginnings.
        shown: the ids of the incidents that the page tells of.
        written: what people said of these, and of others, as it is stored.
    """

    incidents: dict[str, IncidentView]
    maintenances: dict[str, MaintenanceView]
    shown: frozenset[str]
    written: IncidentDocument

    @property
    def unwritten(self) -> frozenset[str]:
        """The ids of outages that nobody wrote about."""
        return frozenset(self.incidents.keys() - self.written.incidents.keys())

    def to_write(self, incident: str) -> model.Incident:
        """Return an incident, given by its id, as it is kept once somebody has written about it."""
        return self.written.incidents.get(incident) or to_stored(self.incidents[incident])


def load_editable(
    config: Config, storage: Storage, now: int, month: int | None = None
) -> EditableIncidents:
    """Read what there is to tell of the last months, and what people still write about.

    Args:
        config: the checkers and the page's settings.
        storage: where it is.
        now: the present.
        month: the beginning of a month, for what began in it and nothing else. However long ago
            that is, it takes no more to read.

    Raises:
        StorageError: the storage could not be read.
    """
    bulletin = _bulletin(config, storage, now, month)
    public = _public(config)
    voice = Locale(language=load_translations(config.page.languages[0]), zone=config.page.timezone)
    open_handed = replace(config, page=replace(config.page, incidents=_EVERYTHING))
    every = build_incidents(bulletin, open_handed, public, voice, now)
    shown = build_incidents(bulletin, config, public, voice, now)
    written = bulletin.announced
    incidents = {it.key: it for it in _with_written(_incidents(every), written, public)}
    plans = (*every.finished, *every.maintenances)
    return EditableIncidents(
        incidents={k: it for k, it in incidents.items() if _is_of(month, it.started_at)},
        maintenances={it.key: it for it in plans if _is_of(month, it.scheduled_for)},
        shown=frozenset(it.key for it in _incidents(shown)),
        written=written,
    )


def to_stored(incident: IncidentView) -> model.Incident:
    """Return an incident of the desk as it is kept once somebody has written about it."""
    story = reversed(incident.updates)
    return model.Incident(
        id=incident.key,
        title=incident.title,
        impact=incident.impact,
        started=incident.started_at,
        checkers=tuple(affected.key for affected in incident.affected),
        said=tuple(
            IncidentUpdate(id=it.key, at=it.at, status=it.status, text=it.body) for it in story
        ),
    )


def take_over_automatic(desk: EditableIncidents, incident: model.Incident) -> model.Incident:
    """Return an incident that is about to be opened, as what is told of outages that last.

    That is of all its components. It keeps the address and the beginning of the first of them.
    """
    lasting = [it for it in desk.incidents.values() if it.key in desk.unwritten]
    explained = [
        to_stored(it)
        for it in lasting
        if it.resolved_at is None and {part.key for part in it.affected} <= {*incident.checkers}
    ]
    if not explained:
        return incident
    first = min(explained, key=lambda it: it.started)
    return replace(
        incident,
        id=first.id,
        started=min(first.started, incident.started),
        said=(*first.said, *incident.said),
        replaces=tuple(it.id for it in explained if it is not first),
    )


def _bulletin(config: Config, storage: Storage, now: int, month: int | None) -> IncidentData:
    head = load_incidents(storage)
    recent = month_start(now - RECENT_PERIOD)
    old = month if month is not None and month < recent else None
    first, last = (recent, now) if old is None else (old, old)
    # What began in the month before may have gone on in the first of these.
    archive = load_archive(storage, head, now, wanted=range(month_start(first - DAY), last + 1))
    if not archive.listed or archive.unread:
        raise StorageError("what people said of these months cannot be read")
    keeper = HistoryStore(
        storage=storage,
        setting=setting_of(config, head),
        end=settled_key(read_state(storage).cursor, now),
    )
    gatherer = IncidentLoader(
        storage=storage,
        archive=archive,
        head=keeper.keep_up(Deadline.after(FOLD_SECONDS)).head,
        months=MonthCache(),
        seen=DisruptionCache(),
        now=now,
    )
    if old is None:
        return gatherer.bulletin()
    bulletin = gatherer.old(old)
    if bulletin is None:
        raise StorageError(f"what began in {format_month(old)} cannot be read")
    return bulletin


def _incidents(told: IncidentViews) -> Iterator[IncidentView]:
    yield from told.incidents
    yield from (it for month in told.months for it in month.incidents)


def _with_written(
    listed: Iterable[IncidentView], written: IncidentDocument, public: PublicComponents
) -> list[IncidentView]:
    """Return the incidents, and those that began earlier but were written about of late."""
    found = {it.key: it for it in listed}
    others = (it for key, it in written.incidents.items() if key not in found)
    every = (*found.values(), *(written_down(it, public, {}) for it in others))
    return sorted(every, key=lambda it: it.started_at, reverse=True)


def _is_of(month: int | None, moment: int) -> bool:
    return month is None or month <= moment < next_month_start(month)


def _public(config: Config) -> PublicComponents:
    """Return the components by the ids of their checkers, which are no secret here."""
    voice = Locale()
    components: dict[str, AffectedComponent] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for number, track in enumerate(results_by_checker(config.checkers, ()), start=1):
        if track.checker:
            group = track.checker.group
            components[track.key] = AffectedComponent(
                key=track.key, name=display_name(track, number, voice)
            )
            groups[group] = (*groups.get(group, ()), track.key)
    return PublicComponents(components, groups)
