"""Git's trees and files, as far as a storage needs them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from checkup.storage.github.api import GitHubApi
from checkup.storage.github.refusal import GitHubError

_REMEMBERED: Final = 8


class GitObjects:
    """What commits are made of. All of it is known by its hash and never changes.

    Args:
        folder: which alone is of interest; empty or ending in a slash.
    """

    def __init__(self, api: GitHubApi, folder: str) -> None:
        self._api = api
        self._folder = folder
        self._known: dict[str, bytes] = {}

    def read(self, sha: str) -> bytes:
        """Return a file's content.

        Raises:
            GitHubError: also if it is not what was asked for.
        """
        body = self._known.get(sha)
        if body is None:
            body = self._api.download(f"/git/blobs/{sha}")
            if blob_sha(body) != sha:
                raise GitHubError("the answer of GitHub was cut short")
            self._keep(sha, body)
        return body

    def files(self, tree: str) -> dict[str, str]:
        """Map the paths below the folder to the hashes of the files there."""
        start = len(self._folder)
        return {
            path[start:]: sha
            for path, sha in self._files(tree, "")
            if path.startswith(self._folder)
        }

    def write(self, base: str | None, files: Mapping[str, bytes | None]) -> str:
        """Return the hash of a tree that differs from ``base`` in these files.

        Args:
            base: the hash of a tree; None for an empty one.
            files: content by path below the folder, None for those to remove.
        """
        entries = [self._entry(self._folder + path, body) for path, body in files.items()]
        tree = {"tree": entries, **({"base_tree": base} if base else {})}
        sha = str(self._api.write("POST", "/git/trees", tree)["sha"])
        for body in files.values():
            if body is not None:
                self._keep(blob_sha(body), body)
        return sha

    def write_first(self, message: str, files: Mapping[str, bytes | None]) -> str:
        """Write files on the default branch of an empty repository; return the last commit."""
        commit = ""
        for path, body in files.items():
            content = base64.b64encode(body or b"").decode()
            document = {"message": message, "content": content}
            path_there = f"/contents/{quote(self._folder + path)}"
            commit = str(self._api.write("PUT", path_there, document)["commit"]["sha"])
        return commit

    def _keep(self, sha: str, body: bytes) -> None:
        """Remember a file, and forget the one that was remembered first if there are many."""
        for oldest in list(self._known)[: 1 - _REMEMBERED]:
            self._known.pop(oldest, None)
        self._known[sha] = body

    def _files(self, tree: str, path: str) -> Iterator[tuple[str, str]]:
        """Yield all files at once, or folder by folder if they are too many for one answer."""
        answer = self._api.read(f"/git/trees/{tree}?recursive=1")
        is_whole = not answer.get("truncated")
        if not is_whole:
            answer = self._api.read(f"/git/trees/{tree}")
            if answer.get("truncated"):
                raise GitHubError(
                    f"there are too many files in {path or 'the repository'} for GitHub to list;"
                    " move old runs to another folder, and set check_expiry"
                )
        for entry in answer["tree"]:
            name = path + str(entry["path"])
            if entry["type"] == "blob":
                yield name, str(entry["sha"])
            elif entry["type"] == "tree" and not is_whole and self._concerns(f"{name}/"):
                yield from self._files(str(entry["sha"]), f"{name}/")

    def _concerns(self, path: str) -> bool:
        """Say whether a folder lies on the way to ours, or within it."""
        return path.startswith(self._folder) or self._folder.startswith(path)

    def _entry(self, path: str, body: bytes | None) -> dict[str, Any]:
        """Return an entry of a tree. Text is a part of it, anything else is a request more."""
        entry: dict[str, Any] = {"path": path, "mode": "100644", "type": "blob"}
        if body is None:
            return {**entry, "sha": None}
        try:
            text = body.decode()
        except UnicodeDecodeError:
            text = ""
        if text:
            return {**entry, "content": text}
        blob = {"content": base64.b64encode(body).decode(), "encoding": "base64"}
        return {**entry, "sha": self._api.write("POST", "/git/blobs", blob)["sha"]}


def blob_sha(body: bytes) -> str:
    """Return the hash under which git keeps a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()
