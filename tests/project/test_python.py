"""Which Python the virtual environment is made with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("there", "status", "said"),
    [
        (HERE, 0, ""),
        ("3.99", 1, "has Python 3.99: run make clean first.\n"),
    ],
)
def test_another_python_is_not_ignored_in_silence(
    tmp_path: Path, there: str, status: int, said: str
) -> None:
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\necho {there}\n")
    python.chmod(0o755)

    made = subprocess.run(
        ["sh", "tests/python.sh", sys.executable, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (made.returncode, made.stderr.removeprefix(f"{tmp_path} ")) == (status, said)
