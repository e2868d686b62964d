"""The same commands on a bucket of S3."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests import gofile
from tests.cli.program import Program
from tests.cli.service import Service

AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture
def s3_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.mark.row("E24")
def test_store_and_page_on_a_bucket(checkup: Program, service: Service, s3_url: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=s3_url,
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    s3.create_bucket(
        Bucket="checks", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    checker = {"type": "http", "endpoint_name": "Web Shop", "endpoint_url": service.url}
    storage = {"type": "s3", "bucket": "checks", "region": "", "endpoint_url": s3_url}
    checkup.write({"checkers": [checker], "storage": storage})

    stored, shown = checkup("--store", **AWS), checkup("page", "out", **AWS)

    assert (stored.returncode, stored.stdout, stored.stderr) == (0, "", "")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="checks")["Contents"]]
    (run,) = [key for key in keys if key.endswith("-check.json")]
    body = s3.get_object(Bucket="checks", Key=run)["Body"].read()
    assert gofile.read(body)[0].healthy
    assert shown.returncode == 0
    assert "Web Shop" in (checkup.folder / "out/index.html").read_text()


def test_bucket_that_is_not_there_is_an_error_of_one_line(
    checkup: Program, service: Service, s3_url: str
) -> None:
    checker = {"type": "http", "endpoint_name": "api", "endpoint_url": service.url}
    storage = {"type": "s3", "bucket": "nowhere", "region": "eu-central-1", "endpoint_url": s3_url}
    checkup.write({"checkers": [checker], "storage": storage})

    ended = checkup("--store", **AWS)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "nowhere" in ended.stderr
