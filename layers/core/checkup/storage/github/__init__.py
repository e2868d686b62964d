"""Storage in a repository of GitHub, laid out as the Go program does.

Check files lie in ``dir`` as ``<19 digits>-check.json`` and ``index.json`` beside them; every
other key is the path of a file below ``dir``. A run and its entry in the index are one commit.

===========  ===================================================================
``adapter``  the five verbs
``branch``   what is on the branch, and how a commit is added to it
``trees``    reading and writing its trees and files
``api``      requests, tries, limits and the time
``refusal``  what GitHub refuses, in sentences
===========  ===================================================================

GitHub itself decides races: a commit names the one that it follows, and the branch is moved
without force, so it moves only where that one is still the last. What is on the branch is asked
with the ETag of the last answer, and objects, which never change, are remembered. So a run in
which nothing changes takes 4 to 8 requests of ``checkup every`` and 8 to 12 of ``checkup
--store``, and one that has something to tell some 15 more.

A token has 5,000 requests an hour, of which about 500 may create something
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api), as three or six
of each run do. A run a minute is therefore within both limits, and one every 30 seconds may not
be. Reading a run takes a request, once in the life of a process.
"""

from __future__ import annotations

from checkup.storage.github.settings import GitHubSettings

__all__ = ["GitHubSettings"]
