"""The text of the first configuration.

A ``#`` and one space begin a comment. What else begins with ``#`` is configuration that is
switched off: without that sign it works.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import yaml

_SCHEMA: Final = "./checkup.schema.json"
_HEAD: Final = f"""\
# yaml-language-server: $schema={_SCHEMA}
#
# What Checkup looks after. After a change:   checkup validate
# Look at everything now:                     checkup
# Look each minute, store, tell of changes:   checkup every 1m
# Show the status page:                       checkup serve

# A checker has a type (http, tcp, tls, dns, exec ...), a name, an address, and whatever else it
# can be told; a value that all of them share may stand out here at the left.
#timeout: 5s

checkers:
"""
_WEBSITE: Final = """\
  - type: http
    endpoint_name: {name}
    endpoint_url: {address}
"""
_WEBSITE_MORE: Final = """\
    # A text that the page has to contain, and the time from which on it is slow:
    #must_contain: Example
    #threshold_rtt: 2s
    # Try twice in each run. A single bad attempt is down; a bad run is repeated before it counts.
    #attempts: 2
"""
_PORT: Final = """\
  - type: tcp
    endpoint_name: {name}
    endpoint_url: {address}
"""
_TAIL: Final = """\
  # Whether something listens, and how long a certificate is still good:
  #- type: tcp
  #  endpoint_name: Database
  #  endpoint_url: "db.example.com:5432"
  #- type: tls
  #  endpoint_name: Certificate
  #  endpoint_url: "www.example.com:443"

# Where results are kept: a folder beside this file, for thirty days.
storage:
  type: fs
  dir: checks
  check_expiry: 720h

# Who is told when something goes down and when it is back. The address is a secret: it comes
# from the environment, here from SLACK_WEBHOOK.
#notifiers:
#  - type: slack
#    webhook: ${SLACK_WEBHOOK}

page:
  title: Status
"""


def starter_yaml(addresses: Iterable[str]) -> str:
    """Return a checkup.yaml that looks at these addresses, or at an example."""
    checkers = "".join(_checker(address) for address in addresses)
    if not checkers:
        checkers = _checker("https://www.example.com") + _WEBSITE_MORE
    return f"{_HEAD}{checkers}\n{_TAIL}"


def starter_json(text: str) -> str:
    """Return the same configuration as a checkup.json."""
    content = {"$schema": _SCHEMA, **yaml.safe_load(text)}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _checker(address: str) -> str:
    """Return the checker of a URL or of ``host:port``; a bare name is a website."""
    if "://" in address:
        name, form = urlsplit(address).netloc.rpartition("@")[2], _WEBSITE
    elif ":" in address:
        name, form = address, _PORT
    else:
        name, form, address = address, _WEBSITE, f"https://{address}"
    return form.format(name=_quoted(name), address=_quoted(address))


def _quoted(text: str) -> str:
    """Return a text as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)
