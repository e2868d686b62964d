from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from checkup.checkers.certificate import certificate_expiry
from checkup.model import SECOND

AUTHORITY = trustme.CA()


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

    assert certificate_expiry(der) == int(end.timestamp()) * SECOND


def test_far_end_fits_an_int64() -> None:
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    issued = AUTHORITY.issue_cert("localhost", not_after=end)
    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    assert certificate_expiry(der) == 2**63 - 1


@given(st.one_of(st.none(), st.binary(max_size=200)))
def test_anything_else_is_0_and_no_exception(der: bytes | None) -> None:
    assert 0 <= certificate_expiry(der) < 2**63
