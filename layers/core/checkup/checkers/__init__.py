"""The kinds of checker. To add one, write its module and add its line here."""

from __future__ import annotations

from typing import Final

from checkup.interfaces import Checker
from checkup.interfaces.kinds import Registry

CHECKERS: Final[Registry[Checker]] = Registry(
    {
        "http": "checkup.checkers.http:HttpChecker",
        "tcp": "checkup.checkers.tcp:TcpChecker",
        "dns": "checkup.checkers.dns:DnsChecker",
        "tls": "checkup.checkers.tls:TlsChecker",
        "exec": "checkup.checkers.exec:ExecChecker",
        "heartbeat": "checkup.checkers.heartbeat:HeartbeatChecker",
    }
)
