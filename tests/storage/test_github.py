"""A repository of GitHub: Go's layout and words, races, lost answers, limits, secrets."""

from __future__ import annotations

import subprocess
import time
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from checkup import pipeline
from checkup.deadline import Deadline
from checkup.errors import DocumentChangedError, DocumentExistsError, StorageError, UnavailableError
from checkup.interfaces import BulkDelete, Storage
from checkup.model import Attempt, Result, Run, encode_results, run_key
from checkup.storage.github import GitHubStorage
from checkup.times import SECOND
from tests import gofile
from tests.servers.github import NAME, OWNER, TOKEN, FakeGitHub, Fault, fake_github
from tests.storage.places import FakeClients, github_settings

RUN = "1501523631505010894-check.json"
KEY = f"runs/{RUN}"
LATER = "1501523631505010895-check.json"
HEAD = "state/head.json"
SECRETS = FakeClients(secrets={TOKEN: TOKEN})

MOVE = "^PATCH "
LOST = Fault(path=MOVE)
LOST_AFTER = Fault(path=MOVE, forward=True)
ERROR_AFTER = Fault(path=MOVE, forward=True, status=502)


def opened(github: FakeGitHub, **more: Any) -> GitHubStorage:
    return github_settings(github, **more).open(SECRETS)


@pytest.fixture
def storage(github: FakeGitHub) -> GitHubStorage:
    return opened(github)


def index_of(github: FakeGitHub, folder: str = "") -> dict[str, int]:
    return gofile.read_index(github.main[f"{folder}index.json"])


# Go's layout and words


@pytest.mark.row("C26")
@pytest.mark.parametrize(
    ("folder", "suffix", "path", "end"),
    [
        ("", "", RUN, " [ci skip]"),
        ("subdir/", "foo bar", f"subdir/{RUN}", " foo bar"),
        ("subdir", " ", f"subdir/{RUN}", ""),
        ("./a//b/", "", f"a/b/{RUN}", " [ci skip]"),
    ],
    ids=["root", "folder", "no-suffix", "deep"],
)
def test_a_run_and_the_index_are_one_commit_as_go_words_it(
    github: FakeGitHub, folder: str, suffix: str, path: str, end: str
) -> None:
    storage = opened(github, dir=folder, commit_message_suffix=suffix)
    commits = len(github.git.commits)
    before = time.time_ns()

    storage.create(KEY, encode_results([Result(title="Testing")]))

    assert len(github.git.commits) == commits + 1
    assert github.git.messages("main")[-1] == f"[checkup] store {path}{end}"
    assert github.main[path] == b'[{"title":"Testing"}]'
    (entry,) = index_of(github, path.removesuffix(RUN)).items()
    assert entry[0] == RUN
    assert before <= entry[1] <= time.time_ns()
    assert github.main["README.md"] == b"# Kit\n"


def test_commits_are_the_committer_s(github: FakeGitHub, storage: GitHubStorage) -> None:
    storage.create(KEY, b"[]")
    commit = github.git.commits[github.git.refs["main"]]
    assert commit.author.startswith("Mona Lisa <mona@example.com> ")
    assert commit.committer == commit.author


def test_without_a_committer_they_are_the_token_s_owner_s(github: FakeGitHub) -> None:
    opened(github, committer_name="", committer_email="").create(KEY, b"[]")
    commit = github.git.commits[github.git.refs["main"]]
    assert commit.committer.startswith(OWNER)


def test_runs_of_go_are_listed_and_read_and_its_index_goes_on(github: FakeGitHub) -> None:
    old = {f"checks/150152363150501089{n}-check.json": b'[{"title":"a"}]' for n in (1, 2)}
    entries = b'{"1501523631505010891-check.json":5,"1501523631505010892-check.json":6}'
    github.git.put("main", {**old, "checks/index.json": entries, "checks/notes.txt": b"x"})
    storage = opened(github, dir="checks")

    storage.create(KEY, b"[]")

    names = [f"150152363150501089{n}-check.json" for n in (1, 2, 4)]
    assert list(storage.list("runs/")) == [f"runs/{name}" for name in names]
    stored = storage.get(f"runs/{names[0]}")
    assert stored is not None
    assert stored.body == b'[{"title":"a"}]'
    index = index_of(github, "checks/")
    assert list(index) == names
    assert [index[name] for name in names[:2]] == [5, 6]


