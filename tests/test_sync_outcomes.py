"""What a sync makes of files that moved, failed, repeat others, or would be made differently."""

from __future__ import annotations

from pathlib import Path

from indexer.reading import Reading
from rag.rules import Rule
from rag.types import Filter
from rag.workspace import Workspace
from tests.support import docs


def found(saem: Workspace, query: str) -> list[str]:
    return [h.chunk.path for h in saem.searcher().search(query, mode="bm25").hits]


class TestMoves:
    def test_a_moved_file_needs_no_new_vectors(self, saem: Workspace, folder: Path) -> None:
        (folder / "deep/er").mkdir(parents=True)
        (folder / "ko/cors.md").rename(folder / "deep/er/출처.md")
        report = docs.index(saem, folder, vectors=False)
        assert (report.moved, report.added, report.removed, report.changed) == (1, 0, 0, 0)
        assert saem.collection().outstanding() == 0
        assert found(saem, "미들웨어") == ["deep/er/출처.md"]

    def test_two_files_may_change_places(self, saem: Workspace, folder: Path) -> None:
        one, two = folder / "en/cors.md", folder / "en/tea.md"
        one.rename(folder / "x")
        two.rename(one)
        (folder / "x").rename(two)
        report = docs.index(saem, folder, vectors=False)
        assert (report.changed, report.unchanged, saem.collection().outstanding()) == (2, 3, 0)
        assert found(saem, "brewed") == ["en/cors.md"]


class TestFailures:
    def test_a_failed_file_is_tried_again_when_it_changes(
        self, saem: Workspace, folder: Path, jobs: list[Reading]
    ) -> None:
        (folder / "x.json").write_text('{"tea": ')
        assert [e.path for e in docs.index(saem, folder).failed] == ["x.json"]
        again = docs.index(saem, folder)
        assert (again.failed, again.before) == ([], 1)
        assert [reading.path for reading in jobs] == ["x.json"]
        (folder / "x.json").write_text('{"tea": "Oolong"}')
        assert docs.index(saem, folder).added == 1
        assert saem.entries("failed") == []
        assert found(saem, "oolong") == ["x.json"]

    def test_a_failed_file_that_is_gone_is_forgotten(self, saem: Workspace, folder: Path) -> None:
        (folder / "x.json").write_text('{"tea": ')
        docs.index(saem, folder)
        (folder / "x.json").unlink()
        report = docs.index(saem, folder)
        assert (report.before, report.removed, saem.entries()) == (0, 0, [])

    def test_files_of_no_known_type_are_looked_into_once(
        self, saem: Workspace, folder: Path, jobs: list[Reading]
    ) -> None:
        (folder / "a.odd").write_bytes(b"what is this")
        for _ in range(2):
            report = docs.index(saem, folder)
            assert (report.failed, report.added) == ([], 0)
            assert (report.others, report.unchanged) == (1, 5)
        assert [reading.path for reading in jobs] == ["a.odd"]


class TestDuplicates:
    def test_the_other_file_is_an_alias_that_is_cited_too(
        self, saem: Workspace, folder: Path
    ) -> None:
        (folder / "copy.md").write_text(docs.FILES["en/tea.md"])
        report = docs.index(saem, folder)
        assert (report.added, [d.path for d in report.dropped]) == (0, ["copy.md"])
        assert found(saem, "brewed") == ["en/tea.md"]
        (tea,) = [d for d in saem.collection().documents() if d.path == "en/tea.md"]
        assert tea.aliases == ("copy.md",)
        answer = saem.answerer().ask("How is green tea brewed?")
        assert answer.citations[0].aliases == ("copy.md",)
        assert docs.index(saem, folder).unchanged == 6

    def test_the_copy_takes_over_when_the_original_goes(
        self, saem: Workspace, folder: Path
    ) -> None:
        (folder / "copy.md").write_text(docs.FILES["en/tea.md"])
        docs.index(saem, folder)
        (folder / "en/tea.md").unlink()
        report = docs.index(saem, folder, vectors=False)
        assert (report.added + report.moved, report.removed) == (1, 0)
        assert found(saem, "brewed") == ["copy.md"]
        assert (saem.entries(), saem.collection().outstanding()) == ([], 0)

    def test_the_copy_is_a_document_when_the_original_says_otherwise(
        self, saem: Workspace, folder: Path
    ) -> None:
        (folder / "copy.md").write_text(docs.FILES["en/tea.md"])
        docs.index(saem, folder)
        (folder / "en/tea.md").write_text("# Coffee\n\nEspresso is strong.")
        assert docs.index(saem, folder).added == 1
        assert found(saem, "brewed") == ["copy.md"]
        assert all(not d.aliases for d in saem.collection().documents())

    def test_a_document_that_becomes_a_copy_is_one(self, saem: Workspace, folder: Path) -> None:
        (folder / "notes.txt").write_text(docs.FILES["en/tea.md"])
        report = docs.index(saem, folder)
        assert (report.removed, len(report.dropped)) == (1, 1)
        assert found(saem, "flower pot") == []

    def test_all_come_back_when_they_are_wanted(self, saem: Workspace, folder: Path) -> None:
        (folder / "copy.md").write_text(docs.FILES["en/tea.md"])
        docs.index(saem, folder)
        every = Workspace(saem.settings.replace(near_duplicates=0.0))
        assert docs.index(every, folder).added == 1
        assert sorted(found(every, "brewed")) == ["copy.md", "en/tea.md"]
        assert docs.index(every, folder).unchanged == 6
        every.close()


class TestRecipes:
    def test_another_size_cuts_everything_anew(self, saem: Workspace, folder: Path) -> None:
        before = saem.collection().count()
        fine = Workspace(saem.settings.replace(chunk_tokens=12))
        report = docs.index(fine, folder)
        assert (report.changed, report.unchanged) == (5, 0)
        assert fine.collection().count() > before
        assert docs.index(fine, folder).unchanged == 5
        fine.close()

    def test_rules_give_fields_and_groups(self, saem: Workspace, folder: Path) -> None:
        rules = (Rule("ko/**", {"team": "seoul"}, ("staff",)),)
        ruled = Workspace(saem.settings.replace(rules=rules))
        docs.index(ruled, folder)
        query = "미들웨어 출처"
        searcher = ruled.searcher()
        one = searcher.search(query, mode="bm25", filter=Filter({"team": ("seoul",)}))
        assert {h.chunk.path for h in one.hits} == {"ko/cors.md"}
        for groups, expected in (((), False), (("staff",), True)):
            hits = searcher.search(query, mode="bm25", filter=Filter(groups=groups)).hits
            assert any(h.chunk.path == "ko/cors.md" for h in hits) is expected
        ruled.close()
