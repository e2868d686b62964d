"""What is only reachable over IPv6 cannot be checked from a machine without it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WITHOUT_NETWORK = ("unshare", "--net")
AS_USER = () if os.geteuid() == 0 else ("--user", "--map-root-user")


def run_without_ipv6(checkers: list[dict[str, Any]], tmp_path: Path) -> dict[str, Any]:
    """Return the results, by title, of a run on a machine without a network."""
    if not shutil.which("unshare"):
        pytest.skip("needs unshare")
    config = tmp_path / "checkup.json"
    config.write_text(json.dumps({"checkers": checkers}))
    program = [sys.executable, "-c", "from checkup.cli import main; main()"]
    ended = subprocess.run(
        [*WITHOUT_NETWORK, *AS_USER, *program, "-c", str(config), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in ended.stderr:
        pytest.skip("namespaces are not allowed here")
    return {result["title"]: result for result in json.loads(ended.stdout)}


def test_target_with_ipv6_alone_is_unknown(tmp_path: Path) -> None:
    addresses = {"http": "http://[2001:db8::1]/", "tcp": "[2001:db8::1]:80", "tls": "[::1]:443"}
    addresses |= {"dns": "[2001:db8::1]:53", "dns query": "[2001:db8::1]:53"}
    checkers = [
        {"type": title.split()[0], "endpoint_name": title, "endpoint_url": address, "recheck": 0}
        for title, address in addresses.items()
    ]
    checkers[-1] |= {"hostname_fqdn": "a.test", "record_type": "A"}
    zone = {"type": "tcp", "endpoint_name": "zone", "endpoint_url": "[fe80::1%lo]:80", "recheck": 0}
    ipv4 = {"type": "tcp", "endpoint_name": "ipv4", "endpoint_url": "192.0.2.1:80", "recheck": 0}

    results = run_without_ipv6([*checkers, zone, ipv4], tmp_path)

    failures = [results[kind]["times"][0]["failure"] for kind in addresses]
    assert failures == ["no_ipv6"] * 5
    assert not any(results[kind].get("down") for kind in addresses)
    assert results["zone"]["times"][0]["failure"] != "no_ipv6"
    assert results["ipv4"]["down"]
    assert results["ipv4"]["times"][0]["failure"] == "unreachable"
