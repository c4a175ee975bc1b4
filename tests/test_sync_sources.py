"""Several sources in several runs: what says the same in two of them, and what a sitemap names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from indexer import folders
from indexer.reading import Reading
from indexer.sources import Fetched, Item, Listing
from rag.errors import SourceError
from rag.rules import Rule
from rag.types import Filter
from rag.workspace import Workspace
from tests.support import docs
from tests.support.site import Reply, Site, serve

TEA = docs.FILES["en/tea.md"]
COFFEE = "# Coffee\n\nEspresso is strong.\n"


def found(saem: Workspace, query: str) -> list[str]:
    return [h.chunk.path for h in saem.searcher().search(query, mode="bm25").hits]


def paths(saem: Workspace) -> list[str]:
    return [d.path for d in saem.collection().documents()]


class TestAliasesOfAnotherSource:
    @pytest.fixture
    def other(self, saem: Workspace, tmp_path: Path) -> Path:
        """A folder whose one file says what en/tea.md does, which is the document."""
        other = docs.write(tmp_path / "other", {"copy.md": TEA})
        docs.index(saem, other)
        assert [e.path for e in saem.entries("alias")] == ["copy.md"]
        return other

    @pytest.mark.parametrize("now", [None, COFFEE])
    def test_it_is_a_document_when_what_it_repeats_is_no_more(
        self, saem: Workspace, folder: Path, other: Path, now: str | None
    ) -> None:
        if now is None:
            (folder / "en/tea.md").unlink()
        else:
            (folder / "en/tea.md").write_text(now)
        docs.index(saem, folder)
        assert found(saem, "brewed") == ["copy.md"]
        assert saem.entries("alias") == []
        assert docs.index(saem, other).unchanged == 1

    def test_it_is_forgotten_when_it_is_gone_too(
        self, saem: Workspace, folder: Path, other: Path
    ) -> None:
        (folder / "en/tea.md").unlink()
        (other / "copy.md").unlink()
        docs.index(saem, folder)
        assert (found(saem, "brewed"), saem.entries()) == ([], [])

    def test_it_is_judged_by_the_rules_of_now(
        self, saem: Workspace, folder: Path, other: Path
    ) -> None:
        rules = (Rule("copy.md", {}, ("board",)),)
        ruled = Workspace(saem.settings.replace(rules=rules))
        docs.index(ruled, folder)
        assert {d.path: d.aliases for d in ruled.collection().documents()}["en/tea.md"] == ()
        for groups, expected in (((), {"en/tea.md"}), (("board",), {"en/tea.md", "copy.md"})):
            hits = ruled.searcher().search("brewed", mode="bm25", filter=Filter(groups=groups)).hits
            assert {h.chunk.path for h in hits} == expected
        ruled.close()

    def test_it_is_left_to_its_own_source_if_it_is_no_file(
        self, saem: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shelf = Shelf()
        with monkeypatch.context() as patched:
            patched.setattr("indexer.sync.open_source", lambda *_: shelf)
            docs.index(saem, Path("shelf"))
        assert [e.path for e in saem.entries("alias")] == ["one.md"]
        (folder / "en/tea.md").unlink()
        report = docs.index(saem, folder)
        assert [(n.path, n.why.split(":")[1]) for n in report.notes] == [
            ("one.md", " index its source again")
        ]
        assert saem.entries() == []
        monkeypatch.setattr("indexer.sync.open_source", lambda *_: shelf)
        docs.index(saem, Path("shelf"))
        assert found(saem, "brewed") == ["one.md"]


class Shelf:
    """A source of one document that need not be a file."""

    def __init__(self) -> None:
        self.open = True

    def list(self) -> Listing:
        return Listing("shelf:", [Item("shelf:/one.md", "one.md", "stamp")])

    def fetch(self, item: Item, known: str) -> Fetched | None:
        if not self.open:
            raise SourceError(item.path, "cannot be had now")
        return None if item.stamp == known else Fetched(TEA.encode(), item.stamp)


def test_what_could_not_be_had_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saem, shelf = Workspace(docs.settings(tmp_path / "home")), Shelf()
    monkeypatch.setattr("indexer.sync.open_source", lambda *_: shelf)
    shelf.open = False
    for _ in range(2):
        report = docs.index(saem, Path("shelf"))
        assert ([e.why for e in report.failed], report.before) == (["cannot be had now"], 0)
    shelf.open = True
    assert docs.index(saem, Path("shelf")).added == 1
    assert saem.entries() == []
    saem.close()


def test_a_file_that_could_not_be_opened_is_tried_again(
    saem: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "new.md").write_text(COFFEE)
    real = folders._item

    def closed(path: Path, found: os.stat_result, name: str) -> Item:
        item = real(path, found, name)
        return replace(item, file=folder / "nowhere") if name == "new.md" else item

    with monkeypatch.context() as patched:
        patched.setattr(folders, "_item", closed)
        for _ in range(2):
            report = docs.index(saem, folder)
            assert ([e.path for e in report.failed], report.before) == (["new.md"], 0)
    assert docs.index(saem, folder).added == 1


def test_a_file_that_took_too_much_is_tried_again_with_other_limits(
    saem: Workspace, folder: Path, jobs: list[Reading]
) -> None:
    (folder / "x.json").write_text('{"tea": ')
    docs.index(saem, folder)
    patient = Workspace(saem.settings.replace(read_seconds=60))
    for _ in range(2):
        docs.index(patient, folder)
    assert [reading.path for reading in jobs] == ["x.json", "x.json"]
    patient.close()


class TestSitemaps:
    @pytest.fixture
    def site(self) -> Iterator[Site]:
        with serve() as running:
            running.pages["/robots.txt"] = Reply(b"", 404)
            for name in ("guide/tea", "guide/milk", "blog/coffee"):
                text = f"<html><body><p>All of {name} is told here at length.</p></body></html>"
                running.pages[f"/{name}.html"] = text.encode()
            yield running

    def name(self, site: Site, *pages: str) -> None:
        urls = "".join(f"<url><loc>{site.url}/{page}.html</loc></url>" for page in pages)
        site.pages["/sitemap.xml"] = (
            f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'
        ).encode()

    def test_it_speaks_for_what_it_named_and_for_nothing_else(
        self, site: Site, tmp_path: Path
    ) -> None:
        saem = Workspace(docs.settings(tmp_path / "home", fetch_private=True))
        host = site.url.removeprefix("http://")
        self.name(site, "guide/tea", "blog/coffee")
        saem.sync([f"{site.url}/sitemap.xml"])
        saem.sync([f"{site.url}/guide/milk.html"])
        names = ["blog/coffee.html", "guide/milk.html", "guide/tea.html"]
        assert paths(saem) == [f"{host}/{name}" for name in names]
        self.name(site, "guide/tea")
        for removed in (1, 0):
            assert saem.sync([f"{site.url}/sitemap.xml"]).removed == removed
            assert paths(saem) == [f"{host}/{name}" for name in names[1:]]
        saem.close()
