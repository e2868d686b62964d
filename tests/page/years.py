"""The invented year of the demo, seen twice a day until the last day: enough for these pages."""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from checkup.checkers.http import HttpChecker
from checkup.config.page import PageSettings
from checkup.config.settings import Config, evaluation_rules
from checkup.deadline import Deadline
from checkup.history.store import HistoryStore
from checkup.incidents.store import change_incidents
from checkup.interfaces import PageFile
from checkup.model import Run, encode_results, run_key
from checkup.storage.memory import MemoryStorage
from checkup.text import component_key
from checkup_page.build import build_page
from checkup_page.build_view import page_key
from examples.demo.announced import announced
from examples.demo.story import DAY, HOUR, MINUTE, SERVICES, Year

CONFIG = Config(
    checkers=tuple(
        HttpChecker(
            id=it.id,
            endpoint_name=it.title,
            endpoint_url="http://x/",
            group=it.group,
            description=it.description,
        )
        for it in SERVICES
    ),
    interval=15 * MINUTE,
    page=PageSettings(title="Coffee", url="https://status.example/", languages=("en", "ko")),
)


@cache
def year(end: int) -> MemoryStorage:
    """A storage at the end of the year, up to a full hour."""
    storage, it = MemoryStorage(), Year(end=end)
    for slot, results in dict([*it.runs(12 * HOUR), *it.runs(15 * MINUTE, DAY)]).items():
        run = Run(slot=slot, results=results)
        storage.create(run_key(run), encode_results(run.results))
    last = max(storage.list("runs/"))
    keeper = HistoryStore(storage=storage, rules=evaluation_rules(CONFIG), end=last, lag=0)
    keeper.catch_up(Deadline.after(600))
    return storage


@cache
def pages(end: int) -> dict[str, PageFile]:
    """The whole page, a little later."""
    return build_page(CONFIG, year(end), end + 2 * MINUTE)


@cache
def told(end: int, *languages: str) -> dict[str, PageFile]:
    """The whole page with what people wrote; in other languages if some are given."""
    storage = MemoryStorage()
    for folder in ("history/", "runs/"):
        for key in year(end).list(folder):
            stored = year(end).get(key)
            if stored is not None:
                storage.create(key, stored.body)
    change_incidents(storage, lambda _: announced(end))
    page = replace(CONFIG.page, languages=languages or CONFIG.page.languages)
    return build_page(replace(CONFIG, page=page), storage, end + 2 * MINUTE)


def page_of(checker: str, end: int, folder: str = "") -> PageFile:
    return pages(end)[path_of(checker, folder)]


def path_of(checker: str, folder: str = "") -> str:
    return f"{folder}components/{component_key(page_key(CONFIG.page.url), checker)}.html"