@pytest.mark.row("C27")
def test_expired_runs_leave_the_index(github: FakeGitHub) -> None:
    storage = opened(github, dir="subdir/")
    for name in (RUN, LATER):
        storage.create(f"runs/{name}", b"[]")
    storage.delete(KEY)
    assert list(index_of(github, "subdir/")) == [LATER]
    assert f"subdir/{RUN}" not in github.main
    assert github.git.messages("main")[-1] == f"[checkup] delete subdir/{RUN} [ci skip]"


def test_many_are_deleted_with_one_commit(github: FakeGitHub, storage: GitHubStorage) -> None:
    keys = [f"runs/{1501523631505010000 + n}-check.json" for n in range(5)]
    for key in keys:
        storage.create(key, b"[]")
    commits = len(github.git.commits)

    assert isinstance(storage, BulkDelete)
    storage.delete_all([*keys[:4], KEY])
    storage.delete_all([])
    storage.delete_all([KEY])

    assert len(github.git.commits) == commits + 1
    assert list(storage.list("runs/")) == keys[4:]
    assert list(index_of(github)) == [keys[4].removeprefix("runs/")]
    assert "and 3 more [ci skip]" in github.git.messages("main")[-1]


def test_what_expires_is_deleted_by_a_storing_run(github: FakeGitHub) -> None:
    storage = opened(github)
    old, young = (Run(slot=time.time_ns() - m * 60 * SECOND, results=()) for m in (61, 30))
    for run in (old, young):
        storage.create(run_key(run), b"[]")
    monitor = pipeline.RunContext(checkers=(), storage=storage, retention=3600 * SECOND)
    for _ in range(2):
        pipeline.store_run(monitor, Run(slot=time.time_ns(), results=()), Deadline.after(5))
    assert old.file_name not in github.main
    assert young.file_name in github.main


@pytest.mark.parametrize(
    "index", [b"", b"{", b"[]", b'{"a":1.5}'], ids=["empty", "cut", "list", "float"]
)
def test_a_broken_index_is_made_anew(github: FakeGitHub, index: bytes) -> None:
    github.git.put("main", {LATER: b"[]", "index.json": index, "b.json": b"x"})
    opened(github).create(KEY, b"[]")
    assert list(index_of(github)) == [RUN, LATER]


def test_git_itself_would_give_the_same_hashes(github: FakeGitHub, storage: GitHubStorage) -> None:
    """The fake keeps true objects, and a version is the hash of a file."""
    version = storage.create(HEAD, b"{}\n")
    told = subprocess.run(
        ["git", "hash-object", "--stdin"], input=b"{}\n", capture_output=True, check=True
    )
    assert version == told.stdout.decode().strip()
    assert version in github.git.blobs


# Races


def test_a_commit_of_somebody_else_in_between_costs_another_try(github: FakeGitHub) -> None:
    storage = opened(github, dir="checks")
    push = lambda: github.git.put("main", {"docs/a.md": b"new"})  # noqa: E731 - a short deed
    github.faults = [Fault(path="POST .*/git/commits", forward=True, status=500, then=push)]
    storage.create(KEY, b"[]")
    assert {"docs/a.md", f"checks/{RUN}"} <= set(github.main)


def test_the_branch_is_never_moved_by_force(github: FakeGitHub, storage: GitHubStorage) -> None:
    storage.create(KEY, b"[]")
    storage.create(HEAD, b"{}")
    moves = [sent for sent in github.sent if "force" in sent]
    assert len(moves) == 2
    assert not any(move["force"] for move in moves)


