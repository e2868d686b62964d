from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.certificates import issuer_name, not_after_ns, subject_alt_names
from checkup.times import SECOND
from tests.servers.forge import authority, leaf

AUTHORITY = trustme.CA()
ROOT = authority()


def damaged(der: bytes) -> st.SearchStrategy[bytes]:
    """Return certificates with one byte changed, or cut short."""
    places = st.integers(0, len(der) - 1)
    changed = st.tuples(places, st.binary(min_size=1, max_size=1))
    return st.one_of(
        places.map(lambda end: der[:end]),
        changed.map(lambda change: der[: change[0]] + change[1] + der[change[0] + 1 :]),
    )


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC), id="two-digit-year"),
        pytest.param(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), id="last-two-digit-year"),
        pytest.param(datetime(2051, 1, 1, 12, tzinfo=UTC), id="four-digit-year"),
    ],
)
def test_end_of_validity_is_read(end: datetime) -> None:
    issued = AUTHORITY.issue_cert("localhost", not_after=end)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    assert not_after_ns(der) == int(end.timestamp()) * SECOND


def test_far_end_fits_an_int64() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    issued = AUTHORITY.issue_cert("localhost", not_after=end)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    assert not_after_ns(der) == 2**63 - 1


@given(st.one_of(st.none(), st.binary(max_size=200)))
def test_anything_else_is_0_and_no_exception(der: bytes | None) -> None:
    assert 0 <= not_after_ns(der) < 2**63


@given(st.one_of(st.binary(max_size=200), st.just(ROOT.der).flatmap(damaged)))
def test_names_are_read_from_anything_without_an_exception(der: bytes) -> None:
    assert isinstance(issuer_name(der), str)
    assert isinstance(subject_alt_names(der), tuple)
    assert 0 <= not_after_ns(der) < 2**63


def test_names_are_those_of_the_certificate() -> None:
    der = leaf(ROOT, hosts=("Shop.test", "*.shop.test", "10.0.0.1", "2001:db8::1")).der

    assert issuer_name(der) == "Forge, Root"
    assert subject_alt_names(der) == ("shop.test", "*.shop.test", "10.0.0.1", "2001:db8::1")


def test_certificate_without_alternative_names_has_none() -> None:
    assert subject_alt_names(leaf(ROOT, hosts=()).der) == ()
