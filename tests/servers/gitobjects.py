"""Git's objects in memory: content, trees, commits and references, with git's own hashes."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock

Tree = dict[str, tuple[str, str]]
"""Mode and hash by name; the mode of a folder is ``40000``."""

FOLDER = "40000"
FILE = "100644"


@dataclass(frozen=True)
class Commit:
    tree: str
    parents: tuple[str, ...]
    message: str
    author: str
    committer: str


@dataclass
class Objects:
    """A repository."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def add_blob(self, body: bytes) -> str:
        sha = _sha("blob", body)
        self.blobs[sha] = body
        return sha

    def add_tree(self, base: str | None, changes: Mapping[str, tuple[str, str] | None]) -> str:
        """Return a tree that differs from ``base`` by path; None removes.

        Raises:
            KeyError: what is to be removed is not there.
        """
        tree = dict(self.trees[base]) if base else {}
        below: dict[str, dict[str, tuple[str, str] | None]] = {}
        for path, entry in changes.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = entry
            elif entry is None:
                del tree[name]
            else:
                tree[name] = entry
        for name, deeper in below.items():
            mode, sha = tree.get(name, (FOLDER, ""))
            made = self.add_tree(sha if mode == FOLDER else None, deeper)
            tree[name] = (FOLDER, made)
            if not self.trees[made]:
                del tree[name]
        return self._keep_tree(tree)

    def add_commit(self, tree: str, parents: list[str], message: str, *people: str) -> str:
        author, committer = (f"{who} {int(time.time())} +0000" for who in people)
        commit = Commit(tree, tuple(parents), message, author, committer)
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
        lines += [f"author {author}", f"committer {committer}", "", message]
        sha = _sha("commit", "\n".join(lines).encode())
        self.commits[sha] = commit
        return sha

    def walk(self, tree: str, path: str = "") -> Iterator[tuple[str, str, str]]:
        """Yield path, mode and hash of everything below a tree, folders too."""
        for name, (mode, sha) in sorted(self.trees[tree].items()):
            yield path + name, mode, sha
            if mode == FOLDER:
                yield from self.walk(sha, f"{path}{name}/")

    def history(self, commit: str) -> Iterator[str]:
        """Yield the hashes of a commit and of those before it."""
        left = [commit]
        seen = set()
        while left:
            sha = left.pop()
            if sha not in seen:
                seen.add(sha)
                yield sha
                left += self.commits[sha].parents

    def files(self, branch: str) -> dict[str, bytes]:
        """Return what is on a branch, by path."""
        tree = self.commits[self.refs[branch]].tree
        return {path: self.blobs[sha] for path, mode, sha in self.walk(tree) if mode != FOLDER}

    def put(self, branch: str, files: Mapping[str, bytes | None], message: str = "by hand") -> None:
        """Commit files, as somebody who pushes does; the branch need not exist."""
        with self.lock:
            last = self.refs.get(branch)
            entries = {
                path: None if body is None else (FILE, self.add_blob(body))
                for path, body in files.items()
            }
            tree = self.add_tree(self.commits[last].tree if last else None, entries)
            parents = [last] if last else []
            person = "Somebody <somebody@example.com>"
            self.refs[branch] = self.add_commit(tree, parents, message, person, person)

    def messages(self, branch: str) -> list[str]:
        """Return the messages of a branch's commits, oldest first, as long as it is straight."""
        return [self.commits[sha].message for sha in self.history(self.refs[branch])][::-1]

    def _keep_tree(self, tree: Tree) -> str:
        def order(item: tuple[str, tuple[str, str]]) -> str:
            name, (mode, _) = item
            return f"{name}/" if mode == FOLDER else name

        content = b"".join(
            f"{mode} {name}\0".encode() + bytes.fromhex(sha)
            for name, (mode, sha) in sorted(tree.items(), key=order)
        )
        sha = _sha("tree", content)
        self.trees[sha] = tree
        return sha


def _sha(kind: str, content: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content).hexdigest()
