"""The bucket that packages are uploaded to, and the upload."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

_NOT_FOUND: Final = frozenset({"404", "NoSuchBucket", "NotFound"})


class ArtifactsError(Exception):
    """The packages cannot be uploaded safely."""


def artifacts_bucket(s3: Any, account: str, stack_name: str) -> str:
    """The bucket packages are uploaded to, made if it is not there.

    Its name can be guessed, and whoever makes it first owns it: a bucket of another account would get our code, and
    could hand CloudFormation other code.

    Raises:
        ArtifactsError: the bucket is another account's, or we may not look at it.
    """
    region = s3.meta.region_name
    bucket = f"{stack_name}-artifacts-{account}-{region}"
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_FOUND:
            raise ArtifactsError(
                f"bucket {bucket} is not account {account}'s, or its role may not read it: nothing was uploaded"
            ) from error
        _create(s3, bucket, region)
    return bucket


def _create(s3: Any, bucket: str, region: str) -> None:
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **place)
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
    )
    # Archives stay, under their hashes: a rollback takes the ones before. Only what was overwritten goes.
    s3.put_bucket_lifecycle_configuration(
        Bucket=bucket,
        LifecycleConfiguration={
            "Rules": [
                {
                    "ID": "drop-abandoned-uploads",
                    "Status": "Enabled",
                    "Filter": {"Prefix": ""},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        },
    )


def upload(out: Path, bucket: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run `aws cloudformation package`: archives to S3 under their hash, their addresses into the template.

    Returns:
        The template with these addresses.

    Raises:
        ArtifactsError: the upload failed.
    """
    packaged = out / "packaged.json"
    command = [str(Path(sys.executable).parent / "aws"), "cloudformation", "package", "--use-json"]
    command += ["--template-file", str(out / "sam.json"), "--s3-bucket", bucket]
    command += ["--output-template-file", str(packaged)]
    result = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **environment})
    if result.returncode != 0:
        raise ArtifactsError(f"aws cloudformation package failed:\n{result.stdout}{result.stderr}")
    template: dict[str, Any] = json.loads(packaged.read_text(encoding="utf-8"))
    return template


def template_url(s3: Any, template: dict[str, Any], bucket: str, stack_name: str, endpoint_url: str | None) -> str:
    """Put the template into S3; inline templates end at 51,200 bytes and this one is larger."""
    key = f"templates/{stack_name}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(template).encode())
    if endpoint_url:
        return f"{endpoint_url}/{bucket}/{key}"
    return f"https://{bucket}.s3.{s3.meta.region_name}.amazonaws.com/{key}"
