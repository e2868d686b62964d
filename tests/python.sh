#!/bin/sh
# python.sh PYTHON VENV: make a virtual environment, and say what is missing if that cannot be done.
# One that is there already has to have that Python.
set -eu
python=$1 venv=$2

if ! command -v "$python" >/dev/null; then
    echo "There is no $python here. Install Python 3.11 or newer, or say make PYTHON=/path/to/python3." >&2
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
    echo "$venv has Python $there and keeps it: run make clean first." >&2
    exit 1
fi
# Debian keeps the module that fills a virtual environment in a package of its own.
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
