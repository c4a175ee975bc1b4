"""Git repositories that are fetched: from a real server on loopback, by checked addresses alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import addresses, repository
from indexer.git import Git
from rag.errors import SourceError
from tests.support import repositories as made
from tests.support.repositories import commit

FILES = {"README.md": "# Spring\n", "docs/샘.md": "샘물이 솟는다.\n"}


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    commit(tmp_path / "served" / "repo", FILES)
    return tmp_path / "served" / "repo"


@pytest.fixture
def server(upstream: Path) -> Iterator[tuple[str, list[str]]]:
    """The repository's URL, and what the server is asked for."""
    with made.serve(upstream.parent) as (port, asked):
        yield f"http://127.0.0.1:{port}/repo/.git", asked


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def contents(there: Git) -> dict[str, str]:
    found = {}
    for item in there.list().items:
        fetched = there.fetch(item, "")
        assert fetched is not None
        found[item.path] = fetched.data.decode()
    return found


def source(spec: str, cache: Path) -> Git:
    return Git(f"git:{spec}", cache=cache, allow_private=True)


def test_a_remote_repository_is_fetched_without_history(
    upstream: Path, server: tuple[str, list[str]], cache: Path
) -> None:
    url, _ = server
    commit(upstream, {"README.md": "# Second\n"})
    there = source(url, cache)
    assert contents(there) == FILES | {"README.md": "# Second\n"}
    (kept,) = (cache / "git").glob("*/shallow")
    assert kept.read_text().split() == [made.git(upstream, "rev-parse", "HEAD")]
    uris = [item.uri for item in there.list().items]
    assert uris == [f"git:{url}@HEAD/README.md", f"git:{url}@HEAD/docs/%EC%83%98.md"]


def test_each_listing_sees_the_revision_as_it_is_now(
    upstream: Path, server: tuple[str, list[str]], cache: Path
) -> None:
    first = made.git(upstream, "rev-parse", "HEAD")
    made.git(upstream, "tag", "v1")
    there = source(f"{server[0]}@main", cache)
    assert contents(there) == FILES
    commit(upstream, {"README.md": None, "new.md": "new\n"})
    assert contents(there) == {"docs/샘.md": FILES["docs/샘.md"], "new.md": "new\n"}
    made.git(upstream, "reset", "--quiet", "--hard", first)
    commit(upstream, {"other.md": "history was rewritten\n"})
    assert "other.md" in contents(there)
    assert contents(source(f"{server[0]}@v1", cache)) == FILES
    assert contents(source(f"{server[0]}@{first}", cache)) == FILES
    assert len(list((cache / "git").glob("*/HEAD"))) == 1


def test_the_own_network_needs_permission(server: tuple[str, list[str]], cache: Path) -> None:
    there = Git(f"git:{server[0]}", cache=cache, allow_private=False)
    with pytest.raises(SourceError, match="a loopback address") as e:
        there.list()
    assert "fetch_private" in e.value.remedy
    assert server[1] == []
    assert not cache.exists()


@pytest.mark.parametrize("host", ["repo.test", "repo.test.", "REPO.test"])
def test_git_goes_to_the_address_that_was_checked(
    server: tuple[str, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    asked: list[str] = []

    def look_up(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    monkeypatch.setattr(addresses, "look_up", look_up)  # git itself could not resolve it
    url = server[0].replace("127.0.0.1", host)
    assert contents(source(url, cache)) == FILES
    assert asked == ["repo.test"]


def test_redirects_are_not_followed(tmp_path: Path, upstream: Path, cache: Path) -> None:
    with (
        made.serve(upstream.parent) as (port, asked),
        made.serve(upstream.parent, f"http://127.0.0.1:{port}") as (front, _),
        pytest.raises(SourceError, match=r"redirect|302"),
    ):
        source(f"http://127.0.0.1:{front}/repo/.git", cache).list()
    assert asked == []


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ("@nope", "couldn't find remote ref nope"),
        ("@HEAD~1", "cannot count from a remote revision"),
        ("@+HEAD", "is no revision"),
        ("@--upload-pack=x", "is no revision"),
        ("/other@HEAD", "not found"),
    ],
)
def test_what_is_not_there_is_told(
    server: tuple[str, list[str]], cache: Path, end: str, why: str
) -> None:
    with pytest.raises(SourceError, match=why) as e:
        source(server[0] + end, cache).list()
    assert e.value.remedy


def test_a_cache_that_cannot_be_written_is_told(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot be kept in ") as e:
        source(server[0], tmp_path / "file").list()
    assert "cache" in e.value.remedy


def test_a_server_that_is_gone_leaves_an_error(upstream: Path, cache: Path, tmp_path: Path) -> None:
    with made.serve(upstream.parent) as (port, _):
        there = source(f"http://127.0.0.1:{port}/repo/.git", cache)
        assert contents(there) == FILES
    with pytest.raises(SourceError, match="unable to access"):
        there.list()


@pytest.mark.parametrize(
    ("limit", "why"),
    [("_SECONDS", "was not fetched within"), ("_MAX_REPOSITORY", "is larger than")],
)
def test_a_fetch_that_takes_too_much_is_ended(
    server: tuple[str, list[str]],
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    why: str,
    tmp_path: Path,
) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    real = shutil.which("git")
    script = f'#!/bin/sh\ncase "$*" in *" fetch "*) sleep 60 & wait;; *) exec {real} "$@";; esac\n'
    (slow / "git").write_text(script)
    (slow / "git").chmod(0o700)
    monkeypatch.setenv("PATH", str(slow))
    monkeypatch.setattr(repository, limit, 0)
    with pytest.raises(SourceError, match=why):
        source(server[0], cache).list()


def test_a_git_that_cannot_be_told_addresses_is_not_used(
    server: tuple[str, list[str]], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_PINS_ADDRESSES", (99, 0))
    with pytest.raises(SourceError, match="cannot be told which addresses"):
        source(server[0], cache).list()
    assert server[1] == []
