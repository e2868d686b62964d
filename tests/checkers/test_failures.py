from __future__ import annotations

import errno

import pytest

from checkup.checkers.failures import from_os_error
from checkup.errors import CheckUnknownError


@pytest.mark.row("45")
@pytest.mark.parametrize(
    "code",
    [
        pytest.param(errno.EMFILE, id="descriptors"),
        pytest.param(errno.ENFILE, id="descriptors-of-the-system"),
        pytest.param(errno.EADDRNOTAVAIL, id="ports"),
        pytest.param(errno.ENOBUFS, id="buffers"),
    ],
)
def test_errors_of_this_machine_are_unknown(code: int) -> None:
    with pytest.raises(CheckUnknownError) as raised:
        from_os_error(OSError(code, "the system's text"))

    assert raised.value.failure == "resource"
    assert "the system's text" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        pytest.param(errno.ECONNREFUSED, "connect_refused", id="24"),
        pytest.param(errno.ENETUNREACH, "unreachable", id="29"),
        pytest.param(errno.ECONNRESET, "connect_reset", id="31"),
        pytest.param(errno.EIO, "network", id="anything-else"),
    ],
)
def test_errors_of_the_network_are_failures(code: int, failure: str) -> None:
    assert from_os_error(OSError(code, "the system's text")).failure == failure
