"""A bucket of S3, or of what speaks like it, as a source. Knows no formats.

Through boto3 (extra ``s3``), which finds credentials, region and endpoint (``AWS_ENDPOINT_URL``)
where it always does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from indexer.folders import as_text, may_be_document
from indexer.sources import Fetched, Gone, Item, Listing, Skipped, is_below
from rag.errors import DependencyMissing, SourceError

_MAX_BYTES = 100_000_000
_TOO_LARGE = f"is larger than {_MAX_BYTES / 1e6:g} MB"
_FROZEN = ("GLACIER", "DEEP_ARCHIVE")


class S3:
    """The objects of ``s3://BUCKET/PREFIX``: that of this key, and all below it.

    A document's path is bucket and key. Hidden objects are passed over, as in folders.
    """

    def __init__(self, spec: str) -> None:
        self._spec = spec
        self._bucket, _, prefix = spec.removeprefix("s3://").partition("/")
        self._prefix = prefix.rstrip("/")

    def list(self) -> Listing:
        """The objects in order of their paths.

        Raises
        ------
        DependencyMissing
            boto3 is not installed.
        SourceError
            The bucket cannot be listed.
        """
        items: list[Item] = []
        skipped: list[Skipped] = []
        others = 0
        for found in self._objects():
            key, path = found["Key"], as_text(f"{self._bucket}/{found['Key']}")
            if why := _unfit(found):
                skipped.append(Skipped(path, why))
            elif not may_be_document(key):
                others += 1
            else:
                day = {"modified": found["LastModified"].date().isoformat()}
                uri = f"s3://{self._bucket}/{quote(key)}"
                items.append(Item(uri, path, found["ETag"], found["Size"], metadata=day))
        items.sort(key=lambda item: item.path)
        root = f"s3://{self._bucket}/{quote(self._prefix)}"
        return Listing(root, items, skipped, others=others)

    def fetch(self, item: Item, known: str) -> Fetched | None:
        """An object's bytes.

        Raises
        ------
        Gone
            It has been deleted since it was listed.
        SourceError
            It cannot be had.
        """
        if item.stamp == known:
            return None
        key = unquote(item.uri.removeprefix(f"s3://{self._bucket}/"))
        with self._errors(item.path):
            found = self._client.get_object(Bucket=self._bucket, Key=key)
            data: bytes = found["Body"].read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise SourceError(item.path, _TOO_LARGE, remedy="Leave it out, or split it")
        return Fetched(data, found["ETag"])

    def _objects(self) -> Iterator[dict[str, Any]]:
        """The prefix itself and what is below it; keys that end with ``/`` only mark folders."""
        if not self._bucket:
            raise SourceError(self._spec, "names no bucket", remedy="Write s3://BUCKET/PREFIX")
        with self._errors(self._spec):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for found in page.get("Contents", []):
                    key = found["Key"]
                    within = is_below(key, self._prefix) or not self._prefix
                    hidden = "/." in f"/{key.removeprefix(self._prefix)}"
                    if within and not hidden and not key.endswith("/"):
                        yield found

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 makes its classes at run time
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise DependencyMissing("boto3", "s3") from None
        patience = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard"})
        with self._errors(self._spec):
            return boto3.session.Session().client("s3", config=patience)

    @contextmanager
    def _errors(self, shown: str) -> Iterator[None]:
        try:
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise DependencyMissing("boto3", "s3") from None
        try:
            yield
        except ClientError as e:
            said = e.response.get("Error", {})
            code = said.get("Code", "")
            if code == "NoSuchKey":
                raise Gone(shown, "is no longer in the bucket", remedy="Nothing to do") from None
            why = f"the bucket's server answers {code} ({said.get('Message', '')})"
            remedy = "Check the bucket's name and what your credentials allow"
            raise SourceError(shown, why, remedy=remedy) from None
        except BotoCoreError as e:
            remedy = "Check the credentials (AWS_ACCESS_KEY_ID, ...), region and AWS_ENDPOINT_URL"
            raise SourceError(shown, str(e), remedy=remedy) from None


def _unfit(found: dict[str, Any]) -> str:
    """Why an object cannot be read, whatever is in it."""
    if found["Size"] > _MAX_BYTES:
        return _TOO_LARGE
    return "is archived" if found.get("StorageClass") in _FROZEN else ""
