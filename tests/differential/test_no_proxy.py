"""NO_PROXY exempts the hosts that curl exempts, except where we mean to differ."""

from __future__ import annotations

import socket
import subprocess
from select import select

import pytest

from checkup.checkers.http_client import bypasses_proxy
from tests.differential.http_clients import curl_version

CASES = [
    *(("*", "a.test"), ("a.test", "a.test"), ("a.test", "b.a.test"), ("a.test", "aa.test")),
    *((".a.test", "b.a.test"), (".a.test", "a.test"), ("a.test.", "a.test"), ("a.test", "a.test.")),
    *(("A.TEST", "a.test"), ("a.test", "A.TEST"), ("x,a.test", "a.test"), ("x a.test", "a.test")),
    *(("x, a.test ,y", "a.test"), ("", "a.test"), (" , ", "a.test"), ("test", "a.test")),
    *(("est", "a.test"), ("10.0.0.0/8", "10.1.2.3"), ("10.0.0.0/8", "11.1.2.3")),
    *(("10.1.2.3", "10.1.2.3"), ("10.1.2.3/32", "10.1.2.3"), ("2.3", "10.1.2.3")),
    *(("10.0.0.0/8", "10.test"), ("192.168.0.0/255.255.0.0", "192.168.1.1")),
    *(("fd00::/8", "[fd00::1]"), ("fd00::1", "[fd00::1]"), ("[fd00::1]", "[fd00::1]")),
    *(("fd00:0::1", "[fd00::1]"), ("fd00::2", "[fd00::1]"), ("*.a.test", "b.a.test")),
    *(("*.a.test", "a.test"), ("a.test:80", "a.test"), ("a.test:81", "a.test")),
    *(("10.1.2.3:80", "10.1.2.3"), ("a.*", "a.test"), ("*a.test", "ba.test")),
]
DIFFERENCES = {
    ("*.a.test", "b.a.test"): "Go: a leading * is a leading dot.",
    ("*.a.test", "a.test"): "as a leading dot, which for curl is the domain too.",
    ("a.test:80", "a.test"): "Go: a rule may have a port.",
    ("10.1.2.3:80", "10.1.2.3"): "Go: a rule may have a port.",
    ("fd00::/8", "[fd00::1]"): "Go: it is a network; curl has it so only for IPv4.",
    ("[fd00::1]", "[fd00::1]"): "Go: brackets do not count.",
    ("fd00:0::1", "[fd00::1]"): "Go: addresses are compared, not their letters.",
}


def asks_proxy(rules: str, host: str) -> bool:
    """Whether curl asks a proxy for a host; it connects to this machine, whatever it does."""
    with (
        socket.create_server(("127.0.0.1", 0)) as proxy,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        here = [f"127.0.0.1:{listener.getsockname()[1]}" for listener in (proxy, server)]
        command = ["curl", "--disable", "--silent", "--max-time", "5", "--connect-to"]
        variables = {"http_proxy": f"http://{here[0]}", "no_proxy": rules, "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            [*command, f"::{here[1]}", f"http://{host}/"],
            env=variables,
            stdout=subprocess.DEVNULL,
        ):
            asked, _, _ = select([proxy, server], [], [], 5)
            client, _ = asked[0].accept()
            with client:
                client.recv(65_536)
                client.sendall(b"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")
        return asked == [proxy]


@pytest.mark.parametrize(("rules", "host"), CASES)
def test_no_proxy_as_curl(rules: str, host: str) -> None:
    if not curl_version():
        pytest.skip("needs curl: apt-get install --no-install-recommends curl")

    ours = not bypasses_proxy(host.strip("[]"), 80, rules)

    assert (ours != asks_proxy(rules, host)) is ((rules, host) in DIFFERENCES)
