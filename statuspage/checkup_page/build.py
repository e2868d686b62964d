"""From a storage to the files of the page: load, build the views, render."""

from __future__ import annotations

from msgspec import field

from checkup.config.settings import Config
from checkup.interfaces import PageFile, Storage
from checkup.times import hour_start
from checkup_page.build_view import build_view
from checkup_page.components.page import ComponentPages
from checkup_page.formats import MachineFiles
from checkup_page.incidents.pages import IncidentPages
from checkup_page.load import HeadDocuments, LoadCache, load_page_data
from checkup_page.render import render_site


class PageCache(LoadCache, kw_only=True):
    """What a process keeps from one edition to the next instead of reading or rendering it again.

    Attributes:
        component_pages: rendered.
        incident_pages: the pages of incidents, maintenance and months.
        formats: the machine-readable files.
    """

    component_pages: ComponentPages = field(default_factory=ComponentPages)
    incident_pages: IncidentPages = field(default_factory=IncidentPages)
    formats: MachineFiles = field(default_factory=MachineFiles)


def build_page(
    config: Config,
    storage: Storage,
    now_ns: int,
    *,
    cache: PageCache | None = None,
    heads: HeadDocuments | None = None,
) -> dict[str, PageFile]:
    """Return the files of the page by path, and add new runs to the history.

    Args:
        config: the checkers and the page's settings.
        storage: where runs, state and history are.
        now_ns: the time, in nanoseconds since the epoch.
        cache: of earlier calls.
        heads: if the caller has loaded them already.

    Raises:
        StorageError: the runs could not be read.
    """
    cache = cache or PageCache()
    data = load_page_data(config, storage, heads or HeadDocuments.of(storage), now_ns, cache)
    languages = dict.fromkeys(config.page.languages)
    views = [build_view(config, data, now_ns, code) for code in languages]
    until = cache.history.component_histories[0] or hour_start(now_ns)
    return {
        **cache.incident_pages.files(config, views, data.archived),
        **cache.component_pages.files(views, until),
        **render_site(*views, formats=cache.formats),
    }
