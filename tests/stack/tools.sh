#!/bin/sh
# Install what the tests of the stack run on, below var/tools: the AWS emulator, the SAM CLI
# (which brings cfn-lint and AWS's Lambda runtime emulator) and AWS's Lambda runtime client.
# Each has an environment of its own, because their pins contradict each other and ours.
#
# usage: tests/stack/tools.sh [PYTHON]     without PYTHON, that of .venv
# What is there already is left alone.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$root/var/tools
python=${1:-$root/.venv/bin/python}
mkdir -p "$tools"

# One installation at a time, should two builds of one checkout begin together.
if [ -z "${CHECKUP_TOOLS_LOCKED:-}" ] && command -v flock >/dev/null; then
    CHECKUP_TOOLS_LOCKED=1 exec flock "$tools/lock" "$0" "$@"
fi

version=$("$python" -c 'import sys; print(sys.base_prefix, sys.version.split()[0])')

# environment NAME REQUIREMENT... : a virtual environment that holds exactly these.
environment() {
    name=$1 && shift
    stamp="$version $*"
    [ "$(cat "$tools/$name/.stamp" 2>/dev/null)" = "$stamp" ] && return
    echo "installing $* into var/tools/$name"
    rm -rf "${tools:?}/$name"
    "$python" -m venv "$tools/$name"
    "$tools/$name/bin/python" -m pip install -qq --disable-pip-version-check "$@"
    echo "$stamp" >"$tools/$name/.stamp"
}

# In one command: installed afterwards, the translator moves botocore past the emulator's pin.
environment ministack ministack==1.5.33 aws-sam-translator==1.115.0 cryptography
environment sam aws-sam-cli==1.170.0

# As /var/runtime on Lambda, but without its boto3: what the layer forgot must be missed.
client=awslambdaric==4.2.2
stamp="$version $client"
if [ "$(cat "$tools/runtime/.stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "installing $client into var/tools/runtime"
    rm -rf "$tools/runtime"
    "$tools/sam/bin/python" -m pip install -qq --disable-pip-version-check \
        --target "$tools/runtime" "$client"
    case $(uname -m) in aarch64 | arm64) processor=arm64 ;; *) processor=x86_64 ;; esac
    cp "$tools"/sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-$processor \
        "$tools/runtime/aws-lambda-rie"
    chmod 755 "$tools/runtime/aws-lambda-rie"
    echo "$stamp" >"$tools/runtime/.stamp"
fi
