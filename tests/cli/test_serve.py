"""``checkup page`` and ``checkup serve``: the page from the stored runs."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread
from typing import NamedTuple

import pytest

from checkup.cli import server
from checkup.cli import server as site_module
from checkup.cli.server import AllowedHosts, PageServer
from checkup.storage.memory import MemoryStorage
from tests import gofile
from tests.cli.program import Program, wait_until
from tests.cli.service import Service
from tests.page.following import followed


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Site:
    """A page that is being served."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@pytest.fixture
def stored(checkup: Program, service: Service) -> Program:
    """A program that has stored one run."""
    checker = {"type": "http", "endpoint_name": "Web Shop", "endpoint_url": service.url}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "checks"}})
    assert checkup("--store").returncode == 0
    return checkup


@pytest.fixture
def site(stored: Program) -> Iterator[Site]:
    with stored.start("serve", "--listen", "127.0.0.1:0") as process:
        yield Site(stored, listening(process))


def listening(process: subprocess.Popen[str]) -> int:
    """Return the port that a server says it listens on."""
    assert process.stdout is not None
    line = process.stdout.readline()
    match = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
    assert match, line
    return int(match[1])


@pytest.mark.row("E23")
@pytest.mark.parametrize("_", [pytest.param(0, id="page")])
def test_page_is_rendered_from_the_stored_runs(site: Site, _: int) -> None:
    answer = site.ask("/")

    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert b"Web Shop" in answer.body
    assert site.ask("/index.html?x=1").body == answer.body
    assert site.ask("/api/v2/status.json").status == 200


@pytest.mark.row("E23")
@pytest.mark.parametrize("_", [pytest.param(0, id="data")])
def test_index_and_run_files_are_served_as_go_did(site: Site, _: int) -> None:
    (run,) = site.program.runs()

    index, file = site.ask("/index.json"), site.ask(f"/{run.name}")

    assert gofile.read_index(index.body) == {run.name: int(run.name[:19])}
    assert gofile.read(file.body)[0].title == "Web Shop"
    assert index.headers["content-type"] == file.headers["content-type"] == "application/json"


@pytest.mark.row("E23")
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/nothing", id="not-found"),
        pytest.param("/0000000000000000001-check.json", id="no-such-run"),
        pytest.param("/../checkup.json", id="parent"),
        pytest.param("/%2e%2e/checkup.json", id="encoded-parent"),
        pytest.param("/checkup.json", id="configuration"),
        pytest.param("/state/head.json", id="state"),
    ],
)
def test_anything_else_is_not_found(site: Site, path: str) -> None:
    answer = site.ask(path)

    assert answer.status == 404
    assert b"endpoint_url" not in answer.body
    assert b'"cursor"' not in answer.body


def test_head_is_get_without_the_body(site: Site) -> None:
    get, head = site.ask("/"), site.ask("/", "HEAD")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(get.body))
    assert head.headers["etag"] == get.headers["etag"]


def test_unchanged_page_is_not_sent_again(site: Site) -> None:
    (run,) = site.program.runs()
    etag = site.ask(f"/{run.name}").headers["etag"]

    again = site.ask(f"/{run.name}", If_None_Match=f'"other", {etag}')

    assert (again.status, again.body) == (304, b"")
    assert site.ask(f"/{run.name}", If_None_Match='"other"').status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_only_get_and_head_are_allowed(site: Site, method: str) -> None:
    answer = site.ask("/", method)

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.row("164")
def test_every_answer_has_safe_headers(site: Site) -> None:
    for path in ("/", "/index.json", "/nothing"):
        headers = site.ask(path).headers

        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["server"] == "checkup"


def test_a_page_has_its_own_policy_and_data_may_load_nothing(site: Site) -> None:
    page, data = site.ask("/"), site.ask("/api/v2/status.json")

    policy = page.headers["content-security-policy"]
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy
    assert data.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )


def test_text_is_compressed_for_who_takes_it(site: Site) -> None:
    plain, packed = site.ask("/"), site.ask("/", Accept_Encoding="br;q=1.0, gzip;q=0.8")
    refused = site.ask("/", Accept_Encoding="gzip;q=0, identity")
    short = site.ask("/api/v2/status.json", Accept_Encoding="gzip")

    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == plain.headers["etag"]
    assert not {"content-encoding"} & {*plain.headers, *refused.headers, *short.headers}
    assert site.ask("/", Accept_Encoding="gzip", If_None_Match=plain.headers["etag"]).status == 304