@pytest.mark.row("88")
def test_writers_of_the_same_bytes_make_different_commits(github: FakeGitHub) -> None:
    """Or both would have moved the branch, and both would think that they were the one."""
    one, other = opened(github), opened(github)
    version = one.create(HEAD, b"0")
    other.get(HEAD)
    tip = github.git.refs["main"]
    one.replace(HEAD, b"1", version)
    first = github.git.refs["main"]
    github.git.refs["main"] = tip
    other.replace(HEAD, b"1", version)
    assert github.git.refs["main"] != first


def test_a_branch_that_never_rests_is_an_error(
    github: FakeGitHub, storage: GitHubStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("checkup.storage.github_repository._COMMIT_PAUSES", (0.0, 0.0))
    busy = Fault(path=MOVE, status=422, body=b'{"message":"Update is not a fast forward"}')
    github.faults = [busy] * 3
    with pytest.raises(StorageError, match="too many concurrent commits to the branch"):
        storage.create(KEY, b"[]")


def test_a_protected_branch_is_told(github: FakeGitHub, storage: GitHubStorage) -> None:
    github.protected = True
    with pytest.raises(StorageError, match="is the branch protected"):
        storage.create(KEY, b"[]")
    assert RUN not in github.main


# Lost answers


@pytest.mark.parametrize(
    "faults",
    [[LOST], [LOST_AFTER], [ERROR_AFTER], [LOST_AFTER, LOST]],
    ids=["86-before", "86-after", "86-502", "86-twice"],
)
def test_a_write_whose_answer_was_lost_is_ours(github: FakeGitHub, faults: list[Fault]) -> None:
    storage = opened(github)
    github.faults = list(faults)
    version = storage.create(HEAD, b"1")
    github.faults = list(faults)
    version = storage.replace(HEAD, b"2", version)
    stored = storage.get(HEAD)
    assert stored is not None
    assert (stored.body, stored.version) == (b"2", version)


@pytest.mark.row("86")
def test_it_is_ours_even_if_somebody_has_gone_on_from_it(github: FakeGitHub) -> None:
    storage = opened(github)
    push = lambda: github.git.put("main", {"docs/a.md": b"new"})  # noqa: E731 - a short deed
    github.faults = [Fault(path=MOVE, forward=True, then=push)]
    storage.create(HEAD, b"1")
    assert github.main[HEAD] == b"1"


@pytest.mark.row("86")
def test_it_is_not_ours_if_somebody_was_there_before(github: FakeGitHub) -> None:
    storage = opened(github)
    push = lambda: github.git.put("main", {HEAD: b"theirs"})  # noqa: E731 - a short deed
    github.faults = [Fault(path=MOVE, then=push)]
    with pytest.raises(DocumentExistsError):
        storage.create(HEAD, b"ours")
    assert github.main[HEAD] == b"theirs"


@pytest.mark.row("86")
def test_a_lost_replace_that_lost_a_race_is_not_ours(github: FakeGitHub) -> None:
    storage = opened(github)
    version = storage.create(HEAD, b"1")
    push = lambda: github.git.put("main", {HEAD: b"theirs"})  # noqa: E731 - a short deed
    github.faults = [Fault(path=MOVE, then=push)]
    with pytest.raises(DocumentChangedError):
        storage.replace(HEAD, b"ours", version)


@pytest.mark.parametrize(
    "fault",
    [Fault(status=500), Fault(status=502), Fault(status=503), Fault()],
    ids=["84-500", "84-502", "84-503", "85-dropped"],
)
def test_a_failure_that_passes_is_not_seen(github: FakeGitHub, fault: Fault) -> None:
    storage = opened(github)
    github.faults = [fault]
    assert storage.get(HEAD) is None
    for path in ("POST .*trees", "POST .*commits", MOVE):
        github.faults.append(Fault(path=path, status=fault.status))
    storage.create(HEAD, b"{}")
    github.faults = [fault]
    assert list(storage.list("state/")) == [HEAD]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(status=500), "GitHub answered 500"),
        (Fault(), "cannot reach GitHub: request sent, but connection closed"),
        (Fault(status=401), "the access_token is invalid"),
        (Fault(status=403), "permission to read and write the contents"),
        (Fault(status=404), "branch main not found, or the access_token has no access"),
        (Fault(status=301, headers={"Location": "/repositories/1"}), "the repository has moved"),
        (Fault(status=307, headers={"Location": "/repositories/1"}), "the repository has moved"),
        (Fault(status=200, body=b"<html>", forward=False), "not from GitHub's API; check api_url"),
    ],
    ids=["84-500", "85", "91-401", "91-403", "91-404", "301", "307", "other-server"],
)
def test_a_failure_that_stays_is_an_error_without_secrets(
    github: FakeGitHub, fault: Fault, sentence: str
) -> None:
    storage = opened(github)
    for act in (lambda: storage.get(HEAD), lambda: storage.create(HEAD, b"{}")):
        github.faults = [fault] * 3
        with pytest.raises(StorageError, match=sentence) as caught:
            act()
        assert f"github.com/{OWNER}/{NAME}/{HEAD}" in str(caught.value)
        assert_hidden(caught.value)


