"""A server on loopback that plays the part of GitHub's REST interface that is about git.

It follows https://docs.github.com/en/rest/git and keeps real git objects, with git's own hashes:
one who says that a branch is moved without force is refused with 422 unless it moves forward.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.servers.gitobjects import FILE, FOLDER, Objects

TOKEN = "ghp_secretsecretsecret"
OWNER, NAME = "octocat", "kit"


@dataclass(frozen=True)
class Fault:
    """What happens to one request in place of the ordinary.

    Attributes:
        forward: it is carried out all the same.
        status: of the answer; 0 for none at all, -1 for silence.
        path: only requests whose method and path match this are hit.
        headers, body: of the answer.
        cut: the true answer ends after so many bytes of its body.
        then: what else happens on the server meanwhile.
    """

    forward: bool = False
    status: int = 0
    path: str = ""
    then: Callable[[], None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"message":"fault"}'
    cut: int | None = None


@dataclass
class FakeGitHub:
    """The server.

    Attributes:
        url: of the interface, as ``api_url`` has it.
        git: the one repository.
        faults: what happens to the next requests that they match, in order.
        seen: method, path and status of each request.
        sent: the documents that were sent.
        counted: requests that count against the limit; those answered 304 do not.
        largest: entries of a tree listed recursively before it is truncated.
        largest_folder: entries of a single folder before it is.
        protected: nobody may move a branch.
        date: the Date of all answers, if not now.
    """

    url: str
    git: Objects = field(default_factory=Objects)
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    counted: int = 0
    largest: int = 100_000
    largest_folder: int = 100_000
    protected: bool = False
    date: str = ""
    closing: Event = field(default_factory=Event)

    @property
    def main(self) -> dict[str, bytes]:
        """What is on the branch main."""
        return self.git.files("main")

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self.git.lock:
            for fault in self.faults:
                if re.search(fault.path, f"{method} {path}"):
                    self.faults.remove(fault)
                    return fault
        return None


@contextmanager
def fake_github(*, empty: bool = False) -> Iterator[FakeGitHub]:
    """Play GitHub, with a repository that has a branch main unless it is ``empty``."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.github = FakeGitHub(f"http://127.0.0.1:{server.server_port}")
    if not empty:
        server.github.git.put("main", {"README.md": b"# Kit\n"})
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.github
    finally:
        server.github.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Refusal(Exception):  # noqa: N818 - it is an answer
    """Ends a request early."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 128
    github: FakeGitHub

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the play."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815 - as the library wants them

    def log_message(self, *words: object) -> None:
        """Stay quiet."""

    def _serve(self) -> None:
        github = self.server.github
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = github.fault_for(self.command, self.path)
        if fault is None or fault.forward:
            status, body = self._carry_out(sent)
        if fault is not None and fault.then is not None:
            fault.then()
        if fault is not None and fault.cut is None:
            self._play(fault)
            return
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        self._send(status, body, {"ETag": etag}, cut=fault.cut if fault else None)

    def _play(self, fault: Fault) -> None:
        if fault.status == -1:
            self.server.github.closing.wait(60)
        if fault.status <= 0:
            self.close_connection = True
            return
        self._send(fault.status, fault.body, fault.headers)

    def _send(
        self, status: int, body: bytes, headers: Mapping[str, str], cut: int | None = None
    ) -> None:
        github = self.server.github
        github.seen.append((self.command, self.path, status))
        github.counted += status != 304
        self.send_response_only(status)
        self.send_header("Date", github.date or self.date_time_string())
        for name, value in headers.items():
            self.send_header(name, value)
        whole = body[:cut]
        self.send_header("Content-Length", str(len(whole)))
        self.end_headers()
        self.wfile.write(whole)

    def _carry_out(self, sent: bytes) -> tuple[int, bytes]:
        github = self.server.github
        try:
            document = json.loads(sent) if sent else {}
            if sent:
                github.sent.append(document)
            self._admit()
            with github.git.lock:
                status, answer = self._route(document)
        except _Refusal as refusal:
            return refusal.status, json.dumps({"message": str(refusal)}).encode()
        return status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def _admit(self) -> None:
        """Refuse whom GitHub refuses: without a name, without a valid token."""
        if not self.headers.get("User-Agent"):
            raise _Refusal(403, "Request forbidden by administrative rules.")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _Refusal(401, "Bad credentials")

    def _route(self, document: Any) -> tuple[int, Any]:
        address = urlsplit(self.path)
        top = f"/repos/{OWNER}/{NAME}"
        if not address.path.startswith(top):
            raise _Refusal(404, "Not Found")
        path = unquote(address.path.removeprefix(top))
        calls = _Calls(self.server.github, document, raw="raw" in self.headers.get("Accept", ""))
        for method, pattern, call in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                return call(calls, *match.groups(), *([address.query] if method == "GET" else []))
        raise _Refusal(404, "Not Found")


class _Calls:
    """What each request does; the last argument of those that read is the query."""

    def __init__(self, github: FakeGitHub, document: Any, *, raw: bool) -> None:
        self._github = github
        self._git = github.git
        self._document = document
        self._raw = raw

    def repository(self, _: str) -> tuple[int, Any]:
        return 200, {"full_name": f"{OWNER}/{NAME}", "default_branch": "main"}

    def branch(self, name: str, _: str) -> tuple[int, Any]:
        sha = self._git.refs.get(name)
        if sha is None:
            raise _Refusal(404, "Branch not found")
        commit = self._git.commits[sha]
        about = {"message": commit.message, "tree": {"sha": commit.tree}}
        return 200, {"name": name, "commit": {"sha": sha, "commit": about}, "protected": False}

    def tree(self, sha: str, query: str) -> tuple[int, Any]:
        self._refuse_empty()
        found = self._git.trees.get(sha)
        if found is None:
            raise _Refusal(404, "Not Found")
        if "recursive" in query:
            entries, limit = list(self._git.walk(sha)), self._github.largest
        else:
            entries = [(name, mode, entry) for name, (mode, entry) in sorted(found.items())]
            limit = self._github.largest_folder
        listed = [
            {
                "path": path,
                "mode": mode.zfill(6),
                "type": "tree" if mode == FOLDER else "blob",
                "sha": entry,
            }
            for path, mode, entry in entries[:limit]
        ]
        return 200, {"sha": sha, "tree": listed, "truncated": len(entries) > limit}

    def blob(self, sha: str, _: str) -> tuple[int, Any]:
        body = self._git.blobs.get(sha)
        if body is None:
            raise _Refusal(404, "Not Found")
        if self._raw:
            return 200, body
        content = base64.encodebytes(body).decode()
        return 200, {"sha": sha, "content": content, "encoding": "base64", "size": len(body)}

    def compare(self, base: str, head: str, _: str) -> tuple[int, Any]:
        ends = [self._git.refs.get(end, end) for end in (base, head)]
        if not all(end in self._git.commits for end in ends):
            raise _Refusal(404, "Not Found")
        first, last = ends
        if first == last:
            status = "identical"
        elif first in self._git.history(last):
            status = "ahead"
        else:
            status = "behind" if last in self._git.history(first) else "diverged"
        return 200, {"status": status, "commits": [], "files": []}

    def contents(self, path: str, query: str) -> tuple[int, Any]:
        ref = query.partition("ref=")[2].removeprefix("heads/") or "main"
        files = self._git.files(ref) if ref in self._git.refs else {}
        if path not in files:
            raise _Refusal(404, "Not Found")
        sha = self._git.add_blob(files[path])
        return 200, {"sha": sha, "content": base64.encodebytes(files[path]).decode()}

    def put_contents(self, path: str) -> tuple[int, Any]:
        branch = self._document.get("branch", "main")
        if branch not in self._git.refs and (self._git.refs or branch != "main"):
            raise _Refusal(404, f"Branch {branch} not found")
        files = self._git.files(branch) if branch in self._git.refs else {}
        sha = self._git.add_blob(files[path]) if path in files else None
        if sha != self._document.get("sha"):
            raise _Refusal(409 if sha else 422, f"{path} does not match {sha}")
        body = base64.b64decode(self._document["content"])
        self._git.put(branch, {path: body}, self._document["message"])
        return 201, {"commit": {"sha": self._git.refs[branch]}}

    def add_blob(self) -> tuple[int, Any]:
        self._refuse_empty()
        content = self._document["content"]
        is_text = self._document.get("encoding", "utf-8") == "utf-8"
        body = content.encode() if is_text else base64.b64decode(content, validate=True)
        return 201, {"sha": self._git.add_blob(body)}

    def add_tree(self) -> tuple[int, Any]:
        self._refuse_empty()
        base = self._document.get("base_tree")
        if base is not None and base not in self._git.trees:
            raise _Refusal(404, "Not Found")
        changes = {entry["path"]: self._entry(entry) for entry in self._document["tree"]}
        try:
            sha = self._git.add_tree(base, changes)
        except KeyError:
            raise _Refusal(422, "GitRPC::BadObjectState") from None
        return 201, {"sha": sha}

    def add_commit(self) -> tuple[int, Any]:
        self._refuse_empty()
        about = self._document
        if about["tree"] not in self._git.trees:
            raise _Refusal(422, "Tree SHA does not exist")
        people = [about.get(role, {"name": OWNER, "email": "o@c"}) for role in _ROLES]
        names = [f"{person['name']} <{person['email']}>" for person in people]
        sha = self._git.add_commit(about["tree"], about["parents"], about["message"], *names)
        return 201, {"sha": sha}

    def add_ref(self) -> tuple[int, Any]:
        self._refuse_empty()
        name = self._document["ref"].removeprefix("refs/heads/")
        if name in self._git.refs:
            raise _Refusal(422, "Reference already exists")
        self._git.refs[name] = self._known_commit()
        return 201, {"ref": f"refs/heads/{name}"}

    def move_ref(self, name: str) -> tuple[int, Any]:
        if name not in self._git.refs:
            raise _Refusal(422, "Reference does not exist")
        sha = self._known_commit()
        if self._github.protected:
            raise _Refusal(422, "Changes must be made through a pull request.")
        is_forward = self._git.refs[name] in self._git.history(sha)
        if not is_forward and not self._document.get("force"):
            raise _Refusal(422, "Update is not a fast forward")
        self._git.refs[name] = sha
        return 200, {"ref": f"refs/heads/{name}", "object": {"sha": sha, "type": "commit"}}

    def _known_commit(self) -> str:
        sha = self._document["sha"]
        if sha not in self._git.commits:
            raise _Refusal(422, "Object does not exist")
        return str(sha)

    def _entry(self, entry: Any) -> tuple[str, str] | None:
        if "content" in entry:
            if not entry["content"]:
                raise _Refusal(422, "tree.sha and tree.content are both missing")
            return FILE, self._git.add_blob(entry["content"].encode())
        sha = entry["sha"]
        if sha is not None and sha not in self._git.blobs:
            raise _Refusal(422, f"tree.sha {sha} is not a valid blob")
        return None if sha is None else (FILE, str(sha))

    def _refuse_empty(self) -> None:
        if not self._git.refs:
            raise _Refusal(409, "Git Repository is empty.")


_ROLES = ("author", "committer")
_ROUTES: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
    ("GET", "", _Calls.repository),
    ("GET", "/branches/(.+)", _Calls.branch),
    ("GET", "/git/trees/([0-9a-f]{40})", _Calls.tree),
    ("GET", "/git/blobs/([0-9a-f]{40})", _Calls.blob),
    ("GET", r"/compare/([^.]+)\.\.\.(.+)", _Calls.compare),
    ("GET", "/contents/(.+)", _Calls.contents),
    ("PUT", "/contents/(.+)", _Calls.put_contents),
    ("POST", "/git/blobs", _Calls.add_blob),
    ("POST", "/git/trees", _Calls.add_tree),
    ("POST", "/git/commits", _Calls.add_commit),
    ("POST", "/git/refs", _Calls.add_ref),
    ("PATCH", "/git/refs/heads/(.+)", _Calls.move_ref),
]
