from __future__ import annotations

import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from checkup.checkers.tls_context import ca_file_context, system_roots_context, unverified_context
from tests.servers.certificates import Authority


def test_one_context_serves_all_threads(trusted: Authority) -> None:
    assert trusted.roots.exists()
    with ThreadPoolExecutor(8) as threads:
        contexts = set(threads.map(lambda _: system_roots_context(), range(64)))

    assert len(contexts) == 1


def test_system_without_roots_uses_those_of_certifi(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))

    assert system_roots_context().cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize("strict", [pytest.param(ssl.VERIFY_X509_STRICT, id="63")])
def test_rules_do_not_depend_on_the_version_of_python(authority: Authority, strict: int) -> None:
    for context in (
        system_roots_context(),
        unverified_context(),
        ca_file_context(str(authority.roots)),
    ):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert not context.verify_flags & strict
        # Servers without RFC 5746; the name of this option is new in Python 3.12.
        assert context.options & 0x4
    assert system_roots_context().verify_mode is ssl.CERT_REQUIRED