def assert_hidden(error: BaseException | None) -> None:
    while error is not None:
        assert TOKEN not in repr(error) + str(error)
        error = error.__cause__ or error.__context__


def test_a_wrong_token_is_told(github: FakeGitHub) -> None:
    wrong = github_settings(github, access_token="env:GITHUB_TOKEN")
    storage = wrong.open(FakeClients(secrets={"env:GITHUB_TOKEN": "ghp_other"}))
    with pytest.raises(StorageError, match="the access_token is invalid") as caught:
        storage.get(HEAD)
    assert "ghp_other" not in str(caught.value)


def test_a_branch_that_is_not_there_is_told(github: FakeGitHub) -> None:
    with pytest.raises(StorageError, match="run `checkup provision`"):
        opened(github, branch="checks").get(HEAD)


def test_an_empty_repository_is_told() -> None:
    with (
        fake_github(empty=True) as github,
        pytest.raises(StorageError, match="run `checkup provision`"),
    ):
        opened(github).create(HEAD, b"{}")


def test_nobody_there_is_told() -> None:
    with fake_github() as github:
        storage = opened(github)
    with pytest.raises(StorageError, match="cannot reach GitHub: connection refused"):
        storage.get(HEAD)


def test_a_file_that_is_cut_short_is_no_document(github: FakeGitHub) -> None:
    opened(github).create(HEAD, b'{"long": true}')
    github.faults = [Fault(path="blobs", forward=True, cut=3)]
    with pytest.raises(StorageError, match="incomplete response from GitHub"):
        opened(github).get(HEAD)


# Limits


def in_an_hour() -> dict[str, str]:
    return {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 3600)}


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(status=403), 3600),
        (Fault(status=429), 3600),
        (Fault(status=403, headers={"Retry-After": "30"}), 30),
        (Fault(status=429, headers={"Retry-After": "30"}), 30),
        (Fault(status=403, body=b'{"message":"You have exceeded a secondary rate limit"}'), 60),
        (Fault(status=429), 60),
    ],
    ids=["403-reset", "429-reset", "403-after", "429-after", "403-secondary", "429-bare"],
)
def test_a_limit_is_told_with_its_end_and_kept(
    github: FakeGitHub, storage: Storage, fault: Fault, seconds: int
) -> None:
    if seconds == 3600:
        fault = replace(fault, headers=in_an_hour())
    github.faults = [fault]
    moments = [time.time() + seconds + more for more in (0, 1, 2, 3)]
    with pytest.raises(StorageError, match="rate limit is exceeded until") as caught:
        storage.get(HEAD)
    assert any(time.strftime("%H:%M:%S UTC", time.gmtime(m)) in str(caught.value) for m in moments)
    asked = len(github.seen)
    with pytest.raises(StorageError, match="rate limit is exceeded until"):
        storage.create(HEAD, b"{}")
    assert len(github.seen) == asked


