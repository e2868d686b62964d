"""What is shown, as values: nothing here renders anything."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from checkup.config.page import PageLink, PageSettings, StatusText
from checkup.config.settings import GroupSettings
from checkup.interfaces import Checker
from checkup.model import Result, Status
from checkup.times import DAY, SECOND
from checkup_page.build_view import PageData, build_view
from checkup_page.components.bars import run_bars
from checkup_page.components.build import ConfirmedStatus
from checkup_page.locale import Locale
from checkup_page.publishers.folder import FolderPublisherSettings
from checkup_page.publishers.github import GitHubPublisherSettings
from checkup_page.status import ComponentStatus
from checkup_page.view import ComponentView, PageView
from tests.page.worlds import MINUTE, NOW, checker, config, result, runs

HEALTHY, DEGRADED, DOWN, UNKNOWN = Status.HEALTHY, Status.DEGRADED, Status.DOWN, Status.UNKNOWN
API, SHOP, MAIL = checker("API"), checker("Shop"), checker("Mail")


def view_of(*statuses: Status, checkers: Sequence[Checker] = (API, SHOP, MAIL)) -> PageView:
    """The page after five runs that all saw the same."""
    group = [result(of, status) for of, status in zip(checkers, statuses, strict=True)]
    return build_view(config(checkers), PageData(runs=runs([group] * 5)), NOW)


def after(*results: Sequence[Result], age: int = 12 * SECOND, every: int = MINUTE) -> PageView:
    observed = PageData(runs=runs(results, newest=NOW - age, every=every))
    return build_view(config([API]), observed, NOW)


def components(view: PageView) -> tuple[ComponentView, ...]:
    return tuple(component for group in view.groups for component in group.components)


def only(view: PageView) -> ComponentView:
    (component,) = components(view)
    return component


@pytest.mark.row("F02")
@pytest.mark.parametrize(
    ("statuses", "state", "sentence"),
    [
        ((HEALTHY, HEALTHY, HEALTHY), ComponentStatus.OPERATIONAL, "All systems operational"),
        ((HEALTHY, DEGRADED, HEALTHY), ComponentStatus.DEGRADED, "Degraded: Shop is degraded"),
        (
            (DEGRADED, DEGRADED, HEALTHY),
            ComponentStatus.DEGRADED,
            "Degraded: 2 of 3 services degraded",
        ),
        ((HEALTHY, DOWN, HEALTHY), ComponentStatus.PARTIAL, "Partial outage: Shop is down"),
        ((DOWN, DOWN, DEGRADED), ComponentStatus.PARTIAL, "Partial outage: 2 of 3 services down"),
        ((DOWN, DOWN, DOWN), ComponentStatus.MAJOR, "Major outage: all 3 services down"),
        ((DOWN, UNKNOWN, HEALTHY), ComponentStatus.PARTIAL, "Partial outage: API is down"),
        (
            (HEALTHY, UNKNOWN, HEALTHY),
            ComponentStatus.UNKNOWN,
            "Status unknown: Shop could not be checked",
        ),
        (
            (UNKNOWN, UNKNOWN, HEALTHY),
            ComponentStatus.UNKNOWN,
            "Status unknown: 2 of 3 services could not be checked",
        ),
    ],
)
def test_the_overall_status_names_what_is_affected(
    statuses: tuple[Status, ...], state: ComponentStatus, sentence: str
) -> None:
    verdict = view_of(*statuses).overall
    assert (verdict.state, verdict.description, verdict.stale) == (state, sentence, False)


def test_one_of_one_down_is_a_major_outage() -> None:
    verdict = view_of(DOWN, checkers=[API]).overall
    assert (verdict.state, verdict.description) == (
        ComponentStatus.MAJOR,
        "Major outage: API is down",
    )


def test_a_result_above_its_threshold_is_slow() -> None:
    slow = replace(result(API, DEGRADED), threshold=50)
    assert after([slow]).overall.description == "Degraded: API is slow"


@pytest.mark.row("F03")
def test_both_flags_set_is_the_worse_of_them() -> None:
    both = replace(result(API, DOWN), degraded=True)
    assert after([both]).overall.state is ComponentStatus.MAJOR


@pytest.mark.row("128", "F04")
def test_before_the_first_run_nothing_is_called_operational() -> None:
    view = build_view(config([API]), PageData(), NOW)
    assert view.overall.description == "Collecting first results"
    assert view.overall.state is ComponentStatus.UNKNOWN
    assert (only(view).status, only(view).note) == (ComponentStatus.UNKNOWN, "No results yet")


@pytest.mark.row("128", "F04")
def test_a_page_without_checkers_is_not_operational() -> None:
    assert build_view(config(), PageData(), NOW).overall.state is ComponentStatus.UNKNOWN


def test_a_checker_without_a_result_keeps_the_page_from_being_operational() -> None:
    view = build_view(config([API, SHOP]), PageData(runs=runs([[result(API)]])), NOW)
    assert view.overall.description == "Status unknown: Shop has not been checked yet"


class TestAge:
    @pytest.mark.row("129", "F04")
    def test_old_results_say_nothing_about_now(self) -> None:
        view = after([result(API)], [result(API)], age=5 * MINUTE)
        assert view.overall.stale
        assert view.overall.description == "Status unknown"
        assert (only(view).status, only(view).since) == (ComponentStatus.UNKNOWN, None)
        assert only(view).note == "Operational when last checked"

    def test_three_missed_runs_and_a_minute_are_forgiven(self) -> None:
        assert after([result(API)], [result(API)], age=4 * MINUTE).overall.stale is False

    def test_the_interval_is_measured(self) -> None:
        view = after(*[[result(API)]] * 4, age=20 * MINUTE, every=10 * MINUTE)
        assert (view.overall.interval, view.overall.stale) == (10 * MINUTE, False)

    def test_one_long_gap_does_not_change_the_interval(self) -> None:
        before = runs([[result(API)]] * 5, newest=NOW - 60 * MINUTE)
        view = build_view(config([API]), PageData(runs=before + runs([[result(API)]] * 5)), NOW)
        assert view.overall.interval == MINUTE

    def test_two_runs_a_year_apart_promise_no_third(self) -> None:
        view = after([result(API)], [result(API)], age=30 * DAY, every=365 * DAY)
        assert view.overall.stale

    def test_with_one_run_the_interval_is_not_known(self) -> None:
        view = after([result(API)])
        assert (view.overall.interval, view.overall.stale) == (None, False)

    def test_one_old_run_is_stale_after_the_configured_interval(self) -> None:
        slow = replace(config([API]), interval=60 * MINUTE)
        old = PageData(runs=runs([[result(API)]], newest=NOW - 30 * MINUTE))
        assert build_view(slow, old, NOW).overall.stale is False
        assert build_view(config([API]), old, NOW).overall.stale is True

    def test_regions_of_one_slot_do_not_count_as_an_interval(self) -> None:
        slots = [
            replace(run, slot=run.slot + k) for run in runs([[result(API)]] * 3) for k in (0, 1)
        ]
        view = build_view(config([API]), PageData(runs=tuple(slots)), NOW)
        assert view.overall.interval in {MINUTE, MINUTE - 1}

    def test_the_script_is_shown_when_to_stop_believing(self) -> None:
        verdict = after([result(API)], [result(API)]).overall
        assert verdict.checked_at == NOW - 12 * SECOND
        assert verdict.stale_at == verdict.checked_at + 3 * MINUTE + MINUTE + 5 * MINUTE

    def test_a_checker_with_its_own_interval_is_given_its_time(self) -> None:
        rare = checker("API", interval=30 * MINUTE)
        seen = runs([[result(rare)], *[[result(SHOP)]] * 20])
        view = build_view(config([rare, SHOP]), PageData(runs=seen), NOW)
        assert view.overall.state is ComponentStatus.OPERATIONAL
        assert components(view)[0].run_bars == run_bars(
            [(seen[0].slot, ComponentStatus.OPERATIONAL)], Locale()
        )

    def test_a_checker_that_is_missing_from_the_last_runs_is_unknown(self) -> None:
        seen = runs([[result(API), result(SHOP)], *[[result(SHOP)]] * 20])
        view = build_view(config([API, SHOP]), PageData(runs=seen), NOW)
        assert [component.status for component in components(view)] == [
            ComponentStatus.UNKNOWN,
            ComponentStatus.OPERATIONAL,
        ]


class TestStanding:
    """The state between runs knows the thresholds; the runs do not."""

    def test_the_confirmed_status_counts(self) -> None:
        blip = runs([[result(API)]] * 4 + [[result(API, DEGRADED)]])
        standing = {"api": ConfirmedStatus(HEALTHY, NOW - 9 * MINUTE)}
        view = build_view(config([API]), PageData(runs=blip, confirmed=standing), NOW)
        assert (only(view).status, only(view).since) == (
            ComponentStatus.OPERATIONAL,
            NOW - 9 * MINUTE,
        )

    def test_without_it_the_last_result_counts(self) -> None:
        assert (
            only(after([result(API)], [result(API, DEGRADED)])).status is ComponentStatus.DEGRADED
        )

    def test_without_it_the_beginning_is_known_if_it_is_in_sight(self) -> None:
        view = after([result(API)], [result(API, DOWN)], [result(API, DOWN)])
        assert only(view).since == NOW - 12 * SECOND - MINUTE
        assert only(after(*[[result(API, DOWN)]] * 3)).since is None

    def test_a_missing_result_is_no_beginning(self) -> None:
        down, missing = [result(API, DOWN)], [result(SHOP)]
        assert only(after(down, missing, down)).since is None
        view = after([result(API)], missing, down, missing, down)
        assert only(view).since == NOW - 12 * SECOND - 2 * MINUTE

    def test_what_is_not_monitored_is_unknown(self) -> None:
        seen = PageData(
            runs=runs([[result(API, UNKNOWN)]] * 5), confirmed={"api": ConfirmedStatus(UNKNOWN, 0)}
        )
        component = only(build_view(config([API]), seen, NOW))
        assert (component.status, component.note) == (
            ComponentStatus.UNKNOWN,
            "Could not be checked",
        )


class TestReason:
    def test_a_failure_has_a_short_public_reason(self) -> None:
        assert only(after([result(API, DOWN)])).note == "Connection failure"

    @pytest.mark.parametrize("failure", ["", "body <script>", "10_0_0_1", "hunter2"])
    def test_a_class_that_is_not_known_is_not_shown(self, failure: str) -> None:
        times = (replace(result(API, DOWN).attempts[0], failure=failure),)
        note = only(after([replace(result(API, DOWN), attempts=times)])).note
        assert note == ""


class TestNames:
    def test_the_public_name_replaces_the_title(self) -> None:
        renamed = checker("db-3.internal", public_name="Database")
        view = build_view(config([renamed]), PageData(runs=runs([[result(renamed)]])), NOW)
        assert only(view).name == "Database"

    def test_a_checker_without_a_name_has_a_number(self) -> None:
        nameless = checker("", id="x", endpoint_url="http://x/")
        view = build_view(config([API, nameless]), PageData(), NOW)
        assert components(view)[1].name == "Check 2"

    @pytest.mark.row("139", "F06")
    def test_checkers_with_one_name_stay_two(self) -> None:
        twins = [checker("API", id="a"), checker("API", id="b")]
        view = build_view(config(twins), PageData(runs=runs([[result(of) for of in twins]])), NOW)
        assert len({component.key for component in components(view)}) == 2

    def test_keys_depend_on_nothing_but_the_id(self) -> None:
        renamed = checker("Another", id="api", endpoint_url="http://elsewhere/", group="New")
        keys = [only(build_view(config([of]), PageData(), NOW)).key for of in (API, renamed)]
        assert keys[0] == keys[1]

    @pytest.mark.row("163", "F17")
    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "//evil", "x"])
    def test_only_http_addresses_are_links(self, link: str) -> None:
        assert only(build_view(config([checker("A", link=link)]), PageData(), NOW)).link == ""

    def test_the_picture_of_somebody_else_is_not_shown(self) -> None:
        for logo, shown in (("https://cdn.example/l.png", ""), ("logo.svg", "logo.svg")):
            assert build_view(config([], PageSettings(logo=logo)), PageData(), NOW).logo == shown

    @pytest.mark.row("163", "F17")
    def test_links_of_the_page_are_followable(self) -> None:
        links = (PageLink(title="Shop", url="https://s/x"), PageLink(title="X", url="javascript:x"))
        view = build_view(config([], PageSettings(links=links)), PageData(), NOW)
        assert [link.text for link in view.links] == ["Shop"]


class TestGroups:
    def grouped(self, *settings: GroupSettings, status: Status = HEALTHY) -> PageView:
        checkers = [checker("A", group="One"), checker("B", group="Two"), checker("C")]
        seen = runs([[result(of, status) for of in checkers]])
        return build_view(replace(config(checkers), groups=settings), PageData(runs=seen), NOW)

    def test_what_has_no_group_comes_first(self) -> None:
        assert [group.name for group in self.grouped().groups] == ["", "One", "Two"]

    def test_the_configured_order_holds(self) -> None:
        view = self.grouped(GroupSettings(name="Two"), GroupSettings(name="Unused"))
        assert [group.name for group in view.groups] == ["", "Two", "One"]

    def test_a_collapsed_group_opens_when_something_is_not_operational(self) -> None:
        settings = GroupSettings(name="One", collapsed=True)
        assert [
            group.expanded for group in self.grouped(settings).groups if group.name == "One"
        ] == [False]
        in_trouble = self.grouped(settings, status=DOWN)
        assert all(group.expanded for group in in_trouble.groups)

    def test_a_group_of_which_part_is_down_is_a_partial_outage(self) -> None:
        checkers = [checker("A", group="One"), checker("B", group="One")]
        seen = runs([[result(checkers[0], DOWN), result(checkers[1])]])
        (group,) = build_view(config(checkers), PageData(runs=seen), NOW).groups
        assert (group.state, group.operational) == (ComponentStatus.PARTIAL, 1)


class TestMessages:
    @pytest.mark.row("F07")
    def test_messages_are_newest_first(self) -> None:
        view = after([result(API, message="first")], [result(API)], [result(API, message="last")])
        assert ["".join(part.text for part in message.parts) for message in view.messages] == [
            "last",
            "first",
        ]

    @pytest.mark.parametrize("regions", [(), ("eu-west-1", "us-east-1")])
    def test_a_run_by_hand_has_its_message_and_no_vote(self, regions: tuple[str, ...]) -> None:
        place = regions[-1] if regions else ""
        old = runs([[result(API, region=place)]], newest=NOW - 60 * MINUTE)
        by_hand = [result(API, Status.DOWN, message="Sorry!", region="by-hand")]
        seen = (*old, *runs([by_hand], newest=NOW - MINUTE))
        view = build_view(replace(config([API]), regions=regions), PageData(runs=seen), NOW)
        assert [message.parts[0].text for message in view.messages] == ["Sorry!"]
        assert (view.info.runs, view.overall.checked_at) == (1, NOW - 60 * MINUTE)
        assert view.groups[0].components[0].status is ComponentStatus.UNKNOWN

    @pytest.mark.row("F17")
    def test_addresses_in_a_message_are_links(self) -> None:
        text = "See https://acme.example/news?a=1&b=2. Or javascript:alert(1), (http://x.example/)"
        (message,) = after([result(API, message=text)]).messages
        assert "".join(part.text for part in message.parts) == text
        assert [part.link for part in message.parts if part.link] == [
            "https://acme.example/news?a=1&b=2",
            "http://x.example/",
        ]

    def test_a_message_of_a_hidden_checker_is_hidden(self) -> None:
        hidden = checker("Secret", hidden=True)
        seen = runs([[result(API), result(hidden, message="psst")]])
        assert build_view(config([API, hidden]), PageData(runs=seen), NOW).messages == ()


class TestSettings:
    @pytest.mark.row("F01")
    @pytest.mark.parametrize(
        ("status", "sentence"),
        [
            (HEALTHY, "Situation Normal"),
            (DEGRADED, "Sub-Optimal: API is degraded"),
            (DOWN, "Outage: API is down"),
            (UNKNOWN, "No idea: API could not be checked"),
        ],
    )
    def test_the_owner_chooses_the_texts(self, status: Status, sentence: str) -> None:
        texts = StatusText(
            healthy="Situation Normal", degraded="Sub-Optimal", down="Outage", unknown="No idea"
        )
        page = PageSettings(status_text=texts)
        seen = PageData(runs=runs([[result(API, status)]]))
        assert build_view(config([API], page), seen, NOW).overall.description == sentence

    def test_the_refresh_interval_is_kept(self) -> None:
        assert (
            build_view(config([], PageSettings(refresh_interval=17)), PageData(), NOW).refresh == 17
        )


@pytest.mark.row("129")
def test_a_page_is_believed_for_as_long_as_its_place_takes_to_show_the_next() -> None:
    seen = runs([[result(checker("API"))]] * 3)
    here, there = (
        build_view(replace(config([checker("API")]), publish=place), PageData(runs=seen), NOW)
        for place in ((), (FolderPublisherSettings(dir="x"), GitHubPublisherSettings()))
    )
    assert there.overall.stale_at is not None
    assert here.overall.stale_at is not None
    assert there.overall.stale_at - here.overall.stale_at == 15 * MINUTE
