#!/bin/sh
# What checkov says of the template as CloudFormation will see it. It needs 400 MB and pins an old
# boto3, so it has an environment of its own and runs only in `make audit`.
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

# Left out, each for a reason:
skipped="
CKV_AWS_18   access logs of the buckets: nobody but the two functions and CloudFront gets in, and logs of
             a page for everybody would be a record of its readers
CKV_AWS_86   access logs of CloudFront: the same record of readers
CKV_AWS_21   versions of the page: it is made anew from the runs, whose bucket keeps versions
CKV_AWS_26   encryption of the alarms' topic: CloudWatch may not use the key that AWS manages, and one of
             one's own costs as much as the whole stack; an alarm says nothing secret
CKV_AWS_27   encryption of the queue: it has SqsManagedSseEnabled, which this check does not know
CKV_AWS_68   a firewall before the page: static files that anybody may read, for five dollars a month
CKV_AWS_116  a dead letter queue of the functions: they have a destination for failures instead, with the reason
CKV_AWS_117  functions in a VPC: they check the internet, and a NAT gateway costs 33 dollars a month
CKV_AWS_158  logs under a key of one's own: no secret is in them, and they are encrypted by AWS
CKV_AWS_173  variables under a key of one's own: no secret is in them, and they are encrypted by AWS
CKV_AWS_174  TLS 1.2 for viewers: set where the page has a name of its own; CloudFront's own certificate
             leaves no choice
"
identifiers=$(echo "$skipped" | grep -o '^CKV[A-Z0-9_]*' | paste -sd , -)

AWS_DEFAULT_REGION=us-east-1 "$tools/sam/bin/python" "$root/tests/stack/translate.py" \
    "$root/template.yaml" >"$template"
PYTHONWARNINGS=ignore "$tools/checkov/bin/checkov" --file "$template" --framework cloudformation --skip-download \
    --skip-check "$identifiers" --compact --quiet
echo "checkov finds nothing in the template"
