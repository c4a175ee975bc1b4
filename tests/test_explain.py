"""Why a document stands where it does: ranks against full lists, sentences by value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rag import analysis
from rag.cli.explain import explain as command
from rag.errors import BadQuery, NotFound
from rag.search import Searcher
from rag.search.explain import explain
from rag.search.explanation import Explanation
from rag.settings import Settings
from rag.types import Filter
from rag.workspace import Workspace
from tests.support import docs
from tests.support.corpus import row

COUNT = 40
PAGES = {
    f"p{i:02}.md": f"# Page {i}\n\nTea of kind {i}. {'tea ' * (i % 7)}{'leaf water cup ' * (i % 5)}"
    for i in range(COUNT)
} | {"stone.md": "# Stone\n\nGranite and basalt."}


@pytest.fixture
def pages(tmp_path: Path) -> Workspace:
    saem = Workspace(docs.settings(tmp_path / "home"))
    docs.index(saem, docs.write(tmp_path / "pages", PAGES))
    return saem


def searcher(saem: Workspace, **changes: object) -> Searcher:
    settings: Settings = saem.settings.replace(**changes)
    return Searcher(saem.collection(), saem.encoder(), settings)


def stages(found: Explanation) -> dict[str, tuple[int | None, str]]:
    return {s.name: (s.rank, s.why) for s in found.stages}


class TestRanks:
    @pytest.mark.parametrize("page", ["p00.md", "p06.md", "p20.md", "p33.md"])
    def test_are_those_of_the_whole_lists_beyond_any_depth(
        self, pages: Workspace, page: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rag.search.explain._AT_ONCE", 2)
        small = searcher(pages, depth=3, top_k=2)
        found = explain(small, "tea leaf", page)
        whole = searcher(pages, depth=500).rank("tea leaf", 100)
        cut = small.rank("tea leaf")
        for stage in found.stages:
            full = whole.stages if stage.name in ("bm25", "dense") else cut.stages
            listed = [i for i, _ in full["fused" if stage.name == "shown" else stage.name]]
            if found.passage in listed:
                at = listed.index(found.passage)
                assert stage.rank == at + 1
                above = stage.above.passage if stage.above else None
                assert above == (listed[at - 1] if at else None)
            else:
                assert (stage.rank, stage.score, stage.above) == (None, None, None)
        order = [i for i, _ in cut.order]
        assert found.rank == (order.index(found.passage) + 1 if found.passage in order else None)
        assert found.path == page

    def test_of_the_first_hit(self, pages: Workspace) -> None:
        best = pages.searcher().search("granite", 1).hits[0].chunk
        found = explain(pages.searcher(), "granite", best.path)
        assert found.first is not None
        assert (found.rank, found.first.passage) == (1, best.id)
        assert {s.why for s in found.stages} == {found.why} == {"nothing stands above it"}

    def test_the_best_passage_of_several_is_explained(self, saem: Workspace) -> None:
        text = "# Long\n\n" + "Sentence about cups. " * 90 + "\n\n# End\n\nA zebra at last.\n"
        file = saem.settings.home.parent / "docs" / "long.md"
        file.write_text(text)
        saem.index(file.parent)
        found = explain(saem.searcher(), "zebra", "long.md")
        passages = saem.collection().passages(found.document)
        assert len(passages) > 1
        assert "zebra" in passages[found.position].text
        assert explain(saem.searcher(), "zebra +unheard", "long.md").position == found.position
        one = explain(saem.searcher(), "zebra", passages[0].id)
        assert (one.passage, one.position) == (passages[0].id, 0)
        assert stages(one)["bm25"] == (None, "it has none of the question's terms")


class TestTerms:
    def test_say_what_each_adds(self, pages: Workspace) -> None:
        found = explain(pages.searcher(), "tea leaf page 23", "p23.md", mode="bm25")
        (bm25, _) = found.stages
        assert sum(t.value for t in found.terms) == pytest.approx(bm25.score, rel=1e-4)
        by_word = {t.words: t for t in found.terms}
        texts = [analysis.terms(text) for text in PAGES.values()]
        for words, term in by_word.items():
            assert term.df == sum(words[0] in text for text in texts)
        page = pages.collection().passages(found.document)[found.position]
        for word in ("tea", "leaf", "page", "23"):
            term = by_word[word,]
            assert term.body == analysis.terms(page.text).count(word)
            assert term.head == analysis.terms(page.above).count(word)

    def test_and_a_phrase(self, pages: Workspace) -> None:
        found = explain(pages.searcher(), '"leaf water" cup*', "p04.md")
        assert [(t.words, t.df, t.body) for t in found.terms] == [
            (("cup",), 32, 4),
            (("leaf", "water"), 32, 4),
        ]

    def test_and_what_was_corrected(self, pages: Workspace) -> None:
        found = explain(pages.searcher(), "granit bazalt", "stone.md")
        assert found.corrected == {"bazalt": ("basalt",)}
        assert [t.words for t in found.terms] == [("granit",), ("basalt",)]


class TestWhy:
    def test_too_deep(self, pages: Workspace) -> None:
        found = explain(searcher(pages, depth=2, top_k=2), "tea", "p00.md")
        bm25, dense, fused, shown = found.stages
        assert None not in (bm25.rank, dense.rank)
        assert found.rank is None
        assert found.why == fused.why == shown.why == (
            f"bm25 has it at {bm25.rank} and dense at {dense.rank}; "
            "only the first 2 of each are taken (depth)"
        )  # fmt: skip

    def test_beyond_top_k(self, pages: Workspace) -> None:
        found = explain(searcher(pages, top_k=2), "tea", "p00.md")
        assert found.rank is not None
        assert found.why.startswith("only the first 2 are shown (top_k); ")
        lexical = explain(searcher(pages, top_k=2), "tea", "p00.md", mode="bm25")
        rank = lexical.stages[0].rank
        assert lexical.why == f"bm25 has it at {rank}; only the first 2 are taken (top_k)"

    @pytest.mark.parametrize(
        ("filter_", "why"),
        [
            (Filter(path="q*"), "excluded by path=q*"),
            (Filter({"language": ("ko", "fr")}), "excluded by language=ko or fr"),
            (Filter({"language": ("en",), "year": ("2024",)}), "excluded by year=2024"),
            (Filter({"document": ("0" * 32,)}), f"excluded by document={'0' * 32}"),
        ],
    )
    def test_filters(self, pages: Workspace, filter_: Filter, why: str) -> None:
        found = explain(pages.searcher(), "tea", "p01.md", filter=filter_)
        assert (found.rank, found.why, stages(found)) == (None, why, {"filter": (None, why)})

    def test_a_filter_that_it_meets_counts_in_the_ranks(self, pages: Workspace) -> None:
        found = explain(pages.searcher(), "tea", "p01.md", filter=Filter(path="p0[0-1].md"))
        assert found.why == "excluded by path=p0[0-1].md"
        found = explain(pages.searcher(), "tea", "p01.md", filter=Filter(path="p01*"))
        assert (found.rank, found.why) == (1, "nothing stands above it")

    @pytest.mark.parametrize(
        ("query", "why"),
        [
            ("tea +granite", "it does not have the required 'granit'"),
            ("tea -leaf", "it has the excluded 'leaf'"),
            ('tea -"leaf water"', "it has the excluded 'leaf water'"),
            ("tea +gran*", "it does not have the required 'gran*'"),
        ],
    )
    def test_clauses(self, pages: Workspace, query: str, why: str) -> None:
        found = explain(pages.searcher(), query, "p01.md")
        assert stages(found) == {"required": (None, why)}

    def test_no_vector_and_no_terms(self, pages: Workspace, tmp_path: Path) -> None:
        docs.write(tmp_path / "pages", {"new.md": "Olives."})
        docs.index(pages, tmp_path / "pages", vectors=False)
        found = explain(pages.searcher(), "tea", "new.md")
        no_terms, no_vector = "it has none of the question's terms", "its vector is not there yet"
        assert stages(found)["bm25"] == (None, no_terms)
        assert stages(found)["dense"] == (None, no_vector)
        assert found.why == f"{no_terms}, and {no_vector}"
        assert found.warnings == (f"1 of {COUNT + 2} passages have no vector yet",)

    @pytest.mark.parametrize(
        ("texts", "query", "why"),
        [
            (("tea cup leaf", "tea jar jar"), "tea cup leaf", "2 more terms: 'cup', 'leaf'"),
            (("tea tea cup", "tea jar jar"), "tea cup", "1 more term: 'cup'"),
            (("tea tea tea", "tea jar jar"), "tea", "'tea' more often: 3 to 1"),
            (("tea jar", "tea jar jar jar"), "tea", "'tea' in fewer words, where it counts more"),
            (("녹차 잔", "녹차 물 물 물"), "녹차", "'녹차' in fewer words, where it counts more"),
            (("# tea\n\njar", "jar tea"), "tea", "'tea' more often in title or headings: 1 to 0"),
        ],
    )
    def test_in_words_of_the_terms(
        self, tmp_path: Path, texts: tuple[str, str], query: str, why: str
    ) -> None:
        saem = Workspace(docs.settings(tmp_path / "home"))
        docs.index(saem, docs.write(tmp_path / "d", {"a.md": texts[0], "b.md": texts[1]}))
        found = explain(saem.searcher(), query, "b.md", mode="bm25")
        assert found.first is not None
        assert (found.first.path, found.rank) == ("a.md", 2)
        assert found.why == f"the first hit has {why}"

    def test_in_a_hybrid_search_the_side_that_costs_most_is_named(self, pages: Workspace) -> None:
        lexical = explain(
            searcher(pages, fusion="convex", dense_weight=0.0, top_k=50), "granite tea", "p00.md"
        )
        assert lexical.why == (
            f"bm25 has it at {lexical.stages[0].rank}, the first hit at 1: "
            "the first hit has 1 more term: 'granit'"
        )
        dense = explain(
            searcher(pages, fusion="convex", dense_weight=1.0, top_k=50),
            "granite and basalt",
            "p00.md",
        )
        assert dense.stages[1].score is not None
        first = pages.searcher().search("granite and basalt", 1, "dense").hits[0].score
        assert dense.why == (
            f"dense has it at {dense.stages[1].rank}, the first hit at 1: the first hit's vector "
            f"is nearer to the question's: {first:.3f} to {dense.stages[1].score:.3f}"
        )

    def test_after_reranking(self, pages: Workspace) -> None:
        again = searcher(
            pages, fusion="rrf", rerank="linear", rerank_depth=4, rerank_weights="coverage=1"
        )
        order = again.rank("tea leaf granite").order
        found = [explain(again, "tea leaf granite", i) for i, _ in order[:6]]
        assert [e.stages[-2].name for e in found] == ["reranked"] * 6
        assert [e.stages[-2].rank for e in found] == [1, 2, 3, 4, 5, 6]
        assert found[4].why == "only the first 4 are put in order again (rerank_depth)"
        title = searcher(pages, fusion="linear", rerank_weights="title=1")
        last = explain(title, "stone tea", "p05.md")
        rarity = pages.collection().idf(["stone", "tea"])
        share = rarity["stone"] / sum(rarity.values())
        assert last.stages[-2].why == f"the first hit has more 'title': {share:.2f} to 0.00"


class TestNames:
    def test_a_document_by_id_or_path(self, pages: Workspace) -> None:
        (known,) = pages.collection().documents(Filter(path="p07.md"))
        ask = pages.searcher()
        by_path = explain(ask, "tea", "p07.md")
        assert by_path == explain(ask, "tea", known.id) == explain(ask, "tea", by_path.passage)
        assert by_path.document == known.id

    @pytest.mark.parametrize("name", ["nowhere.md", "p*.md", "0" * 32, ""])
    def test_that_is_not_there(self, pages: Workspace, name: str) -> None:
        with pytest.raises(NotFound, match="no passage is of a document"):
            explain(pages.searcher(), "tea", name)

    def test_a_passage_that_is_gone(self, pages: Workspace) -> None:
        passage = explain(pages.searcher(), "tea", "p07.md").passage
        pages.collection().delete([d.id for d in pages.collection().documents(Filter(path="p07*"))])
        with pytest.raises(NotFound):
            explain(pages.searcher(), "tea", passage)

    def test_two_documents_of_one_path(self, pages: Workspace) -> None:
        pages.collection().upsert([row("p07.md", "Other tea.")])
        ids = [d.id for d in pages.collection().documents(Filter(path="p07.md"))]
        assert len(ids) == 2
        with pytest.raises(BadQuery, match=r"several documents have the path 'p07\.md'") as e:
            explain(pages.searcher(), "tea", "p07.md")
        assert e.value.remedy == f"Give the id of one: {ids[0]}, {ids[1]}"


class TestCommand:
    @pytest.fixture
    def app(self) -> typer.Typer:
        made = typer.Typer()
        made.command()(command)
        return made

    def run(self, app: typer.Typer, saem: Workspace, *arguments: str) -> str:
        home = str(saem.settings.home)
        environment = {"RAG_ENCODER": "hashing", "RAG_LLM": "none", "COLUMNS": "200"}
        done = CliRunner().invoke(app, [*arguments, "--home", home], env=environment)
        assert done.exit_code == 0, done.output
        return done.stdout

    def test_prints_stages_and_terms(self, pages: Workspace, app: typer.Typer) -> None:
        out = self.run(app, pages, "tea leaf", "--doc", "p00.md")
        found = explain(pages.searcher(), "tea leaf", "p00.md")
        assert f"p00.md, passage 1: rank {found.rank}, 10 are shown" in out
        assert f"Why not higher: {found.why}." in out
        for stage in found.stages[:-1]:
            assert any(line.startswith(stage.name) and stage.why in line
                       for line in out.splitlines())  # fmt: skip
        for term in found.terms:
            assert any(line.split()[:2] == [*term.words, f"{term.df:,}"]
                       for line in out.splitlines())  # fmt: skip

    def test_prints_json(self, pages: Workspace, app: typer.Typer) -> None:
        out = json.loads(self.run(app, pages, "tea", "--doc", "p01.md", "-f", "path=q*", "--json"))
        assert (out["rank"], out["why"]) == (None, "excluded by path=q*")
        assert out["stages"] == [
            {"name": "filter", "rank": None, "score": None, "above": None, "why": out["why"]}
        ]
