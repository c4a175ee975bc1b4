"""A bucket as a source, against moto's server on loopback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from indexer import s3
from indexer.s3 import S3
from indexer.sources import Gone
from rag.errors import DependencyMissing, SourceError

boto3 = pytest.importorskip("boto3", reason="needs extra s3")
moto = pytest.importorskip("moto.server", reason="needs extra dev")
s3_backends = pytest.importorskip("moto.s3.models").s3_backends
OBJECTS = {
    "docs/README.md": b"# Spring\n",
    "docs/샘/물 1+2.md": "샘물이 솟는다.\n".encode(),
    "docs2/other.md": b"not below docs",
}


KEYS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}


@pytest.fixture(scope="module")
def service() -> Iterator[Any]:
    """S3 as boto3 sees it, on loopback."""
    server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    where = {"endpoint_url": f"http://{host}:{port}", "region_name": "us-east-1"}
    yield boto3.resource("s3", **where, **KEYS)
    server.stop()


@pytest.fixture
def bucket(service: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket with `OBJECTS`, which the environment leads to."""
    around = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "us-east-1"}
    around |= {name.upper(): value for name, value in KEYS.items()}
    around["AWS_ENDPOINT_URL"] = service.meta.client.meta.endpoint_url
    for name, value in around.items():
        monkeypatch.setenv(name, value)
    made = service.Bucket("saem")
    made.create()
    for key, body in OBJECTS.items():
        made.put_object(Key=key, Body=body)
    yield made
    made.objects.delete()
    made.delete()


def contents(there: S3) -> dict[str, bytes]:
    found = {}
    for item in there.list().items:
        fetched = there.fetch(item, "")
        assert fetched is not None
        assert fetched.stamp == item.stamp
        found[item.path] = fetched.data
    return found


def test_all_objects_come_byte_for_byte(bucket: Any) -> None:
    assert contents(S3("s3://saem")) == {f"saem/{key}": body for key, body in OBJECTS.items()}


@pytest.mark.parametrize("spec", ["s3://saem/docs", "s3://saem/docs/"])
def test_a_prefix_is_a_folder(bucket: Any, spec: str) -> None:
    listing = S3(spec).list()
    assert [item.path for item in listing.items] == [
        "saem/docs/README.md",
        "saem/docs/샘/물 1+2.md",
    ]
    assert listing.root == "s3://saem/docs"
    assert listing.covers("s3://saem/docs/gone.md")
    assert not listing.covers("s3://saem/docs2/other.md")


def test_one_object_is_a_source(bucket: Any) -> None:
    assert contents(S3("s3://saem/docs/README.md")) == {"saem/docs/README.md": b"# Spring\n"}


def test_items_say_what_they_are(bucket: Any) -> None:
    item = S3("s3://saem/docs").list().items[1]
    assert item.uri == "s3://saem/docs/%EC%83%98/%EB%AC%BC%201%2B2.md"
    assert item.size == len(OBJECTS["docs/샘/물 1+2.md"])
    assert item.stamp == bucket.Object("docs/샘/물 1+2.md").e_tag
    today = datetime.now(UTC).date()
    assert abs((datetime.fromisoformat(item.metadata["modified"]).date() - today).days) <= 1


def test_a_stamp_changes_when_the_content_does(bucket: Any) -> None:
    there = S3("s3://saem/docs")
    before = there.list().items[0]
    assert there.fetch(before, before.stamp) is None
    bucket.put_object(Key="docs/README.md", Body=b"# Later\n")
    after = there.list().items[0]
    assert after.stamp != before.stamp
    fetched = there.fetch(before, before.stamp + "x")
    assert fetched is not None
    assert (fetched.data, fetched.stamp) == (b"# Later\n", after.stamp)


def test_listings_go_on_over_pages(bucket: Any) -> None:
    backend = s3_backends["123456789012"]["aws"]  # the server's own; by HTTP it takes 20 s
    for i in range(1100):
        backend.put_object("saem", f"many/{i:04}.md", b"x")
    paths = [item.path for item in S3("s3://saem/many").list().items]
    assert paths == [f"saem/many/{i:04}.md" for i in range(1100)]


def test_what_is_no_document_is_left_alone(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "_MAX_BYTES", 100)
    for key in ("x/", "x/.hidden/a.md", "x/.b.md", "x/p.png", "x/a.md"):
        bucket.put_object(Key=key, Body=b"x")
    bucket.put_object(Key="x/large.md", Body=b"x" * 101)
    bucket.put_object(Key="x/old.md", Body=b"x", StorageClass="GLACIER")
    listing = S3("s3://saem/x").list()
    assert [item.path for item in listing.items] == ["saem/x/a.md"]
    assert {s.path: s.why for s in listing.skipped} == {
        "saem/x/large.md": "is larger than 100 MB",
        "saem/x/old.md": "is archived",
    }
    assert listing.others == 1


def test_an_object_that_grew_since_is_not_read_whole(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_MAX_BYTES", 20)
    there = S3("s3://saem/docs")
    item = there.list().items[0]
    bucket.put_object(Key="docs/README.md", Body=b"x" * 21)
    with pytest.raises(SourceError, match=r"saem/docs/README\.md: is larger than"):
        there.fetch(item, "")


def test_an_object_that_was_deleted_since_is_gone(bucket: Any) -> None:
    there = S3("s3://saem/docs")
    item = there.list().items[0]
    bucket.Object("docs/README.md").delete()
    with pytest.raises(Gone, match=r"saem/docs/README\.md: is no longer in the bucket"):
        there.fetch(item, "")


def test_an_empty_prefix_has_nothing(bucket: Any) -> None:
    listing = S3("s3://saem/nothing").list()
    assert (listing.items, listing.failed) == ([], ())


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("s3://no-such-bucket", "NoSuchBucket"),
        ("s3://", "names no bucket"),
        ("s3:///docs", "names no bucket"),
        ("s3://UP CASE!/x", "Invalid bucket name"),
    ],
)
def test_buckets_that_are_not_there_are_told(bucket: Any, spec: str, why: str) -> None:
    with pytest.raises(SourceError, match=why) as e:
        S3(spec).list()
    assert (e.value.path, bool(e.value.remedy)) == (spec, True)


def test_missing_credentials_are_told(
    bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, f"{tmp_path}/none")
    with pytest.raises(SourceError, match="credentials") as e:
        S3("s3://saem").list()
    assert "AWS_ACCESS_KEY_ID" in e.value.remedy


def test_an_endpoint_that_is_down_is_told(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SourceError, match="Could not connect") as e:
        S3("s3://saem").list()
    assert "AWS_ENDPOINT_URL" in e.value.remedy


@pytest.mark.parametrize("package", ["boto3", "botocore.exceptions"])
def test_without_boto3_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DependencyMissing, match=r"saem\[s3\]"):
        S3("s3://saem").list()
