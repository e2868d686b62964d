"""Publishing to a branch of GitHub: one commit for each edition, races, and what is sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from checkup.errors import NewerPageError, PublishError, UnavailableError
from checkup.interfaces import PageFile, PageVersion, Publisher
from checkup.times import SECOND
from checkup_page.publishers.github import GitHubPublisherSettings
from tests.page.pages import edition, file, page
from tests.page.worlds import MINUTE, NOW
from tests.servers.github import NAME, OWNER, TOKEN, FakeGitHub, Fault, fake_github
from tests.storage.places import FakeClients

BRANCH = "gh-pages"


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with fake_github() as server:
        yield server


def place(server: FakeGitHub, **more: str) -> Publisher:
    about = {"repository_owner": OWNER, "repository_name": NAME, "access_token": TOKEN}
    settings = GitHubPublisherSettings(**{"api_url": server.url, **about, **more})
    return settings.open(FakeClients(secrets={TOKEN: TOKEN}))


def bodies(files: Mapping[str, PageFile]) -> dict[str, bytes]:
    return {path: it.body for path, it in files.items()}


def published(server: FakeGitHub, branch: str = BRANCH) -> dict[str, bytes]:
    files = server.git.files(branch)
    return {
        path: body
        for path, body in files.items()
        if path not in {".nojekyll", ".checkup", "manifest.json"}
    }


def commits(server: FakeGitHub) -> int:
    return len(server.git.messages(BRANCH))


def test_the_branch_is_made_and_holds_the_page_alone(github: FakeGitHub) -> None:
    place(github).publish(page(), edition())
    assert published(github) == bodies(page())
    assert github.git.files(BRANCH)[".nojekyll"] == b""
    assert list(github.main) == ["README.md"]


def test_the_branch_is_made_in_a_repository_without_a_commit() -> None:
    with fake_github(empty=True) as github:
        place(github).publish(page(), edition())
        assert published(github) == bodies(page())


def test_an_edition_is_one_commit_on_top_of_the_last(github: FakeGitHub) -> None:
    publisher = place(github)
    publisher.publish(page(), edition())
    before = github.git.refs[BRANCH]
    publisher.publish(page(status="[]", api=None), edition())
    last = github.git.commits[github.git.refs[BRANCH]]
    assert list(last.parents) == [before]
    assert last.message.startswith("[checkup] publish the status page\n")


def test_a_page_that_is_the_same_is_no_commit(github: FakeGitHub) -> None:
    publisher = place(github)
    publisher.publish(page(), edition())
    count = commits(github)
    assert list(publisher.publish(page(), edition())) == []
    assert commits(github) == count


def test_only_what_changed_is_sent(github: FakeGitHub) -> None:
    publisher = place(github)
    publisher.publish(page(), edition())
    github.sent.clear()
    publisher.publish(page(index="two", status="[]"), edition())
    (tree,) = [document["tree"] for document in github.sent if "base_tree" in document]
    assert sorted(entry["path"] for entry in tree) == [
        *("api/v2/status.json", "index.html", "manifest.json")
    ]


def test_files_of_others_stay(github: FakeGitHub) -> None:
    github.git.put(BRANCH, {"CNAME": b"status.acme.example", "old.html": b"by hand"})
    publisher = place(github)
    for api in ("here", None):
        publisher.publish(page(api=api), edition())
    theirs = {"CNAME": b"status.acme.example", "old.html": b"by hand"}
    assert published(github) == {**bodies(page(api=None)), **theirs}


def test_the_page_can_lie_in_a_folder_of_a_branch(github: FakeGitHub) -> None:
    place(github, branch="main", dir="docs").publish(page(), edition())
    assert published(github, "main") == {
        "README.md": b"# Kit\n",
        **{f"docs/{path}": body for path, body in bodies(page()).items()},
        "docs/.nojekyll": b"",
        "docs/.checkup": b"",
        "docs/manifest.json": github.main["docs/manifest.json"],
    }


def test_an_index_without_news_is_committed_every_ten_minutes(github: FakeGitHub) -> None:
    publisher = place(github)
    start = NOW // (600 * SECOND) * 600 * SECOND
    seen = []
    for minute in range(25):
        files = {**page(), "index.html": file(f"minute {minute}", min_interval=300)}
        if publisher.publish(files, PageVersion(position=1, made=start + minute * MINUTE)):
            seen.append(minute)
    assert seen == [0, 10, 20]


@pytest.mark.row("130")
def test_publishers_at_once_leave_the_newest_page(github: FakeGitHub) -> None:
    editions = [edition() for _ in range(5)]
    order = [2, 4, 0, 3, 1]
    start = threading.Barrier(len(order))

    def work(number: int) -> str:
        publisher = place(github)
        start.wait()
        try:
            publisher.publish(page(index=f"{number}", status=f"{number}"), editions[number])
        except NewerPageError:
            return "overtaken"
        return "published"

    with ThreadPoolExecutor(len(order)) as pool:
        outcomes = dict(zip(order, pool.map(work, order), strict=True))

    assert published(github) == bodies(page(index="4", status="4"))
    assert outcomes[4] == "published"


@pytest.mark.row("131")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(path="^PATCH "), id="lost"),
        pytest.param(Fault(path="^PATCH ", forward=True), id="answer-lost"),
        pytest.param(Fault(path="^PATCH ", forward=True, status=502), id="error-after"),
        pytest.param(Fault(path="^POST .*/trees", status=500), id="tree-failed"),
        pytest.param(Fault(path="^POST .*/commits", status=503), id="commit-failed"),
    ],
)
def test_a_request_that_fails_leaves_the_page_whole(github: FakeGitHub, fault: Fault) -> None:
    publisher = place(github)
    publisher.publish(page(), edition())
    github.faults.append(fault)
    publisher.publish(page(index="two", api=None), edition())
    assert published(github) == bodies(page(index="two", api=None))


@pytest.mark.row("131")
def test_who_dies_before_the_branch_is_moved_has_changed_nothing(github: FakeGitHub) -> None:
    publisher = place(github)
    publisher.publish(page(), edition())
    github.protected = True
    with pytest.raises(PublishError, match="GitHub rejected the change; is the branch protected"):
        publisher.publish(page(index="two", status="[]"), edition())
    assert published(github) == bodies(page())
    github.protected = False
    publisher.publish(page(index="two"), edition())
    assert published(github) == bodies(page(index="two"))


def test_a_token_that_is_not_valid_is_an_error_and_not_shown(github: FakeGitHub) -> None:
    settings = GitHubPublisherSettings(
        api_url=github.url, repository_owner=OWNER, repository_name=NAME, access_token="env:T"
    )
    publisher = settings.open(FakeClients(secrets={"env:T": "ghp_wrong"}))
    with pytest.raises(PublishError, match="the access_token is invalid") as caught:
        publisher.publish(page(), edition())
    assert f"github.com/{OWNER}/{NAME}/" in str(caught.value)
    assert "ghp_wrong" not in str(caught.value)


def test_what_is_not_configured_is_named() -> None:
    with pytest.raises(UnavailableError, match="specify repository_name in publish config"):
        GitHubPublisherSettings(access_token="x", repository_owner="o").open(FakeClients())
