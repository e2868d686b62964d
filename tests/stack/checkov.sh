#!/bin/sh
# Run checkov on the template as CloudFormation sees it. It needs 400 MB and pins an old boto3, so it has
# a separate environment and runs only in `make audit`.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$root/var/tools
template=$(mktemp -d)/template.json
trap 'rm -rf "$(dirname "$template")"' EXIT

version=3.3.30
if [ "$(cat "$tools/checkov/.stamp" 2>/dev/null)" != "$version" ]; then
    echo "installing checkov $version into var/tools/checkov"
    rm -rf "$tools/checkov"
    "$root/.venv/bin/python" -m venv "$tools/checkov"
    "$tools/checkov/bin/python" -m pip install -qq --disable-pip-version-check "checkov==$version"
    echo "$version" >"$tools/checkov/.stamp"
fi

# Skipped checks and their reasons:
skipped="
CKV_AWS_18   access logs of the buckets: only the two functions and CloudFront have access, and logs of a
             public page would record its visitors
CKV_AWS_86   access logs of CloudFront: they would record its visitors, too
CKV_AWS_21   versions of the page: it can be rendered again from the runs, whose bucket has versions
CKV_AWS_26   encryption of the alarms' topic: CloudWatch cannot use the key managed by AWS, and a customer
             key costs as much as the whole stack; alarms contain nothing secret
CKV_AWS_27   encryption of the queue: it has SqsManagedSseEnabled, which this check does not know
CKV_AWS_68   a firewall for the page: the files are static and public; it costs five dollars a month
CKV_AWS_116  a dead letter queue of the functions: they have a destination for failures instead, with the reason
CKV_AWS_117  functions in a VPC: they check the internet, and a NAT gateway costs 33 dollars a month
CKV_AWS_158  logs with a customer key: they contain no secret and are encrypted by AWS
CKV_AWS_173  variables with a customer key: they contain no secret and are encrypted by AWS
CKV_AWS_174  TLS 1.2 for visitors: set with a custom domain; CloudFront's own certificate leaves no
             choice
"
identifiers=$(echo "$skipped" | grep -o '^CKV[A-Z0-9_]*' | paste -sd , -)

AWS_DEFAULT_REGION=us-east-1 "$tools/sam/bin/python" "$root/tests/stack/translate.py" \
    "$root/template.yaml" >"$template"
PYTHONWARNINGS=ignore "$tools/checkov/bin/checkov" --file "$template" --framework cloudformation --skip-download \
    --skip-check "$identifiers" --compact --quiet
echo "checkov finds nothing in the template"
