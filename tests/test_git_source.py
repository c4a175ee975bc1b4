"""Git repositories as sources: real ones, read on disk and over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer import git
from indexer.git import Git
from indexer.sources import Listing
from rag.errors import SourceError
from tests.support import repositories as made
from tests.support.repositories import commit

FILES = {
    "README.md": "# Spring\n",
    "docs/샘.md": "샘물이 솟는다.\n",
    "docs/data.bin.txt": bytes(range(256)),
    "empty.txt": "",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    commit(tmp_path / "repo", FILES)
    return tmp_path / "repo"


def source(spec: str | Path, cache: Path = Path("cache"), *, allow_private: bool = True) -> Git:
    return Git(f"git:{spec}", cache=cache, allow_private=allow_private)


def contents(there: Git) -> dict[str, bytes]:
    found = {}
    for item in there.list().items:
        fetched = there.fetch(item, "")
        assert fetched is not None
        assert fetched.stamp == item.stamp
        found[item.path] = fetched.data
    return found


def as_bytes(files: dict[str, str | bytes]) -> dict[str, bytes]:
    return {n: c.encode() if isinstance(c, str) else c for n, c in files.items()}


def paths(listing: Listing) -> list[str]:
    return [item.path for item in listing.items]


def test_all_files_come_byte_for_byte(repo: Path) -> None:
    assert contents(source(repo)) == as_bytes(FILES)


def test_items_say_what_and_where_they_are(repo: Path) -> None:
    listing = source(repo).list()
    assert paths(listing) == ["README.md", "docs/data.bin.txt", "docs/샘.md", "empty.txt"]
    item = listing.items[2]
    assert item.uri == f"git:{repo}@HEAD/docs/%EC%83%98.md"
    assert item.stamp == made.git(repo, "rev-parse", "HEAD:docs/샘.md")
    assert item.size == len(FILES["docs/샘.md"].encode())
    assert listing.root == f"git:{repo}@HEAD"
    assert listing.covers(f"git:{repo}@HEAD/docs/gone.md")
    assert not listing.covers(f"git:{repo}@main/docs/gone.md")


def test_what_is_known_is_not_read_again(repo: Path) -> None:
    there = source(repo)
    item = there.list().items[0]
    assert there.fetch(item, item.stamp) is None


def test_the_work_tree_does_not_count(repo: Path) -> None:
    (repo / "README.md").write_text("changed\n")
    (repo / "new.md").write_text("new\n")
    assert contents(source(repo)) == as_bytes(FILES)


def test_revisions_are_sources_of_their_own(repo: Path) -> None:
    first = made.git(repo, "rev-parse", "HEAD")
    made.git(repo, "tag", "--annotate", "v1.0", "--message", "one")
    made.git(repo, "branch", "feature/a")
    commit(repo, {"README.md": "# Later\n", "docs/샘.md": None, "moved.md": FILES["docs/샘.md"]})
    later = contents(source(repo))
    assert later["README.md"] == b"# Later\n"
    assert later["moved.md"] == FILES["docs/샘.md"].encode()
    for name in ("v1.0", "feature/a", "HEAD~1", first, first[:10], "HEAD^"):
        assert contents(source(f"{repo}@{name}")) == as_bytes(FILES)
    stamps = {item.path: item.stamp for item in source(repo).list().items}
    before = {item.path: item.stamp for item in source(f"{repo}@v1.0").list().items}
    assert stamps["moved.md"] == before["docs/샘.md"]


def test_links_submodules_and_hidden_files_are_left_alone(repo: Path) -> None:
    (repo / "link.md").symlink_to("README.md")
    commit(repo, {".github/a.md": "x", "docs/.b.md": "x", "picture.png": b"\x89PNG"})
    made.git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor/lib")
    made.git(repo, "commit", "--quiet", "--message", "a submodule")
    listing = source(repo).list()
    assert paths(listing) == sorted(FILES)
    assert [(s.path, s.why) for s in listing.skipped] == [
        ("link.md", "is a link"),
        ("vendor/lib", "is a submodule, which is a source of its own"),
    ]
    assert listing.others == 1


def test_large_files_are_left_alone(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "_MAX_BYTES", 200)
    listing = source(repo).list()
    assert [s.path for s in listing.skipped] == ["docs/data.bin.txt"]


def test_any_name_is_a_path(repo: Path) -> None:
    names = [b"line\nbreak.md", b"bad\xff.md", b"tab\t.md", b"%41.md", b"-q.md", b"a b.md"]
    for name in names:
        Path(os.fsdecode(os.fsencode(repo) + b"/" + name)).write_bytes(name)
    commit(repo, {})
    there = source(repo)
    items = {item.path: item for item in there.list().items if item.path not in FILES}
    assert sorted(items) == sorted(n.decode("utf-8", "replace") for n in names)
    assert all(there.fetch(i, "").data.decode("utf-8", "replace") == p for p, i in items.items())
    assert f"git:{repo}@HEAD/bad%FF.md" in {item.uri for item in items.values()}
    assert all(item.uri.isascii() for item in items.values())


def test_bare_and_other_hash_repositories_are_read(repo: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare@home.git"  # exists, so @ belongs to its name
    made.git(tmp_path, "clone", "--quiet", "--bare", str(repo), str(bare))
    assert contents(source(bare)) == as_bytes(FILES)
    assert contents(source(f"{bare}@main")) == as_bytes(FILES)
    made.git(tmp_path, "init", "--quiet", "--object-format=sha256", "long")
    commit(tmp_path / "long", FILES)
    assert contents(source(tmp_path / "long")) == as_bytes(FILES)


def test_a_file_kept_elsewhere_is_told(repo: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
    commit(repo, {"big.pdf": pointer})
    there = source(repo)
    item = next(i for i in there.list().items if i.path == "big.pdf")
    with pytest.raises(SourceError, match=r"big\.pdf: its content is in Git LFS"):
        there.fetch(item, "")


def test_a_blob_that_is_missing_or_damaged_is_told_and_others_are_read(repo: Path) -> None:
    there = source(repo)
    readme, data, *_ = there.list().items
    (repo / ".git/objects" / readme.stamp[:2] / readme.stamp[2:]).unlink()
    damaged = repo / ".git/objects" / data.stamp[:2] / data.stamp[2:]
    damaged.chmod(0o600)
    damaged.write_bytes(b"junk")
    for item in (readme, data):
        with pytest.raises(SourceError, match="is missing or damaged"):
            there.fetch(item, "")
    assert there.fetch(there.list().items[2], "").data == FILES["docs/샘.md"].encode()


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("{repo}@nope", "Needed a single revision"),
        ("{repo}@", "'' is no revision"),
        ("{repo}@--help", "'--help' is no revision"),
        ("{repo}@-n", "'-n' is no revision"),
        ("{repo}@{{1}}", "Needed a single revision"),
        ("{repo}@a b", "is no revision"),
        ("{repo}@HEAD:docs", "is no revision"),
        ("{repo}/docs", "not a git repository"),
        ("{repo}/README.md", "cannot change to"),
        ("{repo}-gone", "cannot change to"),
        ("", "is no revision"),
        ("@HEAD", "'' is no repository"),
        ("a\0b", "is no repository"),
        ("ext::sh -c touch% ran", "cannot change to"),
        ("file:///{repo}", "can be fetched"),
        ("ssh://git@example.org/a", "can be fetched"),
        ("git@example.org:a/b.git", "reached by SSH"),
        ("https://user:secret@example.org/a", "user or password"),
        ("-q", "cannot change to"),
    ],
)
def test_specs_that_make_no_sense_are_told(repo: Path, spec: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=why) as e:
        source(spec.format(repo=repo), tmp_path / "cache").list()
    assert e.value.remedy
    assert not Path("ran").exists()


def test_a_missing_program_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SourceError, match="needs the program git") as e:
        source(repo).list()
    assert "Install git" in e.value.remedy


def test_nothing_of_a_hostile_repository_runs(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    run = f"touch {ran}"
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "filter.x.smudge",
                 "filter.x.clean", "filter.x.process", "diff.x.textconv", "credential.helper",
                 "uploadpack.packObjectsHook", "core.alternateRefsCommand"):  # fmt: skip
        made.git(repo, "config", name, run)
    (repo / ".git/info/attributes").write_text("* filter=x diff=x\n")
    for hook in ("post-checkout", "post-index-change", "reference-transaction"):
        file = repo / ".git/hooks" / hook
        file.write_text(f"#!/bin/sh\n{run}\n")
        file.chmod(0o700)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", run)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert contents(source(repo)) == as_bytes(FILES)
    assert not ran.exists()


def test_a_partial_clone_fetches_nothing_while_it_is_read(repo: Path, tmp_path: Path) -> None:
    made.git(repo, "config", "uploadpack.allowFilter", "true")
    part = tmp_path / "part"
    command = ("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo}", "part")
    made.git(tmp_path, *command)
    with pytest.raises(SourceError, match="promisor") as e:
        source(part).list()
    assert "git fetch --refetch" in e.value.remedy
    count = made.git(part, "rev-list", "--objects", "--all", "--missing=print").count("?")
    assert count == len(FILES)
