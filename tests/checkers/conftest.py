from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkers.tls_servers import ROOT, RSA_ROOT
from tests.servers.certificates import Authority
from tests.servers.web import WebServer


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The authority, among the roots that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.roots))
    return authority


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def roots(tmp_path: Path) -> str:
    """A file with the root that all certificates are signed by, unless a test says otherwise."""
    path = tmp_path / "roots.pem"
    path.write_text(ROOT.pem + RSA_ROOT.pem)
    return str(path)
