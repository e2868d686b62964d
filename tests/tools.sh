#!/bin/sh
# tools.sh: install the programs that the tests use. Run again, it does nothing.
#
# usage: tests/tools.sh [golang-go]      with what only `make audit` uses
#
# Debian packages need root and are not installed with NO_APT=1. Missing ones are printed with the command
# that installs them, and the tests that need them are left out (in CI they fail).
set -eu
cd "$(dirname "$0")/.."

packages=""
command -v curl >/dev/null || packages="$packages curl"
command -v dig >/dev/null || packages="$packages bind9-dnsutils"
command -v chromium >/dev/null || packages="$packages chromium"
command -v git >/dev/null || packages="$packages git"
command -v curl >/dev/null || packages="$packages curl"
command -v jq >/dev/null || packages="$packages jq"
[ "${1:-}" = golang-go ] && ! command -v go >/dev/null && packages="$packages golang-go"
command -v cc >/dev/null || packages="$packages gcc libc6-dev"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages="$packages nginx-light"
command -v caddy >/dev/null || packages="$packages caddy"
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || packages="$packages mariadb-server"
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || packages="$packages pgbouncer"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"

if [ -n "$packages" ]; then
    # $packages is a list of words on purpose.
    if [ "$(id -u)" = 0 ] && [ -z "${NO_APT:-}" ] && command -v apt-get >/dev/null; then
        echo "Installing$packages ..."
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        echo "Some tests are left out because Debian packages are missing. To install them: sudo apt-get install --no-install-recommends$packages"
    fi
fi

scripts/tools sam sbom ministack runtime encodings
