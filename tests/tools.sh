#!/bin/sh
# tools.sh: fetch the programs that the tests drive. Run again, it does nothing.
#
# Debian packages need root and can be declined with NO_APT=1; what is then missing is named, with the
# line that gets it, and the tests that need it are left out (in CI they fail).
set -eu
cd "$(dirname "$0")/.."

packages=""
command -v chromium >/dev/null || packages="$packages chromium"
command -v git >/dev/null || packages="$packages git"
command -v cc >/dev/null || packages="$packages gcc libc6-dev"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || packages="$packages nginx-light"
command -v caddy >/dev/null || packages="$packages caddy"
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || packages="$packages mariadb-server"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || packages="$packages postgresql"

if [ -n "$packages" ]; then
    # $packages is a list of words on purpose.
    if [ "$(id -u)" = 0 ] && [ -z "${NO_APT:-}" ] && command -v apt-get >/dev/null; then
        echo "Installing$packages ..."
        apt-get update -qq
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
    else
        echo "Left out, for want of Debian packages. To get them: sudo apt-get install --no-install-recommends$packages"
    fi
fi

scripts/tools sam sbom ministack runtime
