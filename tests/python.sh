#!/bin/sh
# python.sh PYTHON VENV: create a virtual environment, or print what is missing.
# An existing one must have that Python.
set -eu
python=$1 venv=$2

if ! command -v "$python" >/dev/null; then
    echo "$python not found. Install Python 3.11 or newer, or run make PYTHON=/path/to/python3." >&2
    exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "$("$python" --version) is too old: Checkup needs Python 3.11 or newer (make PYTHON=python3.12 ...)." >&2
    exit 1
fi
if [ -x "$venv/bin/python" ]; then
    version='import sys; print("%d.%d" % sys.version_info[:2])'
    there=$("$venv/bin/python" -c "$version")
    [ "$("$python" -c "$version")" = "$there" ] && exit
    echo "$venv has Python $there: run make clean first." >&2
    exit 1
fi
# On Debian the venv module is in a separate package.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && [ -z "${NO_APT:-}" ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends "$package" >/dev/null
    else
        echo "Python's venv module is missing. Run: sudo apt-get install $package" >&2
        exit 1
    fi
fi
"$python" -m venv "$venv"