def test_only_known_names_are_answered(named: Site) -> None:
    """Else a page of somebody else could have its own name lead here, and read."""
    for host in (f"127.0.0.1:{named.port}", "status.acme.example", "status.internal:8080"):
        assert b"Web Shop" in named.ask("/", Host=host).body
    for path in ("/", "/index.json"):
        stranger = named.ask(path, Host="evil.example")
        assert stranger.status == 421
        hint = b'to allow it, use "checkup serve --host evil.example"'
        assert stranger.body == b"421 host name not allowed; " + hint + b"\n"
    odd = named.ask("/", Host="<b>")
    assert (odd.status, odd.body) == (421, b"421 host name not allowed\n")


def test_scripts_of_other_pages_may_read_the_public_api_and_nothing_private(site: Site) -> None:
    (run,) = site.program.runs()
    public = {
        path: site.ask(path, Origin="https://other.example").headers.get(
            "access-control-allow-origin"
        )
        for path in ("/api/v2/summary.json", "/badges/page.svg", "/metrics.txt", "/history.rss")
    }
    assert set(public.values()) == {"*"}
    for path in ("/", "/index.json", f"/{run.name}", "/nothing", "/history/"):
        assert "access-control-allow-origin" not in site.ask(path).headers


@pytest.fixture
def named(checkup: Program, service: Service) -> Iterator[Site]:
    """A page that knows where it is found, served under one more name."""
    checker = {"type": "http", "endpoint_name": "Web Shop", "endpoint_url": service.url}
    page = {"url": "https://status.acme.example/"}
    checkup.write({"checkers": [checker], "storage": {"type": "fs", "dir": "c"}, "page": page})
    with checkup.start(
        *("serve", "--listen", "127.0.0.1:0", "--host", "status.internal")
    ) as process:
        yield Site(checkup, listening(process))


def test_slow_clients_hold_up_nobody(site: Site) -> None:
    with ExitStack() as crowd:
        for _ in range(40):
            slow = socket.create_connection(("127.0.0.1", site.port), timeout=30)
            crowd.enter_context(slow)
            slow.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
        assert site.ask("/").status == 200


def test_a_client_that_reads_slowly_has_its_answer_when_the_server_is_stopped(
    stored: Program,
) -> None:
    with stored.start("serve", "--listen", "127.0.0.1:0") as process:
        port = listening(process)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            first = client.recv(1)
            process.send_signal(signal.SIGTERM)
            rest = b"".join(iter(lambda: client.recv(65_536), b""))
        assert process.wait(30) == 0
    assert (first + rest).endswith(b"</html>\n") or b"</html>" in rest


def test_every_part_of_the_page_is_there(site: Site) -> None:
    parts = {
        "/api/v2/summary.json": "application/json; charset=utf-8",
        "/history/index.html": "text/html; charset=utf-8",
        "/history/": "text/html; charset=utf-8",
        "/history.atom": "application/atom+xml; charset=utf-8",
        "/maintenance.ics": "text/calendar; charset=utf-8",
        "/uptime.csv": "text/csv; charset=utf-8; header=present",
        "/badges/page.svg": "image/svg+xml; charset=utf-8",
    }
    found = {path: site.ask(path).headers["content-type"] for path in parts}
    assert {path: kind.lower() for path, kind in found.items()} == parts


def test_every_link_of_the_page_leads_somewhere(site: Site) -> None:
    checked = followed(f"http://127.0.0.1:{site.port}/")

    assert any(path.startswith("components/") for path in checked)
    assert {answer.status for answer in checked.values()} == {200}


def test_new_run_is_seen(site: Site) -> None:
    site.ask("/")
    site.program("--store")

    wait_until(lambda: len(gofile.read_index(site.ask("/index.json").body)) == 2)


def test_who_speaks_letter_by_letter_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_TIMEOUT_SECONDS", 1.0)
    site = site_module.SiteRoutes(dict, MemoryStorage())
    with PageServer(("127.0.0.1", 0), site, AllowedHosts()) as listener:
        listening = Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        listening.start()
        try:
            port = int(listener.server_address[1])
            with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
                slow.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
                with pytest.raises(ConnectionError):
                    drip(slow)
        finally:
            listener.shutdown()
            listening.join()