def test_a_limit_that_has_passed_is_forgotten(github: FakeGitHub, storage: Storage) -> None:
    github.faults = [Fault(status=429, headers={"Retry-After": "1"})]
    with pytest.raises(StorageError, match="limit"):
        storage.get(HEAD)
    time.sleep(1.1)
    assert storage.get(HEAD) is None


def test_what_is_known_is_asked_for_free(github: FakeGitHub, storage: Storage) -> None:
    storage.create(HEAD, b"{}")
    storage.get(HEAD)
    counted = github.counted
    for _ in range(5):
        storage.get(HEAD)
        list(storage.list("runs/"))
    assert github.counted == counted


def test_a_run_takes_as_few_requests_as_is_promised(github: FakeGitHub) -> None:
    """In one process as in many; the limit is 5,000 in an hour, 500 of them to create."""

    def cost(storage: Storage) -> int:
        before = github.counted
        monitor = pipeline.RunContext(checkers=(), storage=storage)
        result = Result(title="a", id="a", attempts=(Attempt(rtt=5),), healthy=True)
        run = Run(slot=time.time_ns(), results=(result,))
        pipeline.store_run(monitor, run, Deadline.after(5))
        return github.counted - before

    storage = opened(github)
    first, *same = (cost(storage) for _ in range(12))
    others = [cost(opened(github)) for _ in range(12)]
    assert first <= 16
    assert (min(same), max(same)) <= (4, 8)
    assert min(others) >= 8
    assert max(others) <= 20
    assert sum(others) / len(others) <= 12


# Large repositories


def test_a_large_repository_is_listed_folder_by_folder(github: FakeGitHub) -> None:
    files = {f"other/{n}/x": b"x" for n in range(20)}
    runs = {f"status/checks/{1501523631505010000 + n}-check.json": b"[]" for n in range(20)}
    github.git.put("main", {**files, **runs, "status/checks/state/a/b.json": b"{}"})
    github.largest = 15

    storage = opened(github, dir="status/checks")

    assert len(list(storage.list("runs/"))) == 20
    assert list(storage.list("state/")) == ["state/a/b.json"]
    asked = [path for _, path, _ in github.seen if "trees" in path]
    assert len(asked) <= 8, "other folders are of no interest"


def test_a_folder_that_github_cannot_list_is_an_error_not_a_short_list(
    github: FakeGitHub,
) -> None:
    github.git.put("main", {f"{1501523631505010000 + n}-check.json": b"[]" for n in range(20)})
    github.largest = github.largest_folder = 15
    with pytest.raises(StorageError, match=r"too many files .* set check_expiry"):
        list(opened(github).list("runs/"))


# Time


def test_the_clock_is_that_of_the_last_answer(github: FakeGitHub, storage: Storage) -> None:
    github.date = formatdate(1_600_000_000, usegmt=True)
    assert storage.now_ns() == 1_600_000_000 * SECOND
    github.date = formatdate(1_600_000_060, usegmt=True)
    storage.get(HEAD)
    assert storage.now_ns() == 1_600_000_060 * SECOND


# Settings


@pytest.mark.parametrize("key", ["access_token", "repository_owner", "repository_name", "branch"])
def test_what_is_missing_is_told_in_go_s_words(github: FakeGitHub, key: str) -> None:
    with pytest.raises(UnavailableError, match=f"Please specify {key} in storage configuration"):
        github_settings(github, **{key: ""}).open(SECRETS)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("", True),
        ("https://github.example.com/api/v3", True),
        ("http://127.0.0.1:1/api/v3/", True),
        ("http://github.example.com/api/v3", False),
        ("ftp://github.example.com", False),
    ],
)
def test_the_token_is_sent_over_tls_only(github: FakeGitHub, url: str, *, allowed: bool) -> None:
    settings = github_settings(github, api_url=url)
    if allowed:
        settings.open(SECRETS)
        return
    with pytest.raises(UnavailableError, match="api_url must start with https"):
        settings.open(SECRETS)


def test_nothing_is_sent_before_it_is_used(github: FakeGitHub) -> None:
    opened(github)
    assert github.seen == []
