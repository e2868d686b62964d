#!/bin/sh
# Install the audit tools of the page below var/tools/page: html-validate and Lighthouse, from npm.
# What is already installed is left alone.
set -eu
cd "$(dirname "$0")/../.."
wanted="html-validate@10.17.0 lighthouse@12.8.2"
tools=var/tools/page

[ "$(cat $tools/.stamp 2>/dev/null)" = "$wanted" ] && exit
command -v npm >/dev/null || {
    echo "The audit of the page needs npm: sudo apt-get install --no-install-recommends npm" >&2
    exit 1
}
echo "installing $wanted into $tools"
rm -rf $tools && mkdir -p $tools
# $wanted is a list of words on purpose.
# shellcheck disable=SC2086
npm install --prefix $tools --no-audit --no-fund --silent $wanted
echo "$wanted" >$tools/.stamp