def drip(client: socket.socket) -> None:
    for _ in range(600):
        client.sendall(b"x")
        time.sleep(0.05)


ODD = (
    (b"GET http://[ HTTP/1.1\r\nHost: localhost", 400),
    (b"GET /a%00b HTTP/1.1\r\nHost: localhost", 404),
    (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: localhost", 404),
    (b"GET /checks/../../etc/passwd HTTP/1.1\r\nHost: localhost", 404),
    (b"GET /\xff\xfe%zz HTTP/1.1\r\nHost: localhost", 404),
    (b"GET /" + 70_000 * b"a" + b" HTTP/1.1\r\nHost: localhost", 414),
    (b"GET / HTTP/1.1\r\nX: " + 70_000 * b"a", 431),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example", 421),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\n evil.example", 421),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-3", 200),
    (b"GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *", 304),
)


def test_odd_requests_have_an_answer(site: Site) -> None:
    for head, status in ODD:
        (answer,) = answers(site.port, head + b"\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 %d " % status), head[:60]


def test_what_a_request_carries_is_no_request(site: Site) -> None:
    """Else a proxy in front would give its answer to somebody else."""
    inner = b"GET /index.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    counts = [
        len(answers(site.port, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + said + inner))
        for said in (
            b"Content-Length: 44\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n",
            b"Content-Length: 0\r\n\r\n",
        )
    ]
    assert counts == [1, 1, 2]


def answers(port: int, sent: bytes) -> list[bytes]:
    """All that a server answers to what somebody sends who then says no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        found = b"".join(iter(lambda: _received(client), b""))
    return [b"HTTP/1.1 " + it for it in found.split(b"HTTP/1.1 ")[1:]]


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(65_536)
    except ConnectionResetError:  # it did not read all of it
        return b""


def test_what_is_no_http_harms_nobody(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as silent:
        with socket.create_connection(("127.0.0.1", site.port), timeout=30) as rude:
            rude.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
            assert b"400" in rude.recv(1000)
        silent.sendall(b"GET / HT")
        assert site.ask("/").status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it(stored: Program, number: int) -> None:
    with stored.start("serve", "--listen", "127.0.0.1:0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("The status page is on http://127.0.0.1:")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)

    assert (process.returncode, stderr) == (0, "")


def test_taken_port_is_an_error(stored: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = stored("serve", "--listen", address)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"cannot listen on {address}: Address already in use" in ended.stderr


@pytest.mark.parametrize("address", ["3000", "127.0.0.1:http", "127.0.0.1:99999", "no.invalid:1"])
def test_bad_address_is_an_error(stored: Program, address: str) -> None:
    ended = stored("serve", "--listen", address)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert address in ended.stderr
    assert "internal error" not in ended.stderr


@pytest.mark.parametrize("arguments", [["serve"], ["page", "out"]])
def test_page_needs_a_storage(checkup: Program, arguments: list[str]) -> None:
    checkup.write({})

    ended = checkup(*arguments)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "no storage configur" in ended.stderr


@pytest.mark.row("E25")
def test_serve_without_an_address_is_only_for_this_machine(stored: Program) -> None:
    with stored.start("serve") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if line:
            with pytest.raises(OSError, match=r"refused|timed out"):
                socket.create_connection(("127.0.0.2", 3000), timeout=5)
        process.terminate()
        _, stderr = process.communicate(timeout=30)

    taken = "cannot listen on 127.0.0.1:3000: Address already in use"
    assert "http://127.0.0.1:3000/" in line or taken in stderr


def test_page_is_written_into_a_folder(stored: Program) -> None:
    ended = stored("page", "out/page")

    page = stored.folder / "out/page/index.html"
    assert ended.returncode == 0
    assert ended.stderr.endswith(
        "warning: page.url is not set; feeds and the JSON API have no links to the page\n"
    )
    assert ended.stdout.endswith("the page is out/page/index.html\n")
    assert "Web Shop" in page.read_text()
    assert json.loads((page.parent / "api/v2/status.json").read_text())


def test_folder_that_cannot_be_written_is_an_error(stored: Program) -> None:
    (stored.folder / "out").write_text("in the way")

    ended = stored("page", "out")

    assert ended.returncode == 1
    assert "out" in ended.stderr
    assert "internal error" not in ended.stderr
