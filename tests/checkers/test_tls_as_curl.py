"""TLS servers of many shapes, asked by the tls checker and by curl.

Where curl gets through, so does the checker; the table has the differences that are meant.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from checkup.checkers.tls import TlsChecker
from tests.checkers.looking import attempt_of
from tests.servers import forge
from tests.servers.forge import Holder, leaf
from tests.servers.web import WebServer

CURL = shutil.which("curl")
pytestmark = pytest.mark.skipif(CURL is None, reason="needs curl")

ROOT = forge.authority()
MIDDLE = forge.authority("Intermediate", ROOT)
NAMES = ("shop.test", "*.shop.test", "*.test", "xn--bcher-kva.test", "127.0.0.1", "::1")
RSA = leaf(ROOT, hosts=NAMES, rsa=True)
RSA_ROOT = forge.authority("RSA", rsa=True)
SHA1 = forge.signed_with_sha1(leaf(RSA_ROOT, hosts=NAMES), RSA_ROOT)


class Shape(NamedTuple):
    """A server and how it is asked.

    Attributes:
        is_down: whether the checker is to report an outage.
        curl: what curl thinks of it, if that is meant to differ, and why.
    """

    holder: Holder
    is_down: bool = False
    change: Callable[[ssl.SSLContext], object] = lambda _: None
    host: str = "shop.test"
    is_verified: bool = True
    curl: str = ""
    above: bool = True
    client: Holder | None = None


def suite(names: str) -> Callable[[ssl.SSLContext], object]:
    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{names}:@SECLEVEL=0")

    return change


def only(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], object]:
    def change(context: ssl.SSLContext) -> None:
        context.minimum_version = context.maximum_version = version

    return change


def demanding(version: ssl.TLSVersion) -> Callable[[ssl.SSLContext], object]:
    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=ROOT.pem)

    return change


def with_extra(holder: Holder, *extra: Holder) -> Holder:
    return Holder(holder.certificate, holder.key, [*holder.above, *(e.certificate for e in extra)])


EXPIRED = forge.authority("Expired", days=-1, before=-9)
CLIENT = leaf(ROOT, for_clients=True)
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

SHAPES = {
    **{
        f"suite {name}": Shape(RSA, change=suite(name))
        for name in (
            "ECDHE-RSA-AES128-GCM-SHA256",
            "ECDHE-RSA-CHACHA20-POLY1305",
            "ECDHE-RSA-AES256-SHA384",
            "ECDHE-RSA-AES256-SHA",
            "ECDHE-RSA-AES128-SHA",
            "AES256-GCM-SHA384",
            "AES128-GCM-SHA256",
            "AES256-SHA256",
            "AES256-SHA",
            "AES128-SHA",
        )
    },
    "suite AES128-CCM": Shape(RSA, is_down=True, change=suite("AES128-CCM")),
    "suite CAMELLIA256-SHA": Shape(RSA, is_down=True, change=suite("CAMELLIA256-SHA")),
    "suite without a key": Shape(RSA, is_down=True, change=suite("ADH-AES256-GCM-SHA384")),
    "suite without encryption": Shape(RSA, is_down=True, change=suite("NULL-SHA256")),
    "TLS 1.2 only": Shape(RSA, change=only(TLS_1_2)),
    "TLS 1.3 only": Shape(RSA, change=only(TLS_1_3)),
    "TLS 1.1 only": Shape(RSA, is_down=True, change=only(ssl.TLSVersion.TLSv1_1)),
    "P-384 only": Shape(RSA, change=lambda context: context.set_ecdh_curve("secp384r1")),
    "P-521 only": Shape(RSA, change=lambda context: context.set_ecdh_curve("secp521r1")),
    "no tickets": Shape(RSA, change=lambda context: setattr(context, "num_tickets", 0)),
    "many tickets": Shape(RSA, change=lambda context: setattr(context, "num_tickets", 20)),
    "key of 1,024 bits": Shape(
        leaf(ROOT, hosts=NAMES, weak=True), curl="refuses it; Go and GnuTLS do not"
    ),
    "key of 1,024 bits, not verified": Shape(leaf(ROOT, hosts=NAMES, weak=True), is_verified=False),
    "signed with SHA-1": Shape(SHA1, is_down=True),
    "signed with SHA-1, not verified": Shape(SHA1, is_verified=False),
    "expired": Shape(leaf(ROOT, -1, before=-9, hosts=NAMES), is_down=True),
    "not yet valid": Shape(leaf(ROOT, 9, before=1, hosts=NAMES), is_down=True),
    "signed by itself": Shape(leaf(None, hosts=NAMES), is_down=True),
    "signed by itself, not verified": Shape(leaf(None, hosts=NAMES), is_verified=False),
    "for clients": Shape(leaf(ROOT, hosts=NAMES, for_clients=True), is_down=True),
    "no key identifiers": Shape(leaf(ROOT, hosts=NAMES, bare=True)),
    "intermediate": Shape(leaf(MIDDLE, hosts=NAMES)),
    "intermediate missing": Shape(leaf(MIDDLE, hosts=NAMES), is_down=True, above=False),
    "intermediate expired": Shape(
        leaf(forge.authority("Old", ROOT, days=-1, before=-9), hosts=NAMES), is_down=True
    ),
    "an expired root sent along": Shape(with_extra(RSA, EXPIRED)),
    "an expired root sent along, not verified": Shape(with_extra(RSA, EXPIRED), is_verified=False),
    "a stranger's certificate sent along": Shape(with_extra(RSA, leaf(None))),
    "the root sent along": Shape(with_extra(RSA, ROOT)),
    "wildcard": Shape(RSA, host="www.shop.test"),
    "wildcard for an underscore": Shape(RSA, host="a_b.shop.test"),
    "wildcard for a hyphen": Shape(RSA, host="-a-.shop.test"),
    "wildcard for a number": Shape(RSA, host="1.shop.test"),
    "wildcard two levels down": Shape(RSA, host="a.b.shop.test", is_down=True),
    "wildcard in another case": Shape(RSA, host="WWW.Shop.TEST"),
    "wildcard right below the top": Shape(RSA, host="other.test", curl="refuses it; Go does not"),
    "name with a final dot": Shape(RSA, host="shop.test."),
    "name of another language": Shape(RSA, host="bücher.test"),
    "name in the common name only": Shape(
        leaf(ROOT, hosts=()),
        host="localhost",
        is_down=True,
        curl="accepts it; browsers and Go do not, and RFC 9525 (section 6.3) forbids it",
    ),
    "another name": Shape(RSA, host="elsewhere.example", is_down=True),
    "part of a name": Shape(RSA, host="xshop.test.example", is_down=True),
    "address": Shape(RSA, host="127.0.0.1"),
    "another address": Shape(leaf(ROOT, hosts=("127.0.0.2",)), host="127.0.0.1", is_down=True),
    "address as a DNS name": Shape(
        leaf(ROOT, hosts=("shop.test",)), host="127.0.0.1", is_down=True
    ),
    "client certificate, TLS 1.2": Shape(RSA, change=demanding(TLS_1_2), client=CLIENT),
    "client certificate, TLS 1.3": Shape(RSA, change=demanding(TLS_1_3), client=CLIENT),
    "client certificate missing, TLS 1.2": Shape(RSA, is_down=True, change=demanding(TLS_1_2)),
    "a stranger's client certificate": Shape(
        RSA, is_down=True, change=demanding(TLS_1_2), client=leaf(None, for_clients=True)
    ),
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1:DeprecationWarning")
@pytest.mark.parametrize("name", SHAPES)
def test_checker_gets_through_wherever_curl_does(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    roots, own = tmp_path / "roots.pem", tmp_path / "own.pem"
    roots.write_text(ROOT.pem + RSA_ROOT.pem)
    options: dict[str, Any] = {}
    arguments = []
    if shape.is_verified:
        options["trusted_roots"] = (str(roots),)
        arguments += ["--cacert", str(roots)]
    else:
        options["tls_skip_verify"] = True
        arguments += ["--insecure"]
    if shape.client:
        shape.client.write(str(own))
        options["client_certificate"] = str(own)
        arguments += ["--cert", str(own)]
    context = shape.holder.server(above=shape.above)
    shape.change(context)

    with WebServer(context) as server:
        attempt = attempt_of(
            TlsChecker(endpoint_url=server.address, server_name=shape.host, **options)
        )
        url = f"https://{shape.host}:{server.port}/up"
        to_here = f"::127.0.0.1:{server.port}"
        curl = subprocess.run(
            [str(CURL), "-sS", "-m", "10", "--connect-to", to_here, *arguments, url],
            capture_output=True,
            check=False,
        )

    assert bool(attempt.error) == shape.is_down, attempt
    assert (curl.returncode != 0) == (shape.is_down != bool(shape.curl)), curl
