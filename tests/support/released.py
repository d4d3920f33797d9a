"""The current release's files as an analyst reads them: from the bucket, not through the service."""

import json

from tests.support.throwaway import RunningStack


def dataset(stack: RunningStack, name: str) -> bytes:
    """A file of the current release."""
    s3 = stack.client("s3")
    pointer = json.loads(s3.get_object(Bucket=stack.outputs.bucket, Key="releases/current.json")["Body"].read())
    body: bytes = s3.get_object(Bucket=stack.outputs.bucket, Key=pointer["datasets"][name]["key"])["Body"].read()
    return body
